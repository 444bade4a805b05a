"""Whether a camera sees by day or by night: a wet road at night looks like nothing that it is by day."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.agent.sight.water import Light

#: Mean grey level below which a picture is one of the night, and above which it is one of the day again.
DARK, BRIGHT = 50.0, 65.0
#: Mean distance of a pixel's channels below which a picture has no colour (infrared), and above which it has.
#: Cameras in rain by day have been seen at 2.7.
GREY, COLOURED = 1.2, 2.2
#: Another light must last so long: a covered lens or a headlight is no dusk.
LASTS_S = 30.0

_SMALL = (80, 45)


class LightJudge:
    """Judges the pictures of one camera, in the order of their time."""

    def __init__(self) -> None:
        self.light: Light | None = None
        self._other_since: float | None = None

    def look(self, image: NDArray[np.uint8], at_s: float) -> Light:
        """Return the light of a picture (H, W, 3) taken at ``at_s`` seconds."""
        found = _light(image, self.light)
        if self.light is None:
            self.light = found
        elif found == self.light:
            self._other_since = None
        elif self._other_since is None or at_s < self._other_since:
            self._other_since = at_s
        elif at_s - self._other_since >= LASTS_S:
            self.light, self._other_since = found, None
        return self.light


def _light(image: NDArray[np.uint8], last: Light | None) -> Light:
    """Return the light of one picture; between the limits it stays what it was, or is day."""
    small = cv2.resize(image, _SMALL, interpolation=cv2.INTER_AREA)
    brightness = float(small.mean())
    colour = float((small.max(axis=2).astype(np.int16) - small.min(axis=2)).mean())
    if brightness < DARK or colour < GREY:
        return "night"
    return "day" if brightness > BRIGHT and colour > COLOURED else last or "day"
