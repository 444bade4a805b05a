"""Bring a rendered vehicle to another place in the picture."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np

from lamppost.simulators.street.names import Vehicle
from lamppost.simulators.street.projection import HEIGHT, WIDTH, View
from lamppost.simulators.street.renders import Image, Sprite

#: A turn of the aspect counts like a change of distance, by this factor, when a pose is chosen.
_TURN = 1.5
#: Nearer to the camera than this, along the street, nothing is drawn.
_NEAREST_M = 3.0
#: So many poses are tried until one is whole.
_CHOICE = 4

Place: TypeAlias = tuple[slice, slice]


class Fit(NamedTuple):
    """A sprite whose foot goes from one place of the picture to another, scaled by ``scale``."""

    number: int
    sprite: Sprite
    left: float
    top: float
    scale: float
    #: Height of the road there above level 0, and pixels to a metre.
    foot: float
    per_m: float

    @property
    def shows_cut(self) -> bool:
        """Whether it was cut off by the edge of the picture, and would show where."""
        sprite = self.sprite
        high, wide = sprite.look.shape[:2]
        return (
            (sprite.top <= 0 and self.top > 1)
            or (sprite.left <= 0 and self.left > 1)
            or (sprite.left + wide >= WIDTH and self.left + wide * self.scale < WIDTH - 1)
            or (sprite.top + high >= HEIGHT and self.top + high * self.scale < HEIGHT - 1)
        )

    def place(self, down: float = 0.0, higher: float = 1.0) -> Place | None:
        """Return the part of the picture that it takes, ``down`` pixels lower and so much higher."""
        high, wide = self.sprite.look.shape[:2]
        x0, y0 = math.floor(self.left), math.floor(self.top + down)
        x1 = x0 + math.ceil(wide * self.scale) + 2
        y1 = y0 + math.ceil(high * higher * self.scale) + 2
        rows, columns = slice(max(0, y0), min(HEIGHT, y1)), slice(max(0, x0), min(WIDTH, x1))
        return None if rows.stop <= rows.start or columns.stop <= columns.start else (rows, columns)

    def warp(
        self, picture: Image, place: Place, *, coarse: float = 1.0, down: float = 0.0, outside: int = 0
    ) -> Image:
        """Return a picture of the sprite, ``coarse`` times smaller than it, as it falls on a part."""
        rows, columns = place
        zoom = self.scale * coarse
        centre = 0.5 * (zoom - 1)
        x, y = self.left - columns.start + centre, self.top + down - rows.start + centre
        matrix = np.array([[zoom, 0, x], [0, zoom, y]], np.float32)
        size = columns.stop - columns.start, rows.stop - rows.start
        border = (outside, outside, outside, outside)
        warped = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderValue=border)
        return np.asarray(warped, np.uint8)


class Poses:
    """Finds the sprite for a vehicle, and how it is brought there."""

    def __init__(self, view: View, sprites: Iterable[Sprite]) -> None:
        self._view = view
        self._sprites = list(enumerate(sprites))
        self._feet: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
        for _, sprite in sorted(self._sprites, key=lambda pair: pair[1].y):
            ys, heights = self._feet.setdefault((sprite.kind, sprite.lane), ([], []))
            ys.append(sprite.y)
            heights.append(sprite.foot)

    def fit(self, vehicle: Vehicle) -> Fit | None:
        """Return it, or None for a vehicle that is not before the camera. Raises LookupError."""
        fits = [self._brought(number, sprite, vehicle) for number, sprite in self._alike(vehicle)]
        there = [fit for fit in fits if fit is not None]
        return next((fit for fit in there if not fit.shows_cut), there[0] if there else None)

    def _brought(self, number: int, sprite: Sprite, vehicle: Vehicle) -> Fit | None:
        view = self._view
        foot = float(np.interp(vehicle.y, *self._feet[sprite.kind, sprite.lane]))
        there = view.project(vehicle.x, vehicle.y, foot)
        if vehicle.y <= view.y + _NEAREST_M or there.depth <= 1:
            return None
        here = view.project(sprite.x, sprite.y, sprite.foot)
        scale = here.depth / there.depth
        left, top = there.x + (sprite.left - here.x) * scale, there.y + (sprite.top - here.y) * scale
        return Fit(number, sprite, left, top, scale, foot, view.focal / there.depth)

    def _alike(self, vehicle: Vehicle) -> list[tuple[int, Sprite]]:
        """Return the rendered poses that look most like it: as far away, and seen from the same side."""
        lanes = ("towards",) if vehicle.towards else ("away", "strip")
        turned, away = self._aspect(vehicle)

        def unlike(pair: tuple[int, Sprite]) -> float:
            other_turned, other_away = self._aspect(pair[1])
            return abs(math.log(away / other_away)) + _TURN * abs(turned - other_turned)

        fitting = [one for one in self._sprites if one[1].kind == vehicle.kind and one[1].lane in lanes]
        if not fitting:
            raise LookupError(f"no pictures of a {vehicle.kind}")
        return sorted(fitting, key=unlike)[:_CHOICE]

    def _aspect(self, thing: Vehicle | Sprite) -> tuple[float, float]:
        """Return the direction in radians and the distance in metres in which a thing is seen."""
        dx, dy = thing.x - self._view.x, thing.y - self._view.y
        return math.atan2(dx, dy), math.hypot(dx, dy)
