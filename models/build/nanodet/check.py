"""Does the 8-bit model see what the float model sees? Matching boxes, on pictures it was not calibrated with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lamppost.models.detections import Detections
from lamppost.models.detector import Detector
from lamppost.models.geometry import iou_matrix
from lamppost.models.letterbox import Picture

SEEN = {"person", "bicycle", "motorcycle", "car", "bus", "truck"}
#: What one model gives this score, the other should show with at least that one.
CLEAR = 0.45
SHOWN = 0.3
SAME_IOU = 0.6


@dataclass
class Agreement:
    """Counts over all pictures, and the differences in score of what both see."""

    pictures: int = 0
    clear: int = 0
    found: int = 0
    new: int = 0
    doubtful: int = 0

    def __str__(self) -> str:
        return (
            f"{self.pictures} pictures: of {self.clear} clear objects of the float model the 8-bit model shows "
            f"{self.found}; of its own {self.new} clear ones the float model does not show {self.doubtful}"
        )


def compare(reference: Detector, tested: Detector, pictures: Iterable[Picture]) -> Agreement:
    """Return how far two detectors agree on things of the street."""
    total = Agreement()
    for picture in pictures:
        expected, found = reference(picture), tested(picture)
        total.pictures += 1
        clear, shown = _shown(expected, found)
        total.clear += clear
        total.found += shown
        clear, shown = _shown(found, expected)
        total.new += clear
        total.doubtful += clear - shown
    return total


def _shown(one: Detections, other: Detections) -> tuple[int, int]:
    """Return how many clear objects ``one`` has, and how many of them ``other`` shows."""
    clear = [i for i, label in enumerate(one.labels) if label in SEEN and one.scores[i] >= CLEAR]
    same = [i for i, label in enumerate(other.labels) if label in SEEN and other.scores[i] >= SHOWN]
    close = iou_matrix(one.boxes[clear], other.boxes[same]) >= SAME_IOU
    return len(clear), int(np.count_nonzero(close.any(axis=1)))
