"""What is painted on a shell: glass, lamps, plates, shut lines, and where the body's own paint shows.

Textures are HxWx3 in the shell's own coordinates: rows along ``t``, columns along ``u``.
"""

from __future__ import annotations

from typing import NamedTuple

import bodies
import numpy as np
from bodies import BODIES, Body, Floats

WIDE, HIGH = 1280, 512
#: Paint of the rendered bodies (linear); run-time code gives them other colours through the paint mask.
PAINT = 0.45
_GLASS = (0.008, 0.01, 0.012)
_BLACK = (0.012, 0.012, 0.012)
_CARS = ("hatch", "sedan", "suv")

NDArray = np.ndarray


class Livery(NamedTuple):
    """``finish`` is roughness, metallic, opacity; ``paint`` is 1 where the body's own paint shows."""

    colour: Floats
    finish: Floats
    glow: Floats
    paint: Floats


class Shell(NamedTuple):
    """Where each texel is: along, out and up in metres, and what it belongs to."""

    along: Floats
    out: Floats
    up: Floats
    roof: Floats
    half: Floats
    belt: Floats
    side: NDArray
    nose: NDArray
    t: Floats


class Painter:
    """Paints on masks of texels."""

    def __init__(self) -> None:
        self.colour = np.full((WIDE, HIGH, 3), PAINT)
        self.finish = np.full((WIDE, HIGH, 3), (0.28, 0.0, 1.0))
        self.glow = np.zeros((WIDE, HIGH, 3))
        self.paint = np.ones((WIDE, HIGH))

    def put(
        self,
        mask: NDArray,
        colour: tuple[float, float, float],
        rough: float,
        metal: float = 0.0,
        *,
        glow: object = None,
    ) -> None:
        self.colour[mask] = colour
        self.finish[mask, 0] = rough
        self.finish[mask, 1] = metal
        self.paint[mask] = 0.0
        if glow is not None:
            self.glow[mask] = glow

    def grey(self, mask: NDArray, shade: float, rough: float, metal: float = 0.0) -> None:
        self.put(mask, (shade, shade, shade), rough, metal)


def livery(kind: str, *, lamps: bool) -> Livery:
    """Return the textures of a kind of vehicle; with ``lamps`` its head and tail lamps are on."""
    body = BODIES[kind]
    shell = _shell(body)
    painter = Painter()
    painter.grey(shell.up < (0.42 if kind == "bus" else 0.36), 0.015, 0.6)
    if kind == "bus":
        _bus(painter, body, shell)
    else:
        _seams(painter, body, shell, kind)
        _windows(painter, body, shell, kind)
    _lamps(painter, body, shell, kind, lamps=lamps)
    _front(painter, body, shell, kind)
    if kind in _CARS:
        _trim(painter, body, shell)
    _arches(painter, body, shell)
    return Livery(*(v.swapaxes(0, 1) for v in (painter.colour, painter.finish, painter.glow, painter.paint)))


def _shell(body: Body) -> Shell:
    rail = bodies.rails(body)
    places = np.linspace(0, len(rail.along) - 1, WIDE)
    dense = bodies.Rails(*(np.interp(places, np.arange(len(v)), v) for v in rail))
    t = (np.arange(HIGH) + 0.5) / HIGH
    out, up = bodies.surface(body, dense, t)
    wide = np.ones((1, HIGH))
    along = dense.along[:, None] * wide
    line = bodies.belt(body, dense.along)[:, None] * wide
    roof, half = dense.roof[:, None] * wide, dense.half[:, None] * wide
    side = (t < 0.6)[None] & np.ones((WIDE, 1), bool)
    return Shell(along, out, up, roof, half, line, side, along > 0, np.ones((WIDE, 1)) * t)


def _near(values: Floats, at: Floats | float, within: float) -> NDArray:
    return np.abs(values - at) < within


def _between(values: Floats, low: Floats | float, high: Floats | float) -> NDArray:
    return (values > low) & (values < high)


def _seams(painter: Painter, body: Body, shell: Shell, kind: str) -> None:
    """Paint the gaps around doors and bonnet, and the handles."""
    s, y, z, side = shell.along, shell.out, shell.up, shell.side
    for at in (*body.pillars[:2], body.side_windows[1] - 0.02):
        painter.grey(_near(s, at, 0.012) & side & _between(z, 0.38, shell.roof - 0.2), 0.01, 0.7)
    painter.grey(_near(z, 0.4, 0.012) & side & _between(s, body.pillars[-1], body.side_windows[1]), 0.01, 0.7)
    handles = (0.6,) if kind == "van" else (body.pillars[0] + 0.12, body.pillars[0] - 0.75)
    for at in handles:
        painter.grey(_near(s, at, 0.1) & _near(z, shell.belt - 0.1, 0.018) & side, 0.03, 0.3)
    rear_of_bonnet = _near(s, body.windscreen[1] + 0.06, 0.012)
    edge_of_bonnet = (
        _near(y, shell.half * 0.86, 0.012) & (s > body.windscreen[1] + 0.05) & (z < shell.belt + 0.05)
    )
    painter.grey((rear_of_bonnet | edge_of_bonnet) & ~side, 0.01, 0.7)


def _windows(painter: Painter, body: Body, shell: Shell, kind: str) -> None:
    s, y, z, side = shell.along, shell.out, shell.up, shell.side
    begin, end = body.side_windows
    leaning = begin + (z - shell.belt) * 0.35
    glass = (
        side & _between(z, shell.belt + 0.035, shell.roof - body.shoulder * 0.95) & _between(s, leaning, end)
    )
    frame = side & _between(z, shell.belt + 0.005, shell.belt + 0.04) & _between(s, begin - 0.05, end + 0.05)
    if kind in _CARS:
        painter.grey(frame, 0.01, 0.4)
    painter.put(glass, _GLASS, 0.03)
    for at in body.pillars:
        painter.grey(glass & _near(s, at, 0.045), 0.012, 0.35)
    screen = ~side & _between(s, *body.windscreen)
    painter.put(screen & (y < shell.half * 0.97), _GLASS, 0.03)
    painter.put(~side & _between(s, *body.rear_window) & (y < shell.half * 0.82), _GLASS, 0.04)
    if kind == "van":
        tail = body.length / 2
        painter.grey(~shell.nose & (s < -tail + 0.02) & (y < 0.012), 0.01, 0.6)
        painter.put(
            ~shell.nose & (s < -tail + 0.08) & _between(z, 1.2, 1.72) & _between(y, 0.06, 0.72), _GLASS, 0.05
        )
        painter.grey(side & _near(z, 0.72, 0.05) & (s < begin), 0.02, 0.6)


def _bus(painter: Painter, body: Body, shell: Shell) -> None:
    s, y, z, side = shell.along, shell.out, shell.up, shell.side
    end = body.length / 2
    glass = side & _between(z, 1.3, 2.5) & (np.abs(s) < 5.5)
    painter.put(glass, _GLASS, 0.03)
    for at in body.pillars:
        painter.grey(glass & _near(s, at, 0.05), 0.012, 0.35)
    front, rear = shell.nose & (s > end - 0.35), ~shell.nose & (s < -end + 0.3)
    painter.put(front & _between(z, 1.15, 2.55) & (y < 1.15), _GLASS, 0.03)
    painter.put(front & _between(z, 2.6, 2.85) & (y < 0.9), (0.02, 0.012, 0.0), 0.2)
    painter.glow[front & _between(z, 2.66, 2.8) & (y < 0.6)] = (1.0, 0.45, 0.05)
    painter.put(rear & _between(z, 1.5, 2.45) & (y < 1.05), _GLASS, 0.03)
    for at in (4.7, 0.7):
        door = side & _between(z, 0.45, 2.5)
        painter.put(door & _near(s, at, 0.6), _GLASS, 0.08)
        painter.grey(door & (_near(s, at, 0.02) | _near(np.abs(s - at), 0.6, 0.03)), 0.2, 0.4)


def _lamps(painter: Painter, body: Body, shell: Shell, kind: str, *, lamps: bool) -> None:
    s, y, z = shell.along, shell.out, shell.up
    end, wide = body.length / 2, body.width / 2
    head = (
        shell.nose
        & (s > end - (0.12 if kind == "bus" else 0.38))
        & _between(z, *body.head_lamps)
        & (y > wide * 0.58)
    )
    painter.put(head, (0.75, 0.77, 0.8), 0.06, 0.6, glow=(9.0, 8.5, 7.5) if lamps else None)
    deep = 0.12 if kind in ("bus", "van") else 0.28
    tail = ~shell.nose & (s < -end + deep) & _between(z, *body.tail_lamps) & (y > wide * 0.66)
    painter.put(tail, (0.4, 0.008, 0.006), 0.1, glow=(3.0, 0.05, 0.02) if lamps else (0.12, 0.0, 0.0))
    if kind in _CARS:
        reversing = tail & _near(z, sum(body.tail_lamps) / 2, 0.03)
        painter.put(reversing, (0.8, 0.78, 0.75), 0.1)
        painter.grey(head & _near(y, wide * 0.58 + 0.12, 0.07), 0.085, 0.05, 0.3)


def _front(painter: Painter, body: Body, shell: Shell, kind: str) -> None:
    """Paint the grille, and number plates at both ends."""
    s, y, z = shell.along, shell.out, shell.up
    end, wide = body.length / 2, body.width / 2
    low, high = body.grille
    grille = shell.nose & (s > end - 0.12) & (y < wide * 0.53)
    painter.grey(grille & _between(z, low, high), 0.012, 0.5)
    bars = (z * 60).astype(int) % 2 == 0
    if kind in _CARS:
        painter.grey(grille & _between(z, low + 0.01, high - 0.01) & bars, 0.06, 0.3, 0.6)
        painter.grey(shell.nose & (s > end - 0.16) & _near(z, high + 0.03, 0.02) & (y < 0.35), 0.4, 0.2, 1.0)
    for where, at in ((shell.nose, low + 0.06), (~shell.nose, 0.75 if kind == "van" else 0.62)):
        plate = where & (np.abs(s) > end - 0.1) & (y < 0.26) & _near(z, at, 0.058)
        painter.put(plate, (0.8, 0.8, 0.78), 0.4)
        letters = _near(z, at, 0.035) & ((y * 40).astype(int) % 3 != 0) & (y < 0.22)
        painter.grey(plate & letters, 0.02, 0.4)


def _trim(painter: Painter, body: Body, shell: Shell) -> None:
    """Paint what makes a car of a shell: bumpers, seats behind the glass, wipers, fog lamps."""
    s, y, z, side = shell.along, shell.out, shell.up, shell.side
    end, wide = body.length / 2, body.width / 2
    tail, nose = ~shell.nose & (s < -end + 0.35), shell.nose & (s > end - 0.3)
    bumper = body.tail_lamps[0] - 0.16
    painter.grey(tail & _near(z, bumper - 0.11, 0.01) & (y < wide * 0.95), 0.008, 0.7)
    painter.grey(tail & (z < 0.45) & (y < wide * 0.8), 0.02, 0.6)
    hatch = tail & _near(y, wide * 0.64, 0.01) & _between(z, bumper - 0.1, shell.belt + 0.25)
    painter.grey(hatch, 0.008, 0.7)
    painter.grey(tail & _near(z, bumper + 0.1, 0.02) & (y < 0.3), 0.5, 0.2, 1.0)
    painter.put(tail & _near(z, 0.46, 0.03) & _near(y, wide * 0.7, 0.1), (0.3, 0.01, 0.01), 0.2)
    middle = sum(body.rear_window) / 2
    rests = ~side & _near(y, 0.38, 0.13) & _near(s, middle + 0.03, 0.12)
    painter.grey(rests & (y < shell.half * 0.82), 0.035, 0.06)
    front, back = body.windscreen[1], body.windscreen[0]
    seats = ~side & _near(y, 0.38, 0.15) & _near(s, back * 0.62 + front * 0.38, 0.13)
    painter.grey(seats, 0.03, 0.05)
    wipers = ~side & _near(y, 0.4, 0.35) & _near(s, front - 0.06, 0.012)
    painter.grey(wipers, 0.005, 0.6)
    fog = nose & _near(z, 0.4, 0.06) & _near(y, wide * 0.72, 0.12)
    painter.grey(fog, 0.01, 0.4)
    painter.grey(fog & _near(y, wide * 0.72, 0.05) & _near(z, 0.4, 0.04), 0.7, 0.1)
    third = ~side & _near(s, body.rear_window[1] + 0.03, 0.02) & (y < 0.25)
    painter.put(third, (0.25, 0.01, 0.01), 0.2)


def _arches(painter: Painter, body: Body, shell: Shell) -> None:
    """Blacken the wheel arches, and cut out where the wheels stand."""
    for axle in body.axles:
        away = np.hypot(shell.along - axle, shell.up - body.wheel)
        arch = shell.side & (away < body.wheel + 0.12) & (shell.up < body.wheel * 2 + 0.2)
        painter.grey(arch, 0.012, 0.7)
        painter.finish[shell.side & (away < body.wheel + 0.07), 2] = 0.0
