"""Rain on the lens' side of things, and the noise of a sensor."""

from __future__ import annotations

import cv2
import numpy as np

from lamppost.simulators.street.projection import HEIGHT, WIDTH
from lamppost.simulators.street.renders import Image

_SHEETS, _STREAKS = 6, 260
_ROOM = 16
_GREY = 128


class Weather:
    """Draws the same rain and noise for the same tick."""

    def __init__(self, noise: float) -> None:
        chance = np.random.default_rng(3)
        self._rain = [_streaks(chance) for _ in range(_SHEETS)]
        size = (HEIGHT + _ROOM, WIDTH + _ROOM, 3)
        self._noise = [chance.normal(_GREY, noise, size).clip(0, 255).astype(np.uint8) for _ in range(2)]

    def rain(self, image: Image, tick: int) -> Image:
        """Return the picture with streaks of rain."""
        return np.asarray(cv2.add(image, self._rain[tick % _SHEETS]), np.uint8)

    def noise(self, image: Image, tick: int) -> Image:
        """Return the picture with the noise of a sensor: no two ticks are alike for a while."""
        down, right = tick * 7 % _ROOM, tick * 5 % _ROOM
        sheet = self._noise[tick % 2][down : down + HEIGHT, right : right + WIDTH]
        return np.asarray(cv2.addWeighted(image, 1, sheet, 1, -_GREY), np.uint8)


def _streaks(chance: np.random.Generator) -> Image:
    sheet = np.zeros((HEIGHT, WIDTH), np.uint8)
    for _ in range(_STREAKS):
        long, light = chance.uniform(6, 34), int(chance.uniform(18, 60))
        x, y = int(chance.uniform(0, WIDTH)), int(chance.uniform(-20, HEIGHT))
        cv2.line(sheet, (x, y), (int(x + long * 0.12), int(y + long)), light, 1, cv2.LINE_AA)
    soft = cv2.GaussianBlur(sheet, (0, 0), 0.7)
    return np.asarray(cv2.cvtColor(soft, cv2.COLOR_GRAY2BGR), np.uint8)
