"""A recording through the water of sight as live: what is new, what was dry, and pictures of it."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from cameras import write_video
from evidencing import one_car
from modelling import blue_water
from plugins import wetness
from ponds import NOTHING, ROAD, flood, street, wet_share

from lamppost.agent.evidence.captions import remark
from lamppost.agent.evidence.drawing import BOX, Caption, Subject, draw
from lamppost.agent.sight.replay import replay
from lamppost.agent.sight.water_turns import WaterTurns
from lamppost.models.detections import Detections
from lamppost.models.segmenter import load_segmenter
from lamppost.provisioning.annotate import Annotator
from lamppost.provisioning.cli import main

__all__ = ["wetness"]


@pytest.fixture
def water(tmp_path):
    segment = load_segmenter(blue_water(tmp_path))
    turns = WaterTurns(lambda: segment, None)
    turns.wanted = ["cam"]
    return turns


def seen(water, pictures, **how):
    recording = [(n / 2, picture) for n, picture in enumerate(pictures)]
    return list(
        replay(
            recording, device="cam", zones={"road": ROAD}, fps=2.0, rules=[], detect=lambda _: NOTHING,
            water=water, **how,
        )
    )  # fmt: skip


def test_water_is_seen_every_two_seconds_of_the_recording(water):
    looks = seen(water, [street()] * 12)
    assert [look.at_s for look in looks if look.scene.water is not None] == [0, 2, 4]
    assert all(look.scene.water.dry is None for look in looks if look.scene.water)


def test_what_is_dry_by_the_users_word_is_a_reference_from_the_first_look_on(water):
    puddle = flood(street(), 0.3, 0.6, 0.4, 0.7)
    pictures = [puddle] * 6 + [street()] * 6 + [flood(street(), 0.1, 0.5, 0.9, 0.9)] * 8
    looks = [look.scene.water for look in seen(water, pictures, dry_until_s=5.0) if look.scene.water]
    assert len(looks) == 5
    for one in looks:
        assert wet_share(one.dry, 0.31, 0.61, 0.39, 0.69) == 1
        assert wet_share(one.dry, 0.5, 0.5, 0.9, 0.9) == 0
    assert wet_share(looks[-1].wet, 0.12, 0.52, 0.88, 0.88) == 1


def test_without_water_nothing_is_segmented():
    assert all(look.scene.water is None for look in seen(None, [street()] * 3, dry_until_s=5))


def test_an_annotated_video_shows_new_water_and_what_was_wet_before(water, tmp_path):
    puddle = flood(street(), 0.3, 0.6, 0.4, 0.7)
    painter = Annotator(tmp_path / "out.avi", {"road"})
    for look in seen(water, [puddle] * 4 + [flood(puddle, 0.6, 0.6, 0.8, 0.8)] * 4, dry_until_s=1.0):
        painter.add(look)
    painter.close()
    video = cv2.VideoCapture(str(tmp_path / "out.avi"))
    pictures = []
    while (read := video.read())[0]:
        pictures.append(read[1].astype(int))
    before, after = pictures[10], pictures[-1]
    changed = np.abs(after - before).max(axis=2)
    assert np.median(changed[230:270, 400:500]) > 40
    assert np.median(changed[230:240, 210:240]) < 25


def test_an_outline_is_drawn_in_place_of_the_box():
    image = np.full((360, 640, 3), 90, np.uint8)
    outline = [[(0.3, 0.6), (0.5, 0.6), (0.4, 0.8)]]
    subject = Subject(
        image,
        (0.0, 0.0),
        (0.3, 0.6, 0.5, 0.8),
        ROAD,
        NOTHING,
        (Caption("a", "b"), Caption("c", "d")),
        outline,
    )
    drawn = draw(subject, 640)

    def red(x, y):
        part = drawn[round(y * 360) - 2 : round(y * 360) + 3, round(x * 640) - 2 : round(x * 640) + 3]
        return bool((np.abs(part.astype(int) - BOX).max(axis=2) < 60).any())

    assert red(0.4, 0.6)
    assert red(0.4, 0.8)
    assert red(0.45, 0.7)
    assert not red(0.3, 0.75)  # the box's side
    assert (drawn[240, 256] == 90).all()  # what is inside stays as it was


def test_people_and_plates_in_the_water_are_concealed_as_others_are():
    image = np.random.default_rng(1).integers(0, 256, (360, 640, 3), np.uint8)
    person = Detections(
        np.array([[0.4, 0.5, 0.5, 0.8]], np.float32), np.array([0.8], np.float32), ("person",)
    )
    pond = [[(0.1, 0.45), (0.9, 0.45), (0.9, 0.95), (0.1, 0.95)]]
    box = (0.1, 0.45, 0.9, 0.95)
    shown = draw(Subject(image, (0.0, 0.0), box, (), person, [Caption("a", "b")], pond), 640, "found")
    head = np.s_[182:200, 262:314]
    assert shown[head].std() < image[head].std() / 2
    assert (shown[300:330, 400:500] == image[300:330, 400:500]).all()


def test_the_caption_says_share_depth_level_and_state():
    measures = {"share": 0.312, "level_mm": 161.4, "level": "warning", "state": "confirmed"}
    assert remark(measures) == "161 mm, water on 31%, warning, confirmed"
    assert remark({"dwell_s": 3}) == ""


# -- the command


@pytest.fixture
def asked(tmp_path, wetness):
    """Return `lamppost replay` of a street with a puddle that is flooded after 4 s."""
    for folder in ("models", "state"):
        (tmp_path / folder).mkdir()
    blue_water(tmp_path / "models")
    puddle = flood(street(), 0.1, 0.5, 0.35, 0.9)
    flooded = flood(puddle, 0.4, 0.5, 0.75, 1.0)
    write_video(tmp_path / "flood.avi", [puddle] * 16 + [flooded] * 16, fps=4.0, code="MJPG")
    cv2.imwrite(str(tmp_path / "dry.png"), puddle)
    (tmp_path / "lamppost.toml").write_text(
        f"""
[node]
id = "pole-1"
site = "s"
state_dir = "{tmp_path / "state"}"
[sight]
model = "{one_car(tmp_path)}"
water_every_s = 1.0
[devices.cam]
driver = "camera"
source = "flood.avi"
fps = 2
zones.road = [[0.1, 0.5], [0.9, 0.5], [0.9, 0.95], [0.1, 0.95]]
[rules.wetness]
kind = "wetness"
camera = "cam"
zone = "road"
"""
    )
    return ["replay", "-c", str(tmp_path / "lamppost.toml"), "-d", "cam", str(tmp_path / "flood.avi")]


def lines(capsys):
    told = capsys.readouterr()
    return [json.loads(line) for line in told.out.splitlines()], told.err


def test_without_a_dry_reference_the_puddle_is_told_and_what_is_missing(asked, capsys):
    assert main(asked) == 0
    (line,), said = lines(capsys)
    assert (line["kind"], line["at_s"], line["state"], line["level"]) == (
        "road.waterlogging", 0.0, "seen", "attention",
    )  # fmt: skip
    assert line["share"] == pytest.approx(0.25 * 0.4, abs=0.02)
    assert "cam: no dry reference by day; when the road is dry: lamppost camera dry cam" in said


@pytest.mark.parametrize("how", ["--dry", "--dry-until", "stored"])
def test_with_one_only_the_flood_is_told_at_its_second(asked, tmp_path, capsys, how):
    if how == "stored":
        dry = ["camera", "dry", "cam", "--image", str(tmp_path / "dry.png"), *asked[1:3]]
        assert main(dry) == 0
        capsys.readouterr()
    else:
        asked = [*asked, how, str(tmp_path / "dry.png") if how == "--dry" else "3"]
    video, pictures = tmp_path / "out.mp4", tmp_path / "pictures"
    assert main([*asked, "--annotate", str(video), "--evidence", str(pictures)]) == 0
    (line,), said = lines(capsys)
    assert line["at_s"] == pytest.approx(4, abs=1.0)
    assert line["share"] == pytest.approx(0.35 * 0.5, abs=0.02)
    assert said == ""
    assert video.stat().st_size > 1000
    assert [path.name for path in pictures.iterdir()] == [f"{line['id']}-3-alarm.jpg"]
    stored = tmp_path / "state" / "dry" / "cam-day.png"
    assert stored.exists() == (how == "stored")  # what a replay is told is not the box's


def test_a_picture_that_is_none_and_a_model_that_is_not_there_are_told(asked, tmp_path, capsys):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    assert main([*asked, "--dry", str(bad)]) == 2
    assert "not a picture that can be read" in capsys.readouterr().err
    (tmp_path / "models" / "water.onnx").unlink()
    assert main(asked) == 2
    assert "cannot read the model" in capsys.readouterr().err


def test_the_help_says_that_a_recording_has_no_gauges(capsys):
    main(["replay", "--help"])
    assert "There are no gauges in a recording" in " ".join(capsys.readouterr().out.split())
