"""The models of one box, as live sight and replay both load them."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from lamppost.models.detector import Detector, load_detector
from lamppost.models.manifest import model_folders
from lamppost.models.segmenter import Segmenter, load_segmenter

if TYPE_CHECKING:
    from lamppost.agent.config.model import SightSettings

#: Number of malloc's parameter for its most arenas, in glibc's malloc.h.
_M_ARENA_MAX = -8


def detector(settings: SightSettings, config: Path) -> Detector:
    """Return the configured detector, from the folders beside ``config`` or shipped. Raises ModelError."""
    # OpenCV's threads cost more than they save in pictures of this size, and the box has other work.
    cv2.setNumThreads(1)
    _spare_memory("mallopt", _M_ARENA_MAX, 1)
    found = load_detector(settings.model, threads=settings.threads, folders=model_folders(config))
    _spare_memory("malloc_trim", 0)
    return found


def segmenter(settings: SightSettings, config: Path) -> Segmenter:
    """Return the configured segmenter of water, as `detector` does. Raises ModelError."""
    found = load_segmenter(settings.water_model, threads=settings.threads, folders=model_folders(config))
    _spare_memory("malloc_trim", 0)
    return found


def _spare_memory(name: str, *arguments: int) -> None:
    """Call glibc's ``name``: reading a model leaves 10 MB of free heap that nothing needs again."""
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:  # not with another C library
        function(*arguments)
