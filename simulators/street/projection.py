"""From places in the street to pixels: a pin-hole camera on a pole."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from lamppost.simulators.street.names import VIEWS, ZONES

WIDTH, HEIGHT = 640, 360
#: How high the road lies above its lowest gutter, where there are zones.
_ROAD_M = 0.1


class Pixel(NamedTuple):
    """A place in the picture, in pixels, and its distance along the line of sight in metres."""

    x: float
    y: float
    depth: float


class View(NamedTuple):
    """A camera: position in metres, pitch below the horizon and yaw to the left in degrees."""

    x: float
    y: float
    z: float
    pitch: float
    yaw: float
    hfov: float

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return WIDTH / 2 / math.tan(math.radians(self.hfov) / 2)

    def project(self, x: float, y: float, z: float) -> Pixel:
        """Return where a place is seen."""
        pitch, yaw = math.radians(self.pitch), math.radians(self.yaw)
        dx, dy, dz = x - self.x, y - self.y, z - self.z
        right = dx * math.cos(yaw) + dy * math.sin(yaw)
        ahead = -dx * math.sin(yaw) + dy * math.cos(yaw)
        depth = ahead * math.cos(pitch) - dz * math.sin(pitch)
        down = -ahead * math.sin(pitch) - dz * math.cos(pitch)
        return Pixel(WIDTH / 2 + self.focal * right / depth, HEIGHT / 2 + self.focal * down / depth, depth)

    def outline(self, corners: Sequence[tuple[float, float]], z: float) -> list[tuple[float, float]]:
        """Return a polygon on the ground in 0..1 of the picture; what is outside is brought to its edge."""
        found = []
        for x, y in corners:
            seen = self.project(x, y, z)
            found.append((_share(seen.x / WIDTH), _share(seen.y / HEIGHT)))
        return found


def folder() -> Path:
    """Return where the rendered pictures are, and what is told about them."""
    return Path(str(files("lamppost.simulators.street"))) / "assets"


@cache
def view(name: str) -> View:
    """Return the camera of a view, its height counted from the lowest gutter. Raises LookupError."""
    if name not in VIEWS:
        raise LookupError(f"no view {name!r}; there are: {', '.join(VIEWS)}")
    return View(**json.loads((folder() / f"{name}.json").read_text(encoding="utf-8")))


def zone(view_name: str, zone_name: str) -> list[tuple[float, float]]:
    """Return a zone as a polygon in 0..1 of the picture. Raises LookupError."""
    if zone_name not in ZONES:
        raise LookupError(f"no zone {zone_name!r}; there are: {', '.join(ZONES)}")
    return view(view_name).outline(ZONES[zone_name], _ROAD_M)


def polygon(view_name: str, zone_name: str) -> str:
    """Return a zone as a configuration has it: ``[[0.1, 0.2], ...]``. Raises LookupError."""
    return "[" + ", ".join(f"[{x:g}, {y:g}]" for x, y in zone(view_name, zone_name)) + "]"


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 4)
