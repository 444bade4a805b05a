"""What a detector found in one picture."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]


class Detections(NamedTuple):
    """Objects in one picture, best score first.

    ``boxes`` is float32 (N, 4): x1, y1, x2, y2 in 0..1 of the picture's width and height;
    ``scores`` is float32 (N,) in 0..1; ``labels`` has N names.
    """

    boxes: Floats
    scores: Floats
    labels: tuple[str, ...]
