"""Zones drawn on the picture: polygons in 0..1 of its width and height."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]


def checked(points: list[Point]) -> list[Point]:
    """Return the points of a polygon. Raises ValueError that says what is wrong with it."""
    if problem := _problem(points):
        raise ValueError(problem)
    return points


def _problem(points: Sequence[Point]) -> str | None:
    if len(points) < 3:
        return f"has {len(points)} points; a polygon needs at least three"
    for number, (x, y) in enumerate(points, 1):
        if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
            where = f"point {number} at [{x:g}, {y:g}]"
            return f"has its {where} outside 0..1: points are shares of the picture's width and height"
        if (x, y) == points[number % len(points)]:
            return f"has the point [{x:g}, {y:g}] twice in a row; the last is joined to the first by itself"
    edges = [(a, points[(i + 1) % len(points)]) for i, a in enumerate(points)]
    for (i, (a, b)), (j, (c, d)) in combinations(enumerate(edges), 2):
        neighbours = j == i + 1 or (i == 0 and j == len(edges) - 1)
        if not neighbours and _meet(a, b, c, d):
            return f"crosses itself: its sides {i + 1} and {j + 1} meet"
    return "has no area: its points lie on a line" if abs(_area(points)) < 1e-6 else None


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
