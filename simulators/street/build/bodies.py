"""The shapes of vehicles: a shell lofted along a side profile, and where its parts are. No Blender here.

A shell is symmetric. A point of its half has ``u`` along the profile (tail to nose over the roof) and
``t`` from the sill (0) over the shoulder (0.6) to the middle of the roof (1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STATIONS, CAPS = 190, 10


class Body(NamedTuple):
    """A kind of vehicle in metres; along goes from the tail (-) to the nose (+)."""

    length: float
    width: float
    #: Upper outline as (along, height).
    top: tuple[tuple[float, float], ...]
    #: Where the windscreen, the rear window and the side windows begin and end.
    windscreen: tuple[float, float]
    rear_window: tuple[float, float]
    side_windows: tuple[float, float]
    pillars: tuple[float, ...]
    axles: tuple[float, float]
    wheel: float
    shoulder: float
    #: Exponent of the outline seen from above: the higher, the squarer.
    square: float
    #: Height of the belt line at tail and nose.
    belt: tuple[float, float]
    #: Heights of head lamps, tail lamps and grille.
    head_lamps: tuple[float, float]
    tail_lamps: tuple[float, float]
    grille: tuple[float, float]
    tumblehome: float = 0.3
    sill: float = 0.26


BODIES = {
    "hatch": Body(
        4.1, 1.79,
        ((-2.05, .5), (-2.04, .72), (-1.98, .98), (-1.62, 1.4), (-1.35, 1.46), (-.6, 1.5), (.1, 1.48),
         (.42, 1.42), (1.12, 1.), (1.3, .95), (1.85, .8), (2., .68), (2.05, .5)),
        (.38, 1.2), (-1.98, -1.5), (-1.62, 1.12), (-.18, -1.12), (-1.25, 1.27), .31, .16, 6.5, (.98, .9),
        (.62, .79), (.78, 1.02), (.38, .56),
    ),
    "sedan": Body(
        4.6, 1.82,
        ((-2.3, .5), (-2.29, .8), (-2.2, 1.03), (-1.6, 1.07), (-.95, 1.38), (-.5, 1.45), (.1, 1.45),
         (.42, 1.39), (1.15, .98), (1.35, .94), (2.05, .8), (2.25, .68), (2.3, .5)),
        (.38, 1.22), (-1.55, -.85), (-1.3, 1.15), (-.2, -1.02), (-1.38, 1.4), .32, .15, 7., (.98, .9),
        (.62, .78), (.78, .95), (.4, .62),
    ),
    "suv": Body(
        4.45, 1.87,
        ((-2.22, .5), (-2.21, .8), (-2.15, 1.1), (-1.9, 1.55), (-1.6, 1.64), (-.6, 1.68), (.1, 1.66),
         (.4, 1.6), (1.05, 1.14), (1.3, 1.08), (1.95, .96), (2.15, .82), (2.22, .5)),
        (.38, 1.12), (-2.15, -1.78), (-1.8, 1.05), (-.2, -1.15), (-1.32, 1.35), .35, .16, 7., (1.1, 1.04),
        (.74, .92), (.85, 1.15), (.5, .78),
    ),
    "van": Body(
        4.9, 1.92,
        ((-2.45, .45), (-2.44, 1.55), (-2.36, 1.85), (-2., 1.95), (.55, 1.96), (.85, 1.88), (1.65, 1.18),
         (1.8, 1.1), (2.25, .95), (2.4, .78), (2.45, .5)),
        (.8, 1.72), (-9., -9.), (-2.2, 1.62), (.55, -.75), (-1.5, 1.55), .34, .18, 10., (1.16, 1.08),
        (.7, .92), (.8, 1.2), (.44, .68), tumblehome=.16,
    ),
    "bus": Body(
        11.6, 2.5,
        ((-5.8, .4), (-5.79, 2.75), (-5.65, 2.95), (-5.2, 3.), (5.2, 3.), (5.6, 2.92), (5.74, 2.7),
         (5.79, 1.2), (5.8, .4)),
        (5.5, 5.79), (-5.8, -5.72), (-5.5, 5.55), (-4.2, -2.8, -1.4, 0., 1.4, 2.8, 4.2), (-3., 3.), .48, .25,
        26., (1.25, 1.25), (.55, .8), (.75, 1.25), (.4, .5), tumblehome=.03, sill=.3,
    ),
}  # fmt: skip


class Rails(NamedTuple):
    """Along the shell: position, roof, half width, sill, and how far a cap reaches out (0..1)."""

    along: Floats
    roof: Floats
    half: Floats
    sill: Floats
    reach: Floats


def rails(body: Body) -> Rails:
    """Return the outlines of a body, a value for each station, with flat caps at tail and nose."""
    half_length = body.length / 2
    fine = np.linspace(-half_length, half_length, 4001)
    roof = _smoothed(np.interp(fine, *np.array(body.top).T), (fine[1] - fine[0]) / 0.035)
    inside = np.minimum(1.0, np.abs(fine / (half_length + 0.002))) ** body.square
    half = body.width / 2 * (1 - inside) ** (1 / body.square)
    sill = body.sill + 0.1 * np.clip((np.abs(fine) - half_length + 0.5) / 0.5, 0, 1) ** 2
    path = np.cumsum(np.sqrt(np.gradient(fine) ** 2 + np.gradient(roof) ** 2 + np.gradient(half) ** 2))
    path = (path - path[0]) / (path[-1] - path[0])
    along = np.interp(np.linspace(0, 1, STATIONS), path, fine)
    along[0], along[-1] = -half_length, half_length
    cap = np.linspace(0, 1, CAPS + 1)[:-1]
    reach = np.concatenate([cap, np.ones(STATIONS), cap[::-1]])
    return Rails(
        *(_capped(v) for v in (along, *(np.interp(along, fine, v) for v in (roof, half, sill)))), reach
    )


def _smoothed(values: Floats, step: float) -> Floats:
    kernel = np.exp(-0.5 * (np.arange(-60, 61) * step) ** 2)
    return np.convolve(np.pad(values, 60, "edge"), kernel / kernel.sum(), "valid")


def _capped(values: Floats) -> Floats:
    return np.concatenate([np.full(CAPS, values[0]), values, np.full(CAPS, values[-1])])


def belt(body: Body, along: Floats) -> Floats:
    """Return the height of the belt line."""
    return np.interp(along, [-body.length / 2, body.length / 2], body.belt)


def surface(body: Body, rail: Rails, t: Floats) -> tuple[Floats, Floats]:
    """Return how far out and how high the shell is: arrays of stations by ``t``."""
    along, roof, half, sill, reach = (v[:, None] for v in rail)
    corner = np.minimum(body.shoulder, (roof - sill) * 0.45)
    edge, line = roof - corner, belt(body, along)

    def out(z: Floats) -> Floats:
        tuck = 0.05 * np.clip((0.62 - z) / 0.4, 0, 1) ** 2
        leaning = half * (1 - tuck) - body.tumblehome * np.clip(z - line, 0, None)
        return leaning + _creases(z, line) if body.tumblehome > 0.2 else leaning

    low = sill + (edge - sill) * np.clip(t / 0.6, 0, 1)
    turn = np.clip((t - 0.6) / 0.4, 0, 1) * np.pi / 2
    side = t < 0.6
    sharp = 2 / 3.2
    y = np.where(side, out(low), out(edge) * np.cos(turn) ** sharp)
    z = np.where(side, low, edge + corner * np.sin(turn) ** sharp)
    return np.maximum(y, 0) * reach, z


def _creases(z: Floats, line: Floats) -> Floats:
    """Return the relief that pressed steel has, in metres outwards."""

    def ridge(at: Floats | float, wide: float, out: float) -> Floats:
        return out * np.exp(-(((z - at) / wide) ** 2))

    return (
        ridge(line - 0.02, 0.03, -0.014)
        + ridge(line - 0.12, 0.05, 0.018)
        + ridge(line - 0.3, 0.1, -0.022)
        + ridge(0.42, 0.06, 0.01)
    )
