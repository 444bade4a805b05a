"""What one look at one picture gives to the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.drivers.api import Frame
from lamppost.models.detections import Detections
from lamppost.models.view import Shift, View

Zones = Mapping[str, Sequence[tuple[float, float]]]
Lines = Zones

#: Width of the grey picture that places are compared in: a far car still has a dozen pixels.
GREY_WIDTH = 320


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One look: ``detections`` and ``grey`` (H, W) are in the camera's reference view.

    ``image`` is the picture (H, W, 3) as it came, for evidence; ``shift`` how far it had moved.
    """

    device: str
    at: datetime
    seq: int
    image: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    detections: Detections
    zones: Zones
    shift: Shift
    lines: Lines = field(default_factory=dict)


class Eye:
    """Looks at the frames of one camera. ``detect`` is a detector of `lamppost.models`."""

    def __init__(self, detect: Any, zones: Zones, lines: Lines | None = None) -> None:
        self._detect = detect
        self._zones = zones
        self._lines = lines or {}
        self._view = View()

    def look(self, frame: Frame) -> Scene:
        """Return what is to be seen. Costs one inference; blocks the calling thread for it."""
        image = frame.image
        height = round(GREY_WIDTH * image.shape[0] / image.shape[1])
        small = cv2.resize(image, (GREY_WIDTH, height), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
        shift = self._view.look(grey, frame.at.timestamp())
        detections: Detections = self._detect(image)
        if shift.dx or shift.dy:
            detections, grey = _moved_back(detections, grey, shift)
        return Scene(
            frame.device, frame.at, frame.seq, image, grey, detections, self._zones, shift, self._lines
        )


def _moved_back(
    detections: Detections, grey: NDArray[np.uint8], shift: Shift
) -> tuple[Detections, NDArray[np.uint8]]:
    """Return what was seen, in the reference view."""
    offset = np.array([shift.dx, shift.dy, shift.dx, shift.dy], np.float32)
    height, width = grey.shape
    by = np.array([[1, 0, -shift.dx * width], [0, 1, -shift.dy * height]], np.float32)
    moved = cv2.warpAffine(grey, by, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return detections._replace(boxes=detections.boxes - offset), moved.astype(np.uint8, copy=False)
