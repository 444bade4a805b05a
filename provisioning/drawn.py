"""Draws the zones and lines of a camera on its picture, with their names, for a person to check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

Points = Sequence[tuple[float, float]]

#: Blue, green, red. To be told apart by day and by night, and by most people who see fewer colours.
COLOURS = ((0, 200, 255), (255, 180, 60), (120, 240, 120), (230, 130, 255), (255, 255, 120), (90, 140, 255))
_DARK = (20, 20, 20)
_WHITE = (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SHADE = 0.22
_ARROW = 0.06


def drawn(image: Any, zones: Mapping[str, Points], lines: Mapping[str, Points]) -> tuple[Any, dict[str, str]]:
    """Return a copy of a picture with places on it, and what the labels stand for that are not the names.

    An arrow shows the direction ``forward`` across a line. Names beyond ASCII are numbered: OpenCV's letters
    have no others.
    """
    picture = image.copy()
    legend: dict[str, str] = {}
    labels: list[tuple[str, Any, tuple[int, int, int]]] = []
    for number, (kind, name, points) in enumerate(
        [*(("zone", *one) for one in zones.items()), *(("line", *one) for one in lines.items())], 1
    ):
        colour = COLOURS[(number - 1) % len(COLOURS)]
        pixels = _pixels(points, picture)
        label = name
        if not (name.isascii() and name.isprintable()):
            label = f"{kind} {number}"
            legend[label] = name
        if kind == "zone":
            _zone(picture, pixels, colour)
        else:
            _line(picture, pixels, colour)
        labels.append((label, pixels, colour))
    taken: list[tuple[int, int, int, int]] = []
    for label, pixels, colour in labels:
        _label(picture, label, pixels, colour, taken)
    return picture, legend


def _pixels(points: Points, picture: Any) -> Any:
    height, width = picture.shape[:2]
    return np.rint(np.array(points, np.float64) * (width - 1, height - 1)).astype(np.int32)


def _thick(picture: Any) -> int:
    return max(1, round(int(picture.shape[1]) / 400))


def _zone(picture: Any, pixels: Any, colour: tuple[int, int, int]) -> None:
    shade = picture.copy()
    cv2.fillPoly(shade, [pixels], colour)
    cv2.addWeighted(shade, _SHADE, picture, 1 - _SHADE, 0, dst=picture)
    thick = _thick(picture)
    for tone, wide in ((_DARK, thick + 2), (colour, thick)):
        cv2.polylines(picture, [pixels], isClosed=True, color=tone, thickness=wide, lineType=cv2.LINE_AA)


def _line(picture: Any, pixels: Any, colour: tuple[int, int, int]) -> None:
    """Draw a line, its first point as a dot, and the way across it that counts as forward."""
    thick = _thick(picture)
    first, last = pixels
    along = (last - first).astype(np.float64)
    right = np.array([-along[1], along[0]]) / max(1.0, float(np.hypot(*along)))
    half = right * _ARROW / 2 * picture.shape[1]
    tail, tip = (np.rint((first + last) / 2 + way).astype(int).tolist() for way in (-half, half))
    for tone, wide in ((_DARK, thick + 2), (colour, thick)):
        cv2.line(picture, first.tolist(), last.tolist(), tone, wide, cv2.LINE_AA)
        cv2.circle(picture, first.tolist(), 2 * thick + wide - thick, tone, -1, cv2.LINE_AA)
        cv2.arrowedLine(picture, tail, tip, tone, wide, cv2.LINE_AA, 0, 0.35)


def _label(
    picture: Any, text: str, pixels: Any, colour: tuple[int, int, int], taken: list[tuple[int, int, int, int]]
) -> None:
    """Write a name on a dark ground at the highest point, where no other name is and inside the picture."""
    height, width = picture.shape[:2]
    scale = min(2.0, max(0.45, width / 1300))
    thick = max(1, round(2 * scale))
    (wide, high), below = cv2.getTextSize(text, _FONT, scale, thick)
    pad = max(3, high // 3)
    box_wide, box_high = wide + 2 * pad, high + below + 2 * pad
    at_x, at_y = (int(value) for value in pixels[pixels[:, 1].argmin()])
    x = max(0, min(at_x, width - box_wide))
    y = max(0, min(at_y - box_high - _thick(picture), height - box_high))
    while y + box_high < height and any(_overlap((x, y, box_wide, box_high), other) for other in taken):
        y += box_high // 2
    taken.append((x, y, box_wide, box_high))
    cv2.rectangle(picture, (x, y), (x + box_wide - 1, y + box_high - 1), _DARK, -1)
    cv2.rectangle(picture, (x, y), (x + pad // 2, y + box_high - 1), colour, -1)
    cv2.putText(picture, text, (x + pad, y + pad + high), _FONT, scale, _WHITE, thick, cv2.LINE_AA)


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )
