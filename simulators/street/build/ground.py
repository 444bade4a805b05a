"""The shape of the ground, in metres: x across the road, y along it (cameras look to +y), z up."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Heights = NDArray[np.float64]

LEFT_KERB, RIGHT_KERB = -3.4, 5.6
CROWN = (LEFT_KERB + RIGHT_KERB) / 2
PAVEMENT = 5.4  # width
KERB = 0.12  # height
NEAR, FAR = -8.0, 110.0


class Shape(NamedTuple):
    """How the carriageway lies: fall to both sides, the lowest place along it, and what has sunk.

    ``dips`` are x, y, how far across and along, how deep; ``bumps`` waves: per metre across and along,
    phase, height.
    """

    camber: float = 0.022
    sag: float = 0.00035
    sag_at: float = 15.0
    dips: tuple[tuple[float, ...], ...] = ((LEFT_KERB, 15.0, 1.5, 7.0, 0.05), (RIGHT_KERB, 9.0, 1.5, 4.0, 0.03))
    bumps: tuple[tuple[float, ...], ...] = ()


#: The one of the simulated street; who renders other streets sets another before building.
shape = Shape()


def _fall(y: Any) -> Heights:
    return shape.sag * np.minimum((np.asarray(y, float) - shape.sag_at) ** 2, 3000.0)


def road(x: Any, y: Any) -> Heights:
    """Return the height of the carriageway."""
    across = np.clip(np.asarray(x, float), LEFT_KERB, RIGHT_KERB)
    along = np.asarray(y, float)
    height = _fall(along) - shape.camber * np.sqrt((across - CROWN) ** 2 + 0.04)
    for per_x, per_y, phase, high in shape.bumps:
        height = height + high * np.sin(per_x * across + per_y * along + phase)
    for at_x, at_y, wide, long, deep in shape.dips:
        height = height - deep * np.exp(
            -0.5 * ((across - at_x) / wide) ** 2 - 0.5 * ((along - at_y) / long) ** 2
        )
    return height


def pavement(y: Any, side: int) -> Heights:
    """Return the height of the pavement on the left (-1) or right (1)."""
    kerb = LEFT_KERB if side < 0 else RIGHT_KERB
    return _fall(y) - shape.camber * abs(kerb - CROWN) + KERB


def surface(x: Any, y: Any) -> Heights:
    """Return the height of whatever the ground is there."""
    across = np.asarray(x, float)
    beside = np.where(across < LEFT_KERB, pavement(y, -1), pavement(y, 1))
    return np.where((across > LEFT_KERB) & (across < RIGHT_KERB), road(x, y), beside)


def lowest() -> float:
    """Return the height at which water begins to stand: level 0."""
    y = np.linspace(0.0, 40.0, 200)
    return float(min(road(LEFT_KERB + 0.05, y).min(), road(RIGHT_KERB - 0.05, y).min()))
