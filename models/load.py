"""Any model by its name or manifest, whatever its task: for commands that list, verify and time them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamppost.models.detector import Detector, load_detector
from lamppost.models.manifest import SYSTEM, find_manifest
from lamppost.models.segmenter import Segmenter, load_segmenter


def load_model(
    name_or_path: str | Path, *, folders: tuple[Path, ...] = (SYSTEM,), **how: Any
) -> Detector | Segmenter:
    """Return a detector or a segmenter, tried out; ``how`` is what both take. Raises `ModelError`."""
    task = find_manifest(name_or_path, folders).task
    load: Any = load_detector if task == "detect" else load_segmenter
    found: Detector | Segmenter = load(name_or_path, folders=folders, **how)
    return found
