"""What a place looks like: a small patch that brightness and contrast do not change."""

from __future__ import annotations

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
    x1, y1 = max(0, int(box[0] * width)), max(0, int(box[1] * height))
    x2, y2 = min(width, int(np.ceil(box[2] * width))), min(height, int(np.ceil(box[3] * height)))
    if x2 - x1 < SMALLEST_PX or y2 - y1 < SMALLEST_PX:
        return None
    small = cv2.resize(grey[y1:y2, x1:x2], (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= small.mean()
    small /= np.sqrt((small * small).mean()) + QUIET
    return small


def likeness(a: Floats | None, b: Floats | None) -> float:
    """Return the normalised cross-correlation of two patches, -1..1; 0 if there is nothing to compare."""
    if a is None or b is None:
        return 0.0
    size = float(np.sqrt((a * a).mean() * (b * b).mean()))
    return float((a * b).mean()) / (size + 1e-6)
