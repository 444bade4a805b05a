"""Read the rendered pictures of one view in one light."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.simulators.street.projection import View, folder
from lamppost.simulators.street.projection import view as view_of

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

#: Coding of the grey maps, as build/pack.py writes them.
HEIGHT_STEP_M, HEIGHT_ZERO = 0.00025, 2000
BODY_STEP_M, BODY_ZERO = 0.005, 20


class Sprite(NamedTuple):
    """One vehicle as rendered in one place. Heights are in metres above level 0 of the street."""

    kind: str
    lane: str
    x: float
    y: float
    foot: float
    #: Where its pictures begin in the whole picture.
    left: int
    top: int
    #: Blue, green, red, opacity.
    look: Image
    #: How much of its own paint a pixel shows, 0..255.
    paint: Image
    #: Half size: how much light the ground keeps (255: all), and height above ``foot``.
    shade: Image
    body: Image


class Assets(NamedTuple):
    """All pictures of one view in one light; ``height`` in metres above level 0, per pixel."""

    view: View
    dry: Image
    wet: Image
    water: dict[float, Image]
    height: Floats
    sprites: tuple[Sprite, ...]


def sets() -> list[str]:
    """Return what has been rendered, as VIEW-LIGHT."""
    return sorted(path.parent.name for path in folder().glob("*/set.json"))


@cache
def load(view: str, light: str) -> Assets:
    """Return the pictures of a view in a light; read once. Raises LookupError if there are none."""
    name = f"{view}-{light}"
    if name not in sets():
        raise LookupError(f"no pictures of view {view!r} in light {light!r}; there are: {', '.join(sets())}")
    place = folder() / name
    told = json.loads((place / "set.json").read_text(encoding="utf-8"))
    height = _read(folder() / f"{view}.png", cv2.IMREAD_UNCHANGED).astype(np.float32)
    return Assets(
        view_of(view),
        _read(place / "dry.webp"),
        _read(place / "wet.webp"),
        {mm / 1000: _read(place / f"water-{mm}.webp") for mm in told["water_mm"]},
        (height - HEIGHT_ZERO) * HEIGHT_STEP_M,
        tuple(
            sprite for kind, entries in told["vehicles"].items() for sprite in _sprites(place, kind, entries)
        ),
    )


def _sprites(place: Path, kind: str, entries: list[dict[str, Any]]) -> list[Sprite]:
    looks = _read(place / f"{kind}.webp", cv2.IMREAD_UNCHANGED)
    marks = _read(place / f"{kind}-marks.webp", cv2.IMREAD_GRAYSCALE)
    found = []
    for entry in entries:
        (wide, high), (x, y), (mx, my) = entry["size"], entry["look"], entry["marks"]
        (left, top), half, below = entry["at"], wide // 2, my + high
        found.append(
            Sprite(
                kind,
                entry["lane"],
                entry["x"],
                entry["y"],
                entry["foot"],
                left,
                top,
                look=looks[y : y + high, x : x + wide],
                paint=marks[my:below, mx : mx + wide],
                shade=marks[below : below + high // 2, mx : mx + half],
                body=marks[below : below + high // 2, mx + half : mx + wide],
            )
        )
    return found


def _read(path: Path, how: int = cv2.IMREAD_COLOR) -> Image:
    picture = cv2.imread(str(path), how)
    if picture is None:
        raise LookupError(f"{path}: missing or no picture")
    return picture.astype(np.uint8) if picture.dtype != np.uint16 else picture  # type: ignore[return-value]
