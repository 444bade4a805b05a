"""Zones and lines drawn on the picture: points in 0..1 of its width and height."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any, TypeAlias

Point: TypeAlias = tuple[float, float]

_SHARES = "points are shares of the picture: [x / width, y / height]"


def polygon(value: Any) -> list[Point]:
    """Return the points of a zone. Raises ValueError that says what is wrong with it."""
    points = _points(value, "three points or more: [[x, y], [x, y], [x, y]]")
    if problem := _misplaced(points) or _shapeless(points):
        raise ValueError(problem)
    return points


def line(value: Any) -> list[Point]:
    """Return the two points of a line. Raises ValueError that says what is wrong with it."""
    points = _points(value, "two points: [[x, y], [x, y]]")
    if len(points) != 2:
        what = (
            f"has {len(points)} point{'' if len(points) == 1 else 's'}; a line goes from one point to another"
        )
        raise ValueError(f"{what}: [[x, y], [x, y]]")
    if problem := _misplaced(points):
        raise ValueError(problem)
    if points[0] == points[1]:
        raise ValueError("has no length: it ends where it begins")
    return points


def _points(value: Any, expected: str) -> list[Point]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"is no array of points; expected {expected}")  # noqa: TRY004 - pydantic wants ValueError
    return [_point(point, number) for number, point in enumerate(value, 1)]


def _point(value: Any, number: int) -> Point:
    if not isinstance(value, list | tuple):
        raise ValueError(f"its point {number} is no pair; a point is [x, y], each in brackets of its own")  # noqa: TRY004
    if any(isinstance(part, list | tuple) for part in value):
        raise ValueError(f"its point {number} is an array of points: there is one pair of brackets too many")
    if len(value) != 2:
        count = f"{len(value)} number{'' if len(value) == 1 else 's'}"
        raise ValueError(f"its point {number} has {count}; a point is [x, y]")
    for part in value:
        if isinstance(part, str):
            what = f"its point {number} has a text in it"
            raise ValueError(f"{what}; write numbers from 0 to 1, without quotes")  # noqa: TRY004
        if isinstance(part, bool) or not isinstance(part, int | float) or not math.isfinite(part):
            raise ValueError(f"its point {number} is no pair of numbers; a point is [x, y]")
    return float(value[0]), float(value[1])


def _misplaced(points: Sequence[Point]) -> str | None:
    for number, (x, y) in enumerate(points, 1):
        if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
            if any(max(point) >= 2.0 for point in points):
                return f"is drawn in pixels, as its point {number} at [{x:g}, {y:g}] shows; {_SHARES}"
            return f"has its point {number} at [{x:g}, {y:g}] outside 0..1; {_SHARES}"
    return None


def _shapeless(points: Sequence[Point]) -> str | None:
    count = len(points)
    if count < 3:
        return f"has {count} point{'' if count == 1 else 's'}; a zone needs at least three"
    for number, (x, y) in enumerate(points, 1):
        if (x, y) == points[number % count]:
            return f"has the point [{x:g}, {y:g}] twice in a row; the last is joined to the first by itself"
    if abs(_area(points)) < 1e-6 and all(_turn(points[0], points[1], p) == 0 for p in points):
        return "has no area: its points lie on a line"
    edges = [(a, points[(i + 1) % count]) for i, a in enumerate(points)]
    for (i, (a, b)), (j, (c, d)) in combinations(enumerate(edges), 2):
        neighbours = j == i + 1 or (i == 0 and j == count - 1)
        if not neighbours and _meet(a, b, c, d):
            advice = "name the corners in their order around the zone"
            return f"crosses itself: its sides {i + 1} and {j + 1} meet; {advice}"
    return "has no area" if abs(_area(points)) < 1e-6 else None


def _area(points: Sequence[Point]) -> float:
    pairs = zip(points, [*points[1:], points[0]], strict=True)
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs) / 2


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _within(a: Point, b: Point, c: Point) -> bool:
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Say whether two stretches have a point in common."""
    t1, t2, t3, t4 = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if t1 * t2 < 0 and t3 * t4 < 0:
        return True
    touching = ((t1, a, b, c), (t2, a, b, d), (t3, c, d, a), (t4, c, d, b))
    return any(t == 0 and _within(*points) for t, *points in touching)
