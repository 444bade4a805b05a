"""A segmenter maps the whole picture, and what is none is refused with the reason."""

from __future__ import annotations

import numpy as np
import pytest
from modelling import blue_water, places, put_model, toy
from onnx_writer import model, one_channel

from lamppost.models.detector import load_detector
from lamppost.models.errors import ModelError
from lamppost.models.manifest import find_manifest
from lamppost.models.segmenter import load_segmenter

SIZE = (64, 96)


def test_the_map_is_the_probability_of_each_pixel_times_255(tmp_path):
    segment = load_segmenter(blue_water(tmp_path, size=SIZE))
    picture = np.random.default_rng(1).integers(0, 256, (*SIZE, 3), np.uint8)
    found = segment(picture)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, picture[..., 0])
    assert segment.threshold == 0.5


def test_a_model_that_wants_rgb_gets_it(tmp_path):
    content = one_channel(0, size=SIZE)
    segment = load_segmenter(blue_water(tmp_path, size=SIZE, content=content, colour="rgb"))
    picture = np.random.default_rng(1).integers(0, 256, (*SIZE, 3), np.uint8)
    np.testing.assert_array_equal(segment(picture), picture[..., 2])


@pytest.mark.parametrize("shape", [(360, 640), (1080, 1920), (500, 80), (1, 1), (2000, 1)])
def test_the_whole_picture_is_in_the_map_whatever_its_shape(tmp_path, shape):
    picture = np.zeros((*shape, 3), np.uint8)
    picture[shape[0] // 2 :, :, 0] = 255
    found = load_segmenter(blue_water(tmp_path, size=SIZE))(picture)
    assert found.shape == SIZE
    if shape[0] > 1:
        assert (found[: SIZE[0] // 2 - 2] == 0).all()
        assert (found[SIZE[0] // 2 + 2 :] == 255).all()


def test_a_map_is_not_overwritten_by_the_next_picture(tmp_path):
    segment = load_segmenter(blue_water(tmp_path, size=SIZE))
    first = segment(np.full((*SIZE, 3), 10, np.uint8))
    segment(np.full((*SIZE, 3), 200, np.uint8))
    assert (first == 10).all()


def test_what_is_no_picture_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a picture is HxWx3 uint8"):
        load_segmenter(blue_water(tmp_path, size=SIZE))(np.zeros((4, 4), np.uint8))


def refusal(path) -> str:
    with pytest.raises(ModelError) as refused:
        load_segmenter(path)
    assert str(path) in str(refused.value) or str(path.parent) in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([np.zeros((1, 2, 64, 96))], "1x2x64x96"),
        ([np.zeros((1, 1, 60, 96))], "expected 1x1x64x96"),
        ([np.zeros((1, 1, 64, 96))] * 2, "expected one map"),
        ([np.full((1, 1, 64, 96), 3.0)], "no sigmoid"),
        ([np.full((1, 1, 64, 96), -1.0)], "no sigmoid"),
        ([np.full((1, 1, 64, 96), np.nan)], "nan"),
    ],
)
def test_an_output_that_is_no_map_of_probabilities_is_refused(tmp_path, outputs, expected):
    said = refusal(blue_water(tmp_path, size=SIZE, content=model(outputs, size=SIZE)))
    assert "does not fit decoder 'probability'" in said
    assert expected in said


def test_a_smaller_map_is_taken(tmp_path):
    content = model([np.full((1, 1, 16, 24), 0.25)], size=SIZE)
    found = load_segmenter(blue_water(tmp_path, size=SIZE, content=content))(np.zeros((9, 9, 3), np.uint8))
    assert found.shape == (16, 24)
    assert (found == 64).all()


def test_a_damaged_file_and_another_size_are_refused(tmp_path):
    path = blue_water(tmp_path, size=SIZE)
    path.write_text(path.read_text().replace("height = 64", "height = 96"))
    assert "fixed at 64" in refusal(path)
    (tmp_path / "water.onnx").write_bytes(b"cut")
    assert "cut short" in refusal(path)


def test_neither_task_is_taken_for_the_other(tmp_path):
    water = blue_water(tmp_path, size=SIZE)
    with pytest.raises(ModelError, match=r"water\.toml: model 'water' has the task 'segment', and 'detect'"):
        load_detector(water)
    count = len(places("nanodet", (64, 64)))
    cars = toy(tmp_path, "nanodet", np.zeros((count, 3)), np.zeros((count, 44)))
    assert "has the task 'detect', and 'segment' is needed" in refusal(cars)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"task": "detect"}, 'decoder "probability" is not one of task "detect"'),
        ({"decoder": "nanodet"}, 'decoder "nanodet" is not one of task "segment"'),
        ({"labels": ("water", "ice")}, "has one label, not 2"),
        ({"fit": "centre"}, "sees the whole picture"),
        ({"trim": True}, "sees the whole picture"),
        ({"one_thing": [["water"]]}, "one_thing means nothing"),
        ({"task": "classify"}, "task: Input should be 'detect' or 'segment'"),
    ],
)
def test_a_manifest_of_a_segmenter_that_makes_no_sense_says_why(tmp_path, change, expected):
    assert expected in refusal(blue_water(tmp_path, size=SIZE, **change))


def test_a_manifest_without_a_task_is_a_detectors_as_ever(tmp_path):
    said = refusal(
        put_model(tmp_path, one_channel(0), decoder="probability", labels=("water",), fit="stretch")
    )
    assert 'not one of task "detect"' in said


def test_the_shipped_segmenter_sees_no_water_in_a_grey_field():
    segment = load_segmenter("water", folders=())
    assert find_manifest("water", ()).labels == ("water",)
    found = segment(np.full((360, 640, 3), 120, np.uint8))
    assert (found >= segment.threshold * 255).mean() < 0.5


def test_a_dark_picture_is_seen_as_by_day(tmp_path):
    segment = load_segmenter(blue_water(tmp_path, size=SIZE))
    day = np.zeros((*SIZE, 3), np.uint8)
    day[:, SIZE[1] // 2 :] = 200
    dark = (day // 8).astype(np.uint8)
    assert (segment(dark)[:, -8:] > 100).all()
    assert (segment(dark)[:, :8] < 10).all()
