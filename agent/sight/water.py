"""What one look at the water on a road gives to the rules."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

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
