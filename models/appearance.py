"""What a place looks like: a small patch that brightness and contrast do not change."""

from __future__ import annotations

from math import ceil, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.models.geometry import Floats

#: Side of a patch: enough to tell a car from the road, and another car from this one.
SIDE = 24
SMALLEST_PX = 3
#: Contrast below this is noise of a dark picture, in grey levels.
QUIET = 2.0


def patch(grey: NDArray[np.uint8], box: Floats) -> Floats | None:
    """Return the patch (SIDE, SIDE) of a box (4,) in 0..1, with zero mean; None if it is too small."""
    height, width = grey.shape
    left, top, right, bottom = (box * (width, height, width, height)).tolist()
    x1, y1, x2, y2 = max(0, int(left)), max(0, int(top)), min(width, ceil(right)), min(height, ceil(bottom))
    if x2 - x1 < SMALLEST_PX or y2 - y1 < SMALLEST_PX:
        return None
    small = cv2.resize(grey[y1:y2, x1:x2], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    (mean,), (deviation,) = (figure[0] for figure in cv2.meanStdDev(small))
    found = small.astype(np.float32)
    found -= mean
    found *= 1 / (deviation + QUIET)
    return found


def likeness(a: Floats | None, b: Floats | None) -> float:
    """Return the normalised cross-correlation of two patches, -1..1; 0 if there is nothing to compare."""
    if a is None or b is None:
        return 0.0
    size = sqrt(np.vdot(a, a) * np.vdot(b, b)) / a.size
    return float(np.vdot(a, b)) / a.size / (size + 1e-6)
