"""Put a picture of the street together: ground, water, vehicles, rain, noise, and the truth about it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.simulators.street.fit import Fit, Place, Poses
from lamppost.simulators.street.ground import Backgrounds, Ground
from lamppost.simulators.street.mirror import mirrored
from lamppost.simulators.street.names import COLOURS, KINDS, Vehicle
from lamppost.simulators.street.projection import HEIGHT, WIDTH
from lamppost.simulators.street.recolour import painted
from lamppost.simulators.street.renders import BODY_STEP_M, BODY_ZERO, Floats, Image, load
from lamppost.simulators.street.weather import Weather

#: Standard deviation of the sensor's noise, in grey levels.
NOISE = {"day": 3.0, "dusk": 5.0}
#: How much of a vehicle's mirror image the water shows.
_MIRRORS = 0.42
#: Height over which a body dips into the water, and how much of its shadow shows on water.
_DIP_M, _SHADE_ON_WATER = 0.012, 0.5
#: Shade that is none: what packing and coding make of full light.
_NO_SHADE = 4.0


class Seen(NamedTuple):
    """The truth about a vehicle in a picture.

    ``box`` is left, top, right, bottom of all of it that is within the picture, in pixels, hidden or
    not; ``visible`` is the share of that which nothing hides: vehicles before it, or water.
    """

    id: str
    kind: str
    colour: str
    box: tuple[int, int, int, int]
    visible: float


class Picture(NamedTuple):
    """A picture and the truth about it.

    ``image`` is 360x640x3 uint8 BGR. ``water`` is 255 where water is seen, else 0. ``owner`` says which of
    ``vehicles`` is seen, counted from 1, else 0. ``vehicles`` are those in the picture, farthest first.
    """

    image: Image
    water: Image
    owner: Image
    vehicles: tuple[Seen, ...]


class Street:
    """A camera that looks at the street, in one light. Raises LookupError for what was not rendered."""

    def __init__(self, view: str = "kerb", light: str = "day") -> None:
        self._assets = load(view, light)
        self._poses = Poses(self._assets.view, self._assets.sprites)
        self._backgrounds = Backgrounds(self._assets)
        self._weather = Weather(NOISE[light])
        self._looks: dict[tuple[int, str], Image] = {}
        self._mirrored: dict[tuple[int, str], Image] = {}

    def frame(
        self,
        vehicles: Sequence[Vehicle] = (),
        *,
        water_mm: float = 0.0,
        wet: float = 0.0,
        rain: bool = False,
        tick: int = 0,
        noise: bool = True,
    ) -> Picture:
        """Return a picture. Raises LookupError for a vehicle that was not rendered.

        ``water_mm`` is the level above the lowest gutter, ``wet`` how wet the road is (0..1). ``tick``
        chooses rain, ripples and noise: the same call gives the same picture.
        """
        canvas = _Canvas(self._backgrounds.at(max(0.0, water_mm / 1000), wet), max(0.0, water_mm / 1000))
        drawn: list[tuple[Vehicle, _Cut]] = []
        for vehicle in sorted(vehicles, key=self._distance, reverse=True):
            cut = self._draw(canvas, vehicle, tick, len(drawn) + 1)
            if cut is not None:
                drawn.append((vehicle, cut))
        image = self._weather.rain(canvas.image, tick) if rain else canvas.image
        if noise:
            image = self._weather.noise(image, tick)
        water = (self._assets.height < canvas.level_m) & (canvas.owner == 0) & (canvas.level_m > 0)
        seen = tuple(_seen(vehicle, cut, canvas.owner, nth) for nth, (vehicle, cut) in enumerate(drawn, 1))
        return Picture(image, water.astype(np.uint8) * 255, canvas.owner, seen)

    def _distance(self, vehicle: Vehicle) -> float:
        """Return how far away the near end of a vehicle is."""
        view = self._assets.view
        return math.hypot(vehicle.x - view.x, vehicle.y - KINDS[vehicle.kind].length_m / 4 - view.y)

    def _draw(self, canvas: _Canvas, vehicle: Vehicle, tick: int, number: int) -> _Cut | None:
        """Draw a vehicle; return where, or None if nothing of it is in the picture."""
        if vehicle.colour not in COLOURS:
            raise LookupError(f"no pictures of a {vehicle.colour} {vehicle.kind}")
        fit = self._poses.fit(vehicle)
        place = None if fit is None else fit.place()
        if fit is None or place is None:
            return None
        key = fit.number, vehicle.colour
        if key not in self._looks:
            self._looks[key] = painted(fit.sprite, vehicle.colour)
        if canvas.level_m > fit.foot:
            if key not in self._mirrored:
                self._mirrored[key] = mirrored(fit.sprite, self._looks[key], self._assets.view)
            canvas.reflect(fit, self._mirrored[key], tick)
        return canvas.draw(fit, place, self._looks[key], number)


class _Cut(NamedTuple):
    """Where a vehicle was drawn: its box in the picture, and its pixels, hidden ones too."""

    box: tuple[int, int, int, int]
    pixels: int


class _Canvas:
    """A picture that is being drawn, with water up to ``level_m`` above the lowest gutter."""

    def __init__(self, ground: Ground, level_m: float) -> None:
        self.image = ground.image.copy()
        self.owner = np.zeros((HEIGHT, WIDTH), np.uint8)
        self.level_m = level_m
        self._cover = ground.cover

    def draw(self, fit: Fit, place: Place, look: Image, number: int) -> _Cut | None:
        """Draw a vehicle with its shadow over what is there."""
        warped = fit.warp(look, place)
        cover = warped[..., 3].astype(np.float32) / 255
        whole = cover > 0.5
        if not whole.any():
            return None
        if self.level_m > fit.foot:
            cover = cover * self._above_water(fit, place)
        part = self.image[place]
        shaded = part * self._light(fit, place)[..., None]
        part[:] = (shaded + (warped[..., :3] - shaded) * cover[..., None]).round().astype(np.uint8)
        self.owner[place][cover > 0.5] = number
        return _cut(whole, place)

    def _light(self, fit: Fit, place: Place) -> Floats:
        """Return how much light the vehicle leaves to the ground, 0..1; water shows less of a shadow."""
        warped = fit.warp(fit.sprite.shade, place, coarse=2, outside=255).astype(np.float32)
        shade = np.maximum(255 - _NO_SHADE - warped, 0) / 255
        return np.asarray(1 - shade * (1 - _SHADE_ON_WATER * self._cover[place]), np.float32)

    def _above_water(self, fit: Fit, place: Place) -> Floats:
        body = fit.warp(fit.sprite.body, place, coarse=2).astype(np.float32)
        above = (body - BODY_ZERO) * BODY_STEP_M + fit.foot - self.level_m
        return np.asarray((above / _DIP_M + 0.5).clip(0, 1), np.float32)

    def reflect(self, fit: Fit, picture: Image, tick: int) -> None:
        """Let the water mirror a vehicle, rippled."""
        # A water level above the foot mirrors about a higher plane: the image moves up by twice that.
        down = -2 * (self.level_m - fit.foot) * fit.per_m
        place = fit.place(down, picture.shape[0] / fit.sprite.look.shape[0])
        if place is None:
            return
        flat = fit.warp(picture, place, down=down)
        y, x = np.mgrid[0 : flat.shape[0], 0 : flat.shape[1]].astype(np.float32)
        from_x = x + 2.2 * np.sin(y * 1.1 + tick * 0.7 + x * 0.05)
        from_y = y + 0.8 * np.sin(x * 0.35 + tick * 0.5)
        rippled = cv2.remap(flat, from_x.astype(np.float32), from_y.astype(np.float32), cv2.INTER_LINEAR)
        share = rippled[..., 3:].astype(np.float32) * (_MIRRORS / 255) * self._cover[place][..., None]
        part = self.image[place]
        part[:] = (part + (rippled[..., :3] - part.astype(np.float32)) * share).round().astype(np.uint8)


def _cut(whole: NDArray[np.bool_], place: Place) -> _Cut:
    rows, columns = np.flatnonzero(whole.any(1)), np.flatnonzero(whole.any(0))
    top, left = place[0].start, place[1].start
    box = left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1
    return _Cut((int(box[0]), int(box[1]), int(box[2]), int(box[3])), int(np.count_nonzero(whole)))


def _seen(vehicle: Vehicle, cut: _Cut, owner: Image, number: int) -> Seen:
    shown = int(np.count_nonzero(owner == number))
    return Seen(vehicle.id, vehicle.kind, vehicle.colour, cut.box, shown / cut.pixels)
