"""Decoders and suppression: exact boxes from made-up outputs, through real ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest
from modelling import LABELS, places, plain_boxes, plain_suppressed, toy

from lamppost.models.decode import MOST
from lamppost.models.detector import load_detector

SIZE = (64, 96)
WIDTHS = {"nanodet": 44, "nanodet-plus": 32, "yolox": 5}
BLACK = np.zeros((64, 96, 3), np.uint8)


def nothing(decoder: str) -> tuple[np.ndarray, np.ndarray]:
    count = len(places(decoder, SIZE))
    return np.zeros((count, 3), np.float32), np.zeros((count, WIDTHS[decoder]), np.float32)


def place_at(decoder: str, stride: int, column: int, row: int) -> int:
    half = 0.5 if decoder == "nanodet" else 0.0
    return places(decoder, SIZE).index(((column + half) * stride, (row + half) * stride, stride))


def sides(*bins: int, count: int) -> np.ndarray:
    """Return logits that put each side into one bin for sure."""
    logits = np.full((4, count), -40, np.float32)
    logits[range(4), bins] = 40
    return logits.ravel()


@pytest.mark.parametrize(
    ("decoder", "bins", "stride", "middle"),
    [("nanodet", 11, 16, (56, 24)), ("nanodet-plus", 8, 16, (48, 16)), ("nanodet-plus", 8, 64, (64, 0))],
)
def test_distances_from_the_middle_of_a_cell_make_a_box(tmp_path, decoder, bins, stride, middle):
    scores, rest = nothing(decoder)
    place = place_at(decoder, stride, *((3, 1) if stride == 16 else (1, 0)))
    scores[place, 1] = 0.75
    rest[place] = sides(1, 0, 2, 1, count=bins)
    seen = load_detector(toy(tmp_path, decoder, scores, rest, size=SIZE))(BLACK)
    x, y = middle
    expected = [(x - stride) / 96, y / 64, min(1, (x + 2 * stride) / 96), min(1, (y + stride) / 64)]
    np.testing.assert_allclose(seen.boxes, [expected], atol=1e-6)
    assert seen.labels == ("car",)
    assert seen.scores == pytest.approx([0.75])


def test_yolox_box_is_centre_and_exponential_size(tmp_path):
    scores, rest = nothing("yolox")
    place = place_at("yolox", 8, 5, 2)
    scores[place] = [0.1, 0.2, 0.9]
    rest[place] = [0.5, 0.25, np.log(2), np.log(3), 0.8]
    path = toy(tmp_path, "yolox", scores, rest, size=SIZE, pad=114, fit="top-left")
    seen = load_detector(path)(BLACK)
    # Centre (44, 18), 16 x 24 pixels.
    np.testing.assert_allclose(seen.boxes, [[36 / 96, 6 / 64, 52 / 96, 30 / 64]], atol=1e-6)
    assert seen.labels == ("truck",)
    assert seen.scores == pytest.approx([0.72])


@pytest.mark.parametrize("decoder", list(WIDTHS))
@pytest.mark.parametrize("grouped", [False, True])
def test_random_outputs_give_what_the_plainest_code_gives(tmp_path, decoder, grouped):
    numbers = np.random.default_rng(11)
    scores, rest = nothing(decoder)
    scores[:] = np.round(numbers.uniform(0, 1, scores.shape) ** 2, 4)
    rest[:] = numbers.normal(0, 1.5, rest.shape)
    if decoder == "yolox":
        rest[:, 4] = numbers.uniform(0, 1, len(rest))
    groups = [("car", "truck")] if grouped else []
    path = toy(tmp_path, decoder, scores, rest, size=SIZE, score=0.5, nms_iou=0.4, one_thing=groups)
    seen = load_detector(path)(BLACK)

    expected = plain_suppressed(plain_boxes(decoder, scores, rest, SIZE, 0.5), 0.4)
    if grouped:
        expected = plain_suppressed(expected, 0.4, lambda kind: min(kind, 1))
    limits = np.array([96, 64, 96, 64])
    boxes = np.clip(np.array([box for _, _, box in expected]) / limits, 0, 1)
    inside = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    assert inside.sum() > 5
    np.testing.assert_allclose(seen.boxes, boxes[inside], atol=1e-4)
    np.testing.assert_allclose(seen.scores, np.array([s for s, _, _ in expected])[inside], atol=1e-6)
    assert seen.labels == tuple(LABELS[k] for (_, k, _), i in zip(expected, inside, strict=True) if i)


def test_one_thing_with_two_labels_is_told_once_only_where_labels_are_one_group(tmp_path):
    scores, rest = nothing("nanodet")
    place = place_at("nanodet", 32, 1, 0)
    scores[place] = [0.4, 0.8, 0.6]
    rest[place] = sides(1, 0, 1, 1, count=11)
    apart = load_detector(toy(tmp_path, "nanodet", scores, rest, size=SIZE))(BLACK)
    assert apart.labels == ("car", "truck", "person")
    groups = [("car", "truck")]
    together = load_detector(toy(tmp_path, "nanodet", scores, rest, size=SIZE, one_thing=groups))(BLACK)
    assert together.labels == ("car", "person")


def test_an_empty_street_gives_empty_arrays_of_the_right_shape(tmp_path):
    for decoder in WIDTHS:
        seen = load_detector(toy(tmp_path, decoder, *nothing(decoder), size=SIZE))(BLACK)
        assert seen.boxes.shape == (0, 4)
        assert seen.boxes.dtype == seen.scores.dtype == np.float32
        assert seen.labels == ()


def test_a_picture_that_lights_up_everywhere_gives_a_bounded_number_of_boxes(tmp_path):
    size = (320, 320)
    for decoder, width in WIDTHS.items():
        count = len(places(decoder, size))
        rest = np.random.default_rng(0).normal(0, 3, (count, width)).astype(np.float32)
        if decoder == "yolox":
            rest[:, 4] = 1
        scores = np.ones((count, 3), np.float32)
        seen = load_detector(toy(tmp_path, decoder, scores, rest, size=size))(BLACK)
        assert 0 < len(seen.labels) <= MOST
