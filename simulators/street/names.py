"""What there is to choose from in the simulated street, and where things stand: plain data, no pictures.

Places are in metres: x across the road (left kerb -3.4, right kerb 5.6), y along it, away from the camera.
"""

from __future__ import annotations

from typing import NamedTuple

VIEWS = {
    "kerb": "from a pole on the right pavement, over the parking bays to the bus stop",
    "stop": "from a pole on the left pavement, over the bus stop to the parking bays",
}
LIGHTS = {"day": "overcast day", "dusk": "dusk, street lamps and head lamps on"}


class Kind(NamedTuple):
    """A kind of vehicle: length in metres, and how often it comes among others."""

    length_m: float
    share: float


KINDS = {
    "hatch": Kind(4.1, 0.3),
    "sedan": Kind(4.6, 0.3),
    "suv": Kind(4.45, 0.2),
    "van": Kind(4.9, 0.13),
    "bus": Kind(11.6, 0.07),
}

#: Paint as linear red, green, blue.
COLOURS = {
    "white": (0.75, 0.75, 0.73),
    "silver": (0.42, 0.43, 0.45),
    "grey": (0.12, 0.125, 0.13),
    "black": (0.02, 0.02, 0.022),
    "red": (0.4, 0.025, 0.02),
    "blue": (0.03, 0.09, 0.32),
    "green": (0.04, 0.19, 0.08),
    "beige": (0.46, 0.38, 0.26),
}


class Place(NamedTuple):
    """A place to stand at; ``towards`` the camera or away from it."""

    x: float
    y: float
    towards: bool


PLACES = {
    "bus-stop": Place(-2.35, 14.5, towards=True),
    "bus-stop-2": Place(-2.35, 20.5, towards=True),
    "bay-1": Place(4.45, 9.4, towards=False),
    "bay-2": Place(4.45, 15.0, towards=False),
    "bay-3": Place(4.45, 20.6, towards=False),
    "bay-4": Place(4.45, 26.2, towards=False),
}

#: Where nobody may stand, and where the road may flood: x and y of the corners.
ZONES = {
    "bus-stop": ((-3.3, 9.0), (-0.7, 9.0), (-0.7, 23.2), (-3.3, 23.2)),
    "bays": ((3.35, 6.6), (5.5, 6.6), (5.5, 29.0), (3.35, 29.0)),
    "road": ((-3.4, 7.0), (5.6, 7.0), (5.6, 35.0), (-3.4, 35.0)),
}


class Vehicle(NamedTuple):
    """A vehicle at a moment: the middle of it in metres."""

    id: str
    kind: str
    colour: str
    x: float
    y: float
    towards: bool
