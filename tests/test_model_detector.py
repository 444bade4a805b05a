"""The shipped detector on real pictures, and how a picture becomes the input of a model."""

from __future__ import annotations

import json
from functools import cache

import cv2
import numpy as np
import pytest
from modelling import SHARED

from lamppost.models.detector import Detector, load_detector
from lamppost.models.geometry import iou_matrix
from lamppost.models.letterbox import Letterbox
from lamppost.models.manifest import Input

CLIP = SHARED / "clips" / "real_street_parked.mp4"
STREET = pytest.mark.skipif(not CLIP.is_file(), reason=f"needs the clip {CLIP}")
VEHICLES = {"car", "bus", "truck"}


@cache
def shipped() -> Detector:
    return load_detector("nanodet-g", folders=())


def frame_at(second: float) -> np.ndarray:
    clip = cv2.VideoCapture(str(CLIP))
    clip.set(cv2.CAP_PROP_POS_MSEC, second * 1000)
    return clip.read()[1]


@STREET
def test_standing_cars_of_a_real_street_are_found_where_they_stand():
    truth = json.loads(CLIP.with_suffix(".truth.json").read_text())
    cars = [o["bbox_norm"] for o in truth["objects"] if o["stationary_s"][0][0] < 2]
    found = []
    for second in (5, 15, 25, 45, 65):
        seen = shipped()(frame_at(second))
        boxes = seen.boxes[[label in VEHICLES for label in seen.labels]]
        found += (iou_matrix(np.array(cars, np.float32), boxes).max(axis=1) > 0.45).tolist()
        assert list(seen.scores) == sorted(seen.scores, reverse=True)
    assert np.mean(found) >= 0.9


@STREET
def test_a_vehicle_is_not_told_twice():
    seen = shipped()(frame_at(25))
    boxes = seen.boxes[[label in VEHICLES for label in seen.labels]]
    overlap = iou_matrix(boxes, boxes) - np.eye(len(boxes), dtype=np.float32)
    # Cut at the edges of the picture, boxes may come closer to each other than they were.
    assert overlap.max() <= 0.65


@STREET
def test_what_was_found_stays_when_the_next_picture_comes_and_cameras_may_take_turns():
    first, second = frame_at(5), cv2.resize(frame_at(45), (480, 600))
    alone = [shipped()(picture) for picture in (first, second)]
    copies = [(seen.boxes.copy(), seen.scores.copy()) for seen in alone]
    again = [shipped()(picture) for picture in (first, second, first, second)]
    for (boxes, scores), seen in zip([*copies, *copies, *copies], [*alone, *again], strict=True):
        np.testing.assert_array_equal(seen.boxes, boxes)
        np.testing.assert_array_equal(seen.scores, scores)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (3000, 2), (416, 416), (417, 415), (1080, 1920)])
def test_a_picture_of_any_size_is_looked_at(shape):
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    seen = shipped()(noise)
    assert ((seen.boxes >= 0) & (seen.boxes <= 1)).all()


def test_streams_that_change_their_size_for_ever_do_not_fill_the_memory():
    for height in range(32, 64):
        shipped()(np.zeros((height, 64, 3), np.uint8))
    assert len(shipped()._letterboxes) <= 8


@pytest.mark.parametrize(
    "picture", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(picture):
    with pytest.raises(ValueError, match="a picture is HxWx3 uint8"):
        shipped()(picture)


def spec(**changes) -> Input:
    return Input(**{"width": 128, "height": 64, "mean": (10, 20, 30), "std": (2, 4, 5), "pad": 7} | changes)


def plain_input(picture: np.ndarray, spec: Input, top: int, left: int) -> np.ndarray:
    """Return what the manifest says, pixel by pixel, for a picture that need not be scaled."""
    canvas = np.full((spec.height, spec.width, 3), spec.pad, np.float32)
    canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    if spec.colour == "rgb":
        canvas = canvas[:, :, ::-1]
    canvas = (canvas - np.array(spec.mean)) / np.array(spec.std)
    return (canvas.transpose(2, 0, 1) if spec.layout == "nchw" else canvas)[None]


@pytest.mark.parametrize(
    ("changes", "shape", "top", "left"),
    [
        ({}, (64, 100), 0, 14),
        ({}, (30, 128), 17, 0),
        ({"fit": "top-left"}, (64, 100), 0, 0),
        ({"colour": "rgb"}, (64, 100), 0, 14),
        ({"layout": "nhwc"}, (64, 100), 0, 14),
        ({"mean": (0, 0, 0), "std": (1, 1, 1), "dtype": "uint8", "pad": 114}, (64, 100), 0, 14),
        ({"dtype": "float16"}, (64, 128), 0, 0),
    ],
)
def test_a_picture_stands_in_the_input_as_the_manifest_says(changes, shape, top, left):
    wanted = spec(**changes)
    picture = np.random.default_rng(3).integers(0, 256, (*shape, 3), dtype=np.uint8)
    letterbox = Letterbox(wanted, *shape)
    letterbox(np.full_like(picture, 255))  # nothing of the picture before is left
    tensor = letterbox(picture)
    assert tensor.dtype == np.dtype(wanted.dtype)
    assert tensor.flags.c_contiguous
    atol = 0.05 if wanted.dtype == "float16" else 1e-5
    np.testing.assert_allclose(tensor, plain_input(picture, wanted, top, left), atol=atol)


@pytest.mark.parametrize("fit", ["centre", "top-left", "stretch"])
@pytest.mark.parametrize("trim", [False, True])
@pytest.mark.parametrize("shape", [(360, 640), (640, 360), (50, 50), (576, 768)])
def test_a_mark_in_the_picture_is_found_again_through_the_input(fit, trim, shape):
    height, width = shape
    picture = np.zeros((height, width, 3), np.uint8)
    box = np.array([0.4, 0.2, 0.8, 0.6], np.float32)
    x1, y1, x2, y2 = (box * [width, height, width, height]).astype(int)
    picture[y1:y2, x1:x2] = 255
    plain = {"mean": (0, 0, 0), "std": (1, 1, 1), "pad": 0}
    letterbox = Letterbox(spec(width=416, height=416, fit=fit, trim=trim, **plain), height, width)
    light = letterbox(picture)[0, 0] > 127
    rows, columns = np.flatnonzero(light.any(axis=1)), np.flatnonzero(light.any(axis=0))
    seen = np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], np.float32)
    np.testing.assert_allclose(letterbox.to_picture(seen), [box], atol=0.02)


def test_trim_leaves_out_padding_that_the_strides_do_not_need():
    letterbox = Letterbox(spec(width=416, height=416, trim=True), 360, 640)
    assert (letterbox.height, letterbox.width) == (256, 416)
    assert letterbox(np.zeros((360, 640, 3), np.uint8)).shape == (1, 3, 256, 416)
