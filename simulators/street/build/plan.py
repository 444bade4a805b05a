"""What is rendered: the views, the lights, the vehicles, and where they stand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

WIDTH, HEIGHT = 640, 360


class View(NamedTuple):
    """A camera on a pole: position in metres, pitch below the horizon and yaw to the left in degrees."""

    x: float
    y: float
    z: float
    pitch: float
    yaw: float
    hfov: float


class Light(NamedTuple):
    """A time of day: strength and tint of the sky (a panorama of Blender's, CC0), exposure in stops."""

    sky: str
    turn: float
    strength: float
    tint: tuple[float, float, float]
    exposure: float
    lamps: bool


class Pose(NamedTuple):
    """A place of a vehicle, and where it heads: 0 away from the camera, 180 towards it."""

    lane: str
    x: float
    y: float
    heading: float


VIEWS = {
    "kerb": View(7.2, 0.0, 6.0, 26.0, 20.0, 66.0),
    "stop": View(-5.4, 0.0, 5.6, 25.0, -20.0, 66.0),
}
#: Where the sign of the bus stop stands: never before a vehicle, which would carry its shape along as a hole.
SIGN_Y = {"kerb": 10.5, "stop": 24.5}
LIGHTS = {
    "day": Light("city", 50.0, 1.4, (1.0, 1.0, 1.0), 0.0, lamps=False),
    "dusk": Light("city", 50.0, 0.2, (0.62, 0.74, 1.0), 0.9, lamps=True),
}
KINDS = ("hatch", "sedan", "suv", "van", "bus")

#: Standing water that is rendered opaque, in millimetres above the lowest gutter; between them is mixed.
WATER_MM = {"kerb": (50, 150, 300), "stop": (50, 300)}

#: x and heading of the lanes, nearest and farthest y, poses. Spaced geometrically: each a like step in size.
_LANES = {
    "away": (1.6, 0.0, 7.5, 55.0, 12),
    "towards": (-1.7, 180.0, 9.0, 55.0, 11),
    "strip": (4.45, 0.0, 8.5, 30.0, 6),
}


def poses(kind: str, *, few: bool = False) -> list[Pose]:
    """Return where a kind of vehicle is rendered; with ``few`` two of three, of a bus one of three."""
    found = []
    for lane, (x, heading, near, far, number) in _LANES.items():
        if kind == "bus" and lane == "strip":
            continue
        count = max(3, number * 2 // 3 // (2 if kind == "bus" else 1)) if few else number
        begin = 13.0 if kind == "bus" else near
        found += [Pose(lane, x, float(y), heading) for y in np.geomspace(begin, far, count)]
    return found
