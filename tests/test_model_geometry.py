"""Boxes and polygons, against the plainest code and known cases."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelling import plain_iou

from lamppost.models.geometry import encloses, in_polygon, iou_matrix, polygon_problem

SQUARE = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]
side = st.floats(0, 1, width=32)
boxes = st.lists(st.tuples(side, side, side, side), max_size=6).map(
    lambda many: [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in many]
)


@given(boxes, boxes)
def test_iou_is_what_the_plainest_code_gives(first, second):
    found = iou_matrix(
        np.array(first, np.float32).reshape(-1, 4), np.array(second, np.float32).reshape(-1, 4)
    )
    assert found.shape == (len(first), len(second))
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            if min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) > 1e-6:
                assert found[i, j] == pytest.approx(plain_iou(a, b), abs=1e-3)
    assert ((found >= 0) & (found <= 1.00001)).all()


@pytest.mark.parametrize(
    ("point", "inside"),
    [((0.5, 0.5), True), ((0.1, 0.5), False), ((0.5, 0.9), False), ((0.79, 0.21), True), ((0.5, 0.1), False)],
)
def test_a_point_is_in_a_square_or_not(point, inside):
    assert in_polygon(np.array([point]), SQUARE).tolist() == [inside]
    assert encloses(SQUARE, point) == inside
    assert in_polygon(np.array([point]), SQUARE[::-1]).tolist() == [inside]


def test_a_notch_is_outside():
    arrow = [(0.1, 0.1), (0.5, 0.5), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)]
    points = np.array([(0.5, 0.3), (0.5, 0.7), (0.2, 0.3), (0.8, 0.3)])
    assert in_polygon(points, arrow).tolist() == [False, True, True, True]
    assert [encloses(arrow, point) for point in points.tolist()] == [False, True, True, True]
    assert in_polygon(np.zeros((0, 2)), arrow).tolist() == []


@given(st.floats(0, 1), st.floats(0, 1))
def test_tiles_that_share_an_edge_own_each_point_once(x, y):
    left = [(-0.1, -0.1), (0.5, -0.1), (0.5, 1.1), (-0.1, 1.1)]
    right = [(0.5, -0.1), (1.1, -0.1), (1.1, 1.1), (0.5, 1.1)]
    point = np.array([(x, y)])
    assert bool(in_polygon(point, left)[0]) != bool(in_polygon(point, right)[0])


@pytest.mark.parametrize(
    ("polygon", "said"),
    [
        (SQUARE, None),
        ([(0, 0), (1, 0), (1, 1)], None),
        ([(0.1, 0.1), (0.5, 0.5), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)], None),
        ([(0.2, 0.2), (0.5, 0.2), (0.8, 0.2), (0.5, 0.8)], None),  # a point on a straight edge
        (SQUARE[:2], "at least 3 points, this one has 2"),
        ([(0, 0), (1.2, 0), (1, 1)], r"point 2 \(1.2, 0\) lies outside"),
        ([(0, 0), (1, 0), (float("nan"), 1)], "point 3 .* lies outside"),
        ([(0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)], "edge 1 meets edge 3"),
        ([(0.2, 0.2), (0.2, 0.2), (0.8, 0.8), (0.1, 0.9)], "points 1 and 2 are the same"),
        ([(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.2)], "points 4 and 1 are the same"),
        ([(0.2, 0.2), (0.8, 0.2), (0.5, 0.2)], "crosses itself"),
        ([(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.5, 0.2), (0.2, 0.8)], "crosses itself"),  # touches an edge
    ],
)
def test_a_polygon_is_sound_or_says_why_not(polygon, said):
    problem = polygon_problem(polygon)
    if said is None:
        assert problem is None
    else:
        assert problem is not None
        assert re.search(said, problem)
