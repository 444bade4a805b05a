"""Dry references: kept whole, fresh but seldom written, and never used for another view."""

from __future__ import annotations

from datetime import timedelta

import cv2
import numpy as np
import pytest
from modelling import blue_water
from ponds import NOTHING, ROAD, START, flood, frame, street, wet_share
from waiting import until_sync

from lamppost.agent.engine import Engine
from lamppost.agent.sight.dry import DryError, DryFolder, reference
from lamppost.agent.sight.dry_fit import DryFit
from lamppost.agent.sight.dry_learner import DryLearner
from lamppost.agent.sight.scene import Eye
from lamppost.agent.sight.water_eye import WaterEye
from lamppost.agent.sight.water_turns import WaterTurns
from lamppost.models.segmenter import load_segmenter

ZONES = {"road": ROAD}
HOUR_S = 3600.0


@pytest.fixture
def segment(tmp_path):
    return load_segmenter(blue_water(tmp_path))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "state").mkdir()
    return DryFolder(tmp_path / "state" / "dry")


def look(segment, picture, at_s=0.0, folder=None, eyes=None):
    eye, water = eyes or (Eye(lambda _: NOTHING, ZONES), WaterEye(segment, "cam", folder))
    return eye.look(frame(picture, at_s), water)


def made_of(segment, *pictures, by="operator"):
    scenes = [look(segment, picture) for picture in pictures]
    return reference([scene.water.wet for scene in scenes], scenes[-1], by, segment.manifest.sha256)


def test_a_reference_comes_back_as_it_was_written_and_is_a_picture(segment, folder):
    puddle = flood(street(), 0.3, 0.6, 0.5, 0.8)
    made = made_of(segment, street(), puddle, street())
    path = folder.put("cam", "day", made, street())
    again = folder.load("cam", "day")
    np.testing.assert_array_equal(again.wet, made.wet)
    np.testing.assert_array_equal(again.view, made.view)
    assert (again.size, again.at, again.by, again.model) == (made.size, made.at, made.by, made.model)
    assert wet_share(again.wet, 0.32, 0.62, 0.48, 0.78) == 1  # the most of any, not the last
    assert sorted(p.name for p in path.parent.iterdir()) == ["cam-day.jpg", "cam-day.png"]
    np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), made.wet)
    assert cv2.imread(str(path.with_suffix(".jpg"))).shape == (360, 640, 3)


def test_a_file_that_is_cut_short_damaged_or_none_is_said_to_be(segment, folder):
    path = folder.put("cam", "day", made_of(segment, street()), street())
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[60] ^= 0x20
    foreign = cv2.imencode(".png", np.zeros((96, 160), np.uint8))[1].tobytes()
    for content in (whole[:-20], whole[: len(whole) // 3], whole[:40], b"", b"text", bytes(flipped), foreign):
        path.write_bytes(content)
        with pytest.raises(DryError, match="make it again: lamppost camera dry cam"):
            folder.load("cam", "day")


def test_a_reference_that_is_written_while_the_agent_runs_is_seen_at_the_next_look(segment, folder):
    eyes = Eye(lambda _: NOTHING, ZONES), WaterEye(segment, "cam", folder)
    assert look(segment, street(), 0, eyes=eyes).water.dry is None
    folder.put("cam", "day", made_of(segment, flood(street(), 0.3, 0.6, 0.5, 0.8)), street())
    scene = look(segment, street(), 2, eyes=eyes)
    assert wet_share(scene.water.dry, 0.32, 0.62, 0.48, 0.78) == 1
    assert eyes[1].as_json()["problem"] == ""
    assert eyes[1].as_json()["dry"]["day"] == {"at": START.isoformat(), "by": "operator", "fits": True}
    folder.put("cam", "day", made_of(segment, street()), street())
    assert look(segment, street(), 4, eyes=eyes).water.dry.max() == 0
    folder.path("cam", "day").write_bytes(b"broken")
    assert look(segment, street(), 6, eyes=eyes).water.dry is None
    assert "is no dry reference, or damaged" in eyes[1].as_json()["problem"]


def test_day_and_night_have_their_own(segment, folder):
    folder.put("cam", "night", made_of(segment, street()), street())
    assert look(segment, street(), folder=folder).water.dry is None
    dark = look(segment, street(light=0.25), folder=folder)
    assert dark.water.light == "night"
    assert dark.water.dry is not None


def test_a_reference_taken_before_the_camera_was_nudged_is_moved_with_it(segment, folder):
    folder.put("cam", "day", made_of(segment, flood(street(), 0.3, 0.6, 0.5, 0.8)), street())
    scene = look(segment, street(dx=32, dy=18), folder=folder)  # a new agent: its view is the nudged one
    assert wet_share(scene.water.dry, 0.37, 0.67, 0.53, 0.83) == 1
    assert wet_share(scene.water.dry, 0.3, 0.6, 0.34, 0.8) == 0


def test_a_reference_of_another_view_is_not_used_and_that_is_said(segment, folder):
    folder.put("cam", "day", made_of(segment, street(seed=8)), street())
    eyes = Eye(lambda _: NOTHING, ZONES), WaterEye(segment, "cam", folder)
    for second in range(0, 12, 2):
        assert look(segment, street(), second, eyes=eyes).water.dry is None
    assert (
        "shows another view than the camera; say again when it is dry: lamppost camera dry cam"
        in (eyes[1].as_json()["problem"])
    )


def test_a_flood_does_not_make_a_view_another_one(segment, folder):
    folder.put("cam", "day", made_of(segment, street()), street())
    grey = flood(street(), 0.0, 0.55, 1.0, 1.0)
    grey[198:, :] = (255, 120, 120)  # all that can be seen of the road is even water
    assert look(segment, grey, folder=folder).water.dry is not None


def test_pictures_of_another_shape_and_another_model_are_told(segment, folder):
    made = made_of(segment, street())
    folder.put("cam", "day", made._replace(size=(640, 480)), street())
    eyes = Eye(lambda _: NOTHING, ZONES), WaterEye(segment, "cam", folder)
    assert look(segment, street(), eyes=eyes).water.dry is None
    assert "has 640x480 and the picture 640x360" in eyes[1].as_json()["problem"]
    folder.put("cam", "day", made._replace(model="0" * 64), street())
    assert look(segment, street(), 2, eyes=eyes).water.dry is None
    assert "made with another model of water" in eyes[1].as_json()["problem"]


def test_a_reference_holds_while_traffic_hides_the_view_but_not_for_ever(segment, folder):
    fit = DryFit(folder, "cam", segment.manifest.sha256)
    folder.put("cam", "day", made_of(segment, street()), street())
    here, there = (look(segment, street(seed=seed)).grey for seed in (3, 8))
    assert fit.look("day", here, (640, 360), 0) is not None
    found = [fit.look("day", there, (640, 360), 60.0 * n) is not None for n in range(1, 7)]
    assert found == [True, True, True, True, False, False]
    assert fit.look("day", here, (640, 360), 500) is not None
    assert fit.problem("day") == ""


# -- what a gauge teaches


def scenes(segment, seconds, picture=None):
    eyes = Eye(lambda _: NOTHING, ZONES), WaterEye(segment, "cam")
    return [look(segment, street() if picture is None else picture(s), s, eyes=eyes) for s in seconds]


def test_a_gauges_reference_is_made_after_some_looks_and_renewed_at_most_every_six_hours(segment):
    learner, known, made = DryLearner("m"), None, []
    for scene in scenes(segment, np.arange(0, 13 * HOUR_S, 600.0)):
        found = learner.look(scene, known)
        if found is not None:
            known = found
            made.append((scene.at - START) / timedelta(hours=1))
    assert len(made) == 3
    assert made[0] == pytest.approx(20 / 60, abs=0.01)
    assert made[1] - made[0] >= 6
    assert made[2] - made[1] >= 6


def test_one_headlight_stays_known(segment):
    def picture(second):
        return flood(street(), 0.3, 0.6, 0.5, 0.8) if second == 60 else street()

    learner = DryLearner("m")
    found = [learner.look(scene, None) for scene in scenes(segment, [0, 60, 120], picture)]
    assert found[:2] == [None, None]
    assert wet_share(found[2].wet, 0.32, 0.62, 0.48, 0.78) == 1
    assert found[2].by == "gauge"


def test_what_an_operator_has_just_said_is_not_overwritten(segment):
    known = made_of(segment, street())._replace(model="m")
    learner = DryLearner("m")
    assert not any(learner.look(scene, known) for scene in scenes(segment, range(0, 3600, 60)))
    of_another_model = known._replace(model="old")
    assert any(DryLearner("m").look(s, of_another_model) for s in scenes(segment, [0])) is False
    learner = DryLearner("m")
    assert [learner.look(s, of_another_model) is not None for s in scenes(segment, [0, 60, 120])][-1]


def taught(segment, folder):
    """Return the water of a box whose gauge says dry for three minutes, and the last scene."""
    water = WaterTurns(lambda: segment, folder)
    water.wanted = ["cam"]
    eye = Eye(lambda _: NOTHING, ZONES)
    for second in range(0, 181, 60):
        scene = eye.look(frame(street(), second), water.turn("cam", START.timestamp() + second))
        water.looked("cam", ())
        water.learn(scene)
    return water, scene


def test_the_agent_keeps_what_it_learns_on_disk_and_uses_it_at_once(segment, tmp_path):
    (tmp_path / "state").mkdir()
    water, scene = taught(segment, tmp_path / "state" / "dry")
    assert scene.water.dry is not None
    folder = DryFolder(tmp_path / "state" / "dry")
    until_sync(lambda: folder.stamp("cam", "day") is not None, what="the file")
    assert folder.load("cam", "day").by == "gauge"
    water.end()


def test_a_disk_that_takes_nothing_costs_the_file_only(segment, tmp_path):
    (tmp_path / "state").write_text("a file where a folder should be")
    water, scene = taught(segment, tmp_path / "state" / "dry")
    assert scene.water.dry is not None
    water.end()


def test_the_box_asks_the_rules_that_know_and_survives_one_that_fails():
    class Knows:
        def __init__(self, cameras):
            self.cameras = cameras

        def dry(self):
            if self.cameras is None:
                raise RuntimeError("a bug")
            return self.cameras

    engine = Engine()
    engine.add("blind", None, object(), ())
    assert engine.dry() == set()
    for name, cameras in {"a": ["cam"], "bad": None, "b": ["cam", "other"], "wet": []}.items():
        engine.add(name, None, Knows(cameras), ())
    assert engine.dry() == {"cam", "other"}
