"""`lamppost model evaluate`: figures that can be computed by hand, and words for what cannot be measured."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from modelling import blue_water

from lamppost.models.evaluate import Counts, Pair, compared, lower_share, pairs, roc_auc
from lamppost.provisioning.cli import main

SIZE = (32, 64)


def painted(*parts: tuple[slice, slice], size=SIZE) -> np.ndarray:
    """Return a picture whose blue, so water to the model, fills some parts."""
    image = np.zeros((*size, 3), np.uint8)
    for part in parts:
        image[part] = (255, 0, 0)
    return image


def mask(*parts, size=SIZE, ignored=()) -> np.ndarray:
    found = np.zeros(size, np.uint8)
    for part in parts:
        found[part] = 255
    for part in ignored:
        found[part] = 128
    return found


LEFT, RIGHT = np.s_[:, :32], np.s_[:, 32:]
QUARTER = np.s_[16:, :32]


@pytest.fixture
def asked(tmp_path):
    model = blue_water(tmp_path, size=SIZE, score=0.5)
    folder = tmp_path / "masked"
    folder.mkdir()
    return folder, ["model", "evaluate", str(model), str(folder)]


def put(folder: Path, name: str, image: np.ndarray, truth: np.ndarray | None, end: str = "_mask") -> None:
    cv2.imwrite(str(folder / f"{name}.png"), image)
    if truth is not None:
        cv2.imwrite(str(folder / f"{name}{end}.png"), truth)


def measured(args, capsys, code=0) -> dict:
    assert main([*args, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_the_figures_are_those_of_all_pixels_together(asked, tmp_path, capsys):
    folder, args = asked
    # Said: the left half (1024 pixels). True: the lower quarter of it (512). 512 / 1024.
    put(folder, "a", painted(LEFT), mask(QUARTER))
    # Said: the quarter. True: all of the left. 512 / 1024, too; but 256 of the missed ones are ignored.
    put(folder, "b", painted(QUARTER), mask(LEFT, ignored=[np.s_[:8, :32]]), end="_m")
    # Dry, and 64 pixels (2 rows) are said to be water: below the upper 35 % of 32 rows, which are 11.
    put(folder, "c", painted(np.s_[-2:, :32]), mask())
    dry = tmp_path / "dry"
    dry.mkdir()
    put(dry, "d", painted(), None)
    put(dry, "e", painted(np.s_[16:, :]), None)
    found = measured([*args, "--dry", str(dry)], capsys)
    assert (found["pictures_with_water"], found["pictures_dry"], found["threshold"]) == (2, 3, 0.502)
    both, map_only, mask_only = 512 + 512, 512 + 0 + 64, 0 + 256
    assert found["iou"] == pytest.approx(both / (both + map_only + mask_only), abs=1e-4)
    assert found["precision"] == pytest.approx(both / (both + map_only), abs=1e-4)
    assert found["recall"] == pytest.approx(both / (both + mask_only), abs=1e-4)
    assert found["mean_iou"] == pytest.approx((512 / 1024 + 512 / 768) / 2, abs=1e-4)
    # Wet pixels of the lower 21 rows.
    a, b = 21 * 32, 16 * 32
    c, d, e = 2 * 32, 0, 16 * 64
    above = sum(wet > dry_ for wet in (a, b) for dry_ in (c, d, e))
    assert found["auc"] == pytest.approx(above / 6, abs=1e-4) == pytest.approx(4 / 6, abs=1e-4)


def test_the_table_says_the_same(asked, capsys):
    folder, args = asked
    put(folder, "a", painted(LEFT), mask(QUARTER))
    assert main(args) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("1 pictures with water, 0 dry, threshold 0.50")
    assert [line.split()[-1] for line in said[1:]] == ["0.500", "0.500", "0.500", "1.000", "-"]


@pytest.mark.parametrize("size", [(64, 128), (16, 32), (320, 640)])
def test_a_mask_of_another_size_than_the_picture_counts_by_its_own_pixels(asked, capsys, size):
    folder, args = asked
    put(folder, "a", painted(LEFT), mask(np.s_[:, : size[1] // 2], size=size))
    found = measured(args, capsys)
    assert found["iou"] > 0.96
    assert found["recall"] > 0.96


def test_jpegs_have_masks_of_their_own_name(asked, capsys):
    folder, args = asked
    blue = np.zeros((*SIZE, 3), np.uint8)
    blue[:, :32, 0] = 255
    cv2.imwrite(str(folder / "image_1.jpg"), blue, [cv2.IMWRITE_JPEG_QUALITY, 100])
    cv2.imwrite(str(folder / "image_1.png"), mask(LEFT))
    found = measured(args, capsys)
    assert found["pictures_with_water"] == 1
    assert found["iou"] > 0.95


def test_the_threshold_can_be_another(asked, capsys):
    folder, args = asked
    image = np.zeros((*SIZE, 3), np.uint8)
    image[..., 0] = 100
    put(folder, "a", image, mask(LEFT, RIGHT))
    assert measured(args, capsys)["recall"] == 0
    assert measured([*args, "--threshold", "0.39"], capsys)["recall"] == 1  # 99.45 of 255
    assert measured([*args, "--threshold", "0.4"], capsys)["recall"] == 0  # 102 of 255


def test_pictures_that_cannot_be_measured_are_told_and_the_others_are_measured(asked, capsys):
    folder, args = asked
    put(folder, "good", painted(LEFT), mask(LEFT))
    put(folder, "bare", painted(), None)
    put(folder, "road", painted(), np.full(SIZE, 2, np.uint8))
    put(folder, "text", painted(), mask())
    (folder / "text.png").write_bytes(b"no picture")
    assert main([*args, "--json"]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["iou"] == 1
    assert "bare.png: has no mask (bare_mask.png)" in told.err
    assert "road_mask.png: a mask has 255 (water), 0 (not) and 128 (ignored), not 2" in told.err
    assert "text.png: not a picture that can be read" in told.err


def test_a_folder_without_anything_to_measure_is_wrong_input(asked, capsys):
    folder, args = asked
    assert main(args) == 2
    assert "no picture with a mask, nothing to measure" in capsys.readouterr().err
    assert main([*args[:3], str(folder / "gone")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_a_detector_is_refused_with_words(asked, capsys):
    folder, _ = asked
    assert main(["model", "evaluate", "nanodet-g", str(folder)]) == 2
    assert "has the task 'detect', and 'segment' is needed here" in capsys.readouterr().err


def test_each_picture_finds_its_mask_and_no_mask_is_a_picture(tmp_path):
    names = ["a.jpg", "a.png", "b.png", "b_m.png", "c.JPG", "c_mask.png", "d.png", "e_mask.png", "notes.txt"]
    for name in names:
        (tmp_path / name).touch()
    found = {pair.picture.name: pair.mask and pair.mask.name for pair in pairs(tmp_path)}
    assert found == {
        "a.jpg": "a.png",
        "b.png": "b_m.png",
        "c.JPG": "c_mask.png",
        "d.png": None,
        "e_mask.png": None,
    }
    assert Pair(tmp_path / "a.jpg", tmp_path / "a.png") in pairs(tmp_path)


def test_roc_auc_counts_ties_half():
    assert roc_auc([1.0, 2.0], [0.0]) == 1
    assert roc_auc([0.0], [0.0]) == 0.5
    assert roc_auc([0.0, 1.0], [0.0, 2.0]) == (0.5 + 0 + 1 + 0) / 4
    assert roc_auc([], [1.0]) is None
    assert roc_auc([1.0], []) is None


def test_counts_and_shares_by_hand():
    found = np.array([[200, 100], [50, 127], [128, 255]], np.uint8)
    truth = np.array([[255, 255], [0, 0], [0, 128]], np.uint8)
    assert compared(found, truth, 128) == Counts(both=1, map_only=1, mask_only=1)
    assert lower_share(found, 128) == 0.5  # rows 1 and 2
    assert Counts().iou is None
    assert Counts(0, 3, 0).recall is None
    assert Counts(0, 3, 0).precision == 0
