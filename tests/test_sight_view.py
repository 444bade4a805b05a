"""The view of a camera through nudges and restarts: places stay where they are."""

from __future__ import annotations

import json
from datetime import timedelta

import cv2
import numpy as np
import pytest
from roads import START

from lamppost.agent.sight.scene import Eye
from lamppost.drivers.api import Frame
from lamppost.models.detections import Detections

ZONES = {"kerb": [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9)]}
BOX = np.array([[0.4, 0.4, 0.6, 0.6]], np.float32)


def street(dx: int = 0, dy: int = 0) -> np.ndarray:
    rough = np.random.default_rng(3).uniform(20, 230, (48, 80, 3)).astype(np.float32)
    wide = cv2.resize(rough, (720, 440), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(wide[40 - dy : 400 - dy, 40 - dx : 680 - dx])


def look(eye: Eye, picture: np.ndarray):
    return eye.look(Frame("kerb", picture, START, 0))


def new_eye(zones=ZONES) -> Eye:
    return Eye(lambda _: Detections(BOX, np.array([0.7], np.float32), ("car",)), zones)


def test_a_restarted_agent_goes_on_in_the_view_that_its_stays_are_remembered_in():
    before = new_eye()
    look(before, street())
    nudged = look(before, street(20, 10))
    assert nudged.detections.boxes[0] == pytest.approx(BOX[0] - [20 / 640, 10 / 360] * 2, abs=2e-3)
    after = new_eye()
    after.restore(json.loads(json.dumps(before.save())))
    again = look(after, street(20, 10))
    assert again.detections.boxes[0] == pytest.approx(nudged.detections.boxes[0], abs=2e-3)


def test_zones_that_were_drawn_anew_begin_a_new_view():
    before = new_eye()
    look(before, street())
    after = new_eye({"kerb": [(0.2, 0.1), (0.9, 0.1), (0.9, 0.9)]})
    after.restore(before.save())
    assert look(after, street(20, 10)).detections.boxes[0] == pytest.approx(BOX[0])


@pytest.mark.parametrize("picture", ["", "bm90IHpsaWI=", "!", None])
def test_a_view_that_cannot_be_read_is_begun_anew(picture):
    before = new_eye()
    assert before.save() is None
    look(before, street())
    after = new_eye()
    after.restore({**before.save(), "picture": picture})
    assert look(after, street(20, 10)).detections.boxes[0] == pytest.approx(BOX[0])


def test_a_picture_in_which_nothing_changes_is_looked_into_again_only_after_a_while():
    asked = []

    def detect(picture):
        asked.append(picture)
        return Detections(BOX, np.array([0.7], np.float32), ("car",))

    eye = Eye(detect, ZONES)
    still = street()
    seconds = [0.0, 0.5, 1.0, 1.5, 2.0]
    boxes = [look_at(eye, still, at).detections.boxes for at in seconds]
    assert len(asked) == 2  # at 0 and at 2
    assert all((found == BOX).all() for found in boxes)
    changed = still.copy()
    changed[200:240, 300:360] = 255
    look_at(eye, changed, 2.5)
    assert len(asked) == 3


def look_at(eye: Eye, picture: np.ndarray, at_s: float):
    return eye.look(Frame("kerb", picture, START + timedelta(seconds=at_s), 0))


def test_a_dark_street_is_brightened_for_the_detector_and_kept_as_it_was_for_evidence():
    seen = []

    def detect(picture):
        seen.append(float(picture.mean()))
        return Detections(BOX, np.array([0.7], np.float32), ("car",))

    dark = (street() * 0.15).astype(np.uint8)
    scene = look(Eye(detect, ZONES), dark)
    assert seen[0] > 60 > dark.mean() * 2
    assert scene.image is dark
