"""Non-maximum suppression: of many boxes for one thing, the best stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamppost.models.detections import Floats
from lamppost.models.geometry import iou_matrix


def survivors(
    boxes: Floats, classes: NDArray[np.intp], groups: NDArray[np.intp] | None, iou: float
) -> NDArray[np.intp]:
    """Return the indices of the boxes that stay; ``boxes`` (N, 4) come best first, and stay in order.

    A box goes when a better one of its class that stays overlaps it by more than ``iou``. What is left is
    judged again by ``groups`` (a number for each class), where one thing may have been given two classes.
    """
    everyone = np.arange(len(boxes))
    if len(boxes) < 2:
        return everyone
    close = iou_matrix(boxes, boxes) > iou
    stay = _greedy(close & (classes[:, None] == classes), everyone)
    if groups is not None:
        kinds = groups[classes]
        stay = _greedy(close & (kinds[:, None] == kinds), stay)
    return stay


def _greedy(clash: NDArray[np.bool_], order: NDArray[np.intp]) -> NDArray[np.intp]:
    gone = np.zeros(len(clash), dtype=np.bool_)
    stay = []
    for index in order.tolist():
        if not gone[index]:
            stay.append(index)
            gone |= clash[index]
    return np.array(stay, dtype=np.intp)
