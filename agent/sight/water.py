"""What one look at the water on a road gives to the rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Light: TypeAlias = Literal["day", "night"]


class Water(NamedTuple):
    """Where a camera sees water. Maps are (h, w) of the whole picture, in the camera's reference view."""

    #: Probability * 255.
    wet: NDArray[np.uint8]
    #: From this value of 255 on a pixel counts as water.
    threshold: int
    #: Judged from the picture: night when it is dark, or grey as under infrared.
    light: Light
    #: The most that the dry road showed there in this light; None while nobody has said that it is dry.
    dry: NDArray[np.uint8] | None


def inside(points: Iterable[tuple[float, float]], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which pixels of a map (h, w) a polygon in 0..1 covers; at least one."""
    height, width = shape[:2]
    corners = np.rint(np.array(list(points), np.float64) * (width, height) - 0.5).astype(np.int32)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [corners], 1)
    return mask.astype(bool)
