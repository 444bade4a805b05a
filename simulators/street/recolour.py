"""Give a vehicle another paint.

Bodies are rendered in one grey. A pixel of paint is taken for light scattered by the paint, which
follows its colour, and light mirrored by the clear coat, which does not.
"""

from __future__ import annotations

import numpy as np

from lamppost.simulators.street.names import COLOURS
from lamppost.simulators.street.renders import Floats, Image, Sprite

#: Linear grey of the rendered paint: build/livery.py has the same.
_RENDERED = 0.45
#: Above this a pixel mirrors a light; at least this share of the light is mirrored anywhere.
_HIGHLIGHT = 0.75
_MIRRORED = 0.05


def painted(sprite: Sprite, colour: str) -> Image:
    """Return how the vehicle looks in a colour: blue, green, red, opacity."""
    paint = np.array(COLOURS[colour][::-1], np.float32)
    seen = _linear(sprite.look[..., :3].astype(np.float32) / np.float32(255))
    mirrored = np.maximum(seen - _HIGHLIGHT, 0) + _MIRRORED * seen
    scattered = (seen - mirrored) * (paint / _RENDERED)
    share = (sprite.paint.astype(np.float32) / 255)[..., None]
    mixed = seen + (np.minimum(scattered + mirrored, 1.0) - seen) * share
    look = sprite.look.copy()
    look[..., :3] = (_shown(mixed) * 255).round().astype(np.uint8)
    return look


def _linear(values: Floats) -> Floats:
    return np.power(values, 2.2, dtype=np.float32)


def _shown(values: Floats) -> Floats:
    return np.power(np.clip(values, 0, 1), 1 / 2.2, dtype=np.float32)
