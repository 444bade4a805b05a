"""Where boxes lie to each other on the ground: parts, doubles, and what stands in front."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamppost.models.geometry import Floats, areas, overlaps


def explained(boxes: Floats, scores: Floats) -> NDArray[np.bool_]:
    """Say which boxes are nothing but pieces of surer ones: part of one, or around several."""
    count = len(boxes)
    if count < 2:
        return np.zeros(count, bool)
    shared = overlaps(boxes, boxes)
    area = np.maximum(areas(boxes), 1e-9)
    surer = (scores > scores[:, None]) & ~np.eye(count, dtype=bool)
    height = boxes[:, 3] - boxes[:, 1]
    level = np.abs(boxes[:, None, 3] - boxes[:, 3]) < 0.25 * height
    part = (surer & level & (shared / area[:, None] > 0.7)).any(axis=1)
    around = (surer & (shared / area > 0.7)).sum(axis=1) >= 2
    weak = (surer & (scores - scores[:, None] > 0.05)) * shared
    # Surer boxes overlap each other seldom: their shares may be added up.
    patchwork = (weak.sum(axis=1) / area > 0.85) & ((weak > 0).sum(axis=1) >= 2)
    return np.asarray(part | around | patchwork)


def in_front(anchors: Floats, others: Floats) -> NDArray[np.bool_]:
    """Say which boxes (M) cover which places (N) and are nearer: (N, M)."""
    if not len(anchors) or not len(others):
        return np.zeros((len(anchors), len(others)), bool)
    height = anchors[:, 3] - anchors[:, 1]
    covered = overlaps(anchors, others) / np.maximum(areas(anchors), 1e-9)[:, None] > 0.25
    nearer = others[:, 3] > (anchors[:, 3] + 0.04 * height)[:, None]
    return np.asarray(covered & nearer)


def same_place(anchors: Floats, boxes: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Say which boxes (M) lie in the place of which anchors (N), and return their IoU: (N, M) each."""
    shared = overlaps(anchors, boxes)
    place, size = np.maximum(areas(anchors), 1e-9)[:, None], np.maximum(areas(boxes), 1e-9)
    fit = np.asarray(shared / np.maximum(place + size - shared, 1e-12), np.float32)
    height = (anchors[:, 3] - anchors[:, 1])[:, None]
    level = np.abs(anchors[:, None, 3] - boxes[:, 3]) < 0.25 * height
    inside = shared / size > 0.7
    around = (shared / place > 0.8) & (fit > 0.3)
    return np.asarray((fit > 0.4) | (inside & level) | around), fit
