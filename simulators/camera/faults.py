"""What can go wrong with a simulated camera."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import NamedTuple


class CameraFault(StrEnum):
    """A way to fail. The number is what follows it when it is typed: ``moved 20``."""

    STALL = "stall"
    CLOSE = "close"
    WRONG_TYPE = "wrong-type"
    REFUSE = "refuse"
    FROZEN = "frozen"
    BLACK = "black"
    BLINDED = "blinded"
    BLURRED = "blurred"
    MOVED = "moved"
    SHAKE = "shake"


class Trouble(NamedTuple):
    """What a fault does, and what its number is."""

    text: str
    number: str = ""
    usual: float = 0.0


TROUBLES = {
    CameraFault.STALL: Trouble("connections stay open and nothing comes"),
    CameraFault.CLOSE: Trouble("connections end, new ones are refused"),
    CameraFault.WRONG_TYPE: Trouble("a web page instead of pictures, to new connections"),
    CameraFault.REFUSE: Trouble("401 to new connections, whatever the password"),
    CameraFault.FROZEN: Trouble("the same picture again and again"),
    CameraFault.BLACK: Trouble("no light"),
    CameraFault.BLINDED: Trouble("far too much light"),
    CameraFault.BLURRED: Trouble("out of focus", "pixels", 6.0),
    CameraFault.MOVED: Trouble("the camera was pushed, and stays so", "pixels", 12.0),
    CameraFault.SHAKE: Trouble("the pole shakes in the wind", "pixels", 3.0),
}


def parse(words: list[str]) -> tuple[CameraFault, float]:
    """Return a fault and its number. Raises ValueError."""
    if not words or words[0] not in list(CameraFault):
        known = ", ".join(CameraFault)
        raise ValueError(
            f"unknown fault {words[0]!r}; there are: {known}" if words else f"name one of: {known}"
        )
    fault = CameraFault(words[0])
    trouble = TROUBLES[fault]
    if len(words) > (2 if trouble.number else 1):
        raise ValueError(
            f"{fault} takes {'one number of ' + trouble.number if trouble.number else 'no number'}"
        )
    number = float(words[1]) if len(words) == 2 else trouble.usual
    if not math.isfinite(number) or abs(number) > 200:
        raise ValueError(f"{fault} takes a number of {trouble.number} up to 200, found {words[1]}")
    return fault, number
