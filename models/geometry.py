"""Boxes and polygons: pure functions, all in the same units (mostly 0..1 of the picture)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Point: TypeAlias = tuple[float, float]


def areas(boxes: Floats) -> Floats:
    """Return the areas (N,) of boxes (N, 4) as x1, y1, x2, y2; an inverted box has none."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return sides[:, 0] * sides[:, 1]  # type: ignore[no-any-return]


def overlaps(a: Floats, b: Floats) -> Floats:
    """Return the shared areas (N, M) of boxes (N, 4) with boxes (M, 4)."""
    width = np.minimum(a[:, None, 2], b[:, 2])
    width -= np.maximum(a[:, None, 0], b[:, 0])
    height = np.minimum(a[:, None, 3], b[:, 3])
    height -= np.maximum(a[:, None, 1], b[:, 1])
    np.maximum(width, 0, out=width)
    np.maximum(height, 0, out=height)
    width *= height
    return width


def iou_matrix(a: Floats, b: Floats) -> Floats:
    """Return intersection over union (N, M) of boxes (N, 4) with boxes (M, 4); 0 where both are empty."""
    shared = overlaps(a, b)
    union = areas(a)[:, None] + areas(b)
    union -= shared
    # The floor keeps 0/0 of two empty boxes at 0; no box of a picture is that small.
    np.maximum(union, 1e-12, out=union)
    shared /= union
    return shared


def in_polygon(points: NDArray[np.floating], polygon: Sequence[Point]) -> NDArray[np.bool_]:
    """Return which of points (N, 2) lie inside the polygon (even-odd rule)."""
    corners = np.asarray(polygon, dtype=np.float64)
    following = np.roll(corners, -1, axis=0)
    x, y = points[:, 0, None], points[:, 1, None]
    crosses = (corners[:, 1] > y) != (following[:, 1] > y)
    rise = following[:, 1] - corners[:, 1]
    # A level edge never crosses; any divisor will do for it.
    slope = (following[:, 0] - corners[:, 0]) / np.where(rise == 0, 1.0, rise)
    left = x < corners[:, 0] + (y - corners[:, 1]) * slope
    return np.asarray((crosses & left).sum(axis=1) % 2 == 1)


def encloses(polygon: Sequence[Point], point: Point) -> bool:
    """Say what `in_polygon` says of one point, without arrays: faster up to some dozens of points."""
    x, y = point
    inside = False
    x1, y1 = polygon[-1]
    for x2, y2 in polygon:
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
        x1, y1 = x2, y2
    return inside


def polygon_problem(polygon: Sequence[Point]) -> str | None:
    """Say what is wrong with a polygon in 0..1, or None: too few points, outside, crossing itself."""
    if len(polygon) < 3:
        return f"a polygon needs at least 3 points, this one has {len(polygon)}"
    for number, (x, y) in enumerate(polygon, 1):
        if not (0 <= x <= 1 and 0 <= y <= 1):
            return f"point {number} ({x:g}, {y:g}) lies outside 0..1 of the picture"
    edges = list(zip(polygon, [*polygon[1:], polygon[0]], strict=True))
    for number, (start, end) in enumerate(edges, 1):
        if start == end:
            return f"points {number} and {number % len(polygon) + 1} are the same"
    for i, first in enumerate(edges):
        for j in range(i + 1, len(edges)):
            neighbours = j == i + 1 or (i == 0 and j == len(edges) - 1)
            if _doubles_back(first, edges[j]) if neighbours else _touch(first, edges[j]):
                return f"the polygon crosses itself: edge {i + 1} meets edge {j + 1}"
    return None


Edge: TypeAlias = tuple[Point, Point]


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _between(a: Point, b: Point, c: Point) -> bool:
    """Tell whether ``c``, known to lie on the line through a and b, lies between them."""
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def _touch(first: Edge, second: Edge) -> bool:
    (a, b), (c, d) = first, second
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(turn == 0 and _between(*end) for turn, end in zip(turns, ends, strict=True))


def _doubles_back(first: Edge, second: Edge) -> bool:
    """Tell whether two edges that share a point run back over each other."""
    shared = first[1] if first[1] == second[0] else first[0]
    a, b = (end for edge in (first, second) for end in edge if end != shared)
    return _turn(shared, a, b) == 0 and (
        (a[0] - shared[0]) * (b[0] - shared[0]) + (a[1] - shared[1]) * (b[1] - shared[1]) > 0
    )
