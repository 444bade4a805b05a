"""Waterlogging: camera and gauge, one event a flood, and none on a road that is only wet."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from flooding import DRY, GAUGE, NOTHING, Street, brief, pond, rule
from pydantic import ValidationError

from lamppost.models.detections import Detections

KIND = "road.waterlogging"


def test_a_flood_is_opened_once_grows_and_is_closed_once():
    street = Street()
    assert street.run(60, pond(0)) == []
    opened = street.run(21, pond(0.15))
    assert brief(opened) == [(KIND, "open", "seen", "attention")]
    assert opened[0].confidence == 0.75
    assert brief(street.run(70, pond(0.4))) == [(KIND, "update", "seen", "warning")]
    assert brief(street.run(50, pond(0))) == [(KIND, "update", "seen", "attention")]
    closed = street.run(60, pond(0))
    assert brief(closed) == [(KIND, "close", "seen", "attention")]
    assert len({event.id for event in street.events}) == 1
    assert [event.revision for event in street.events] == [0, 1, 2, 3]
    assert street.run(300, pond(0)) == []


def test_both_agree_is_confirmed_and_tells_depth_and_rise():
    street = Street(gauge=GAUGE)
    street.run(60, pond(0), 2)
    street.run(300, pond(0.2), lambda step: 25 + step * 0.5)
    states = [event.measures["state"] for event in street.events]
    assert states[-1] == "confirmed"
    last = street.run(500, pond(0.2), lambda step: 100 + step * 0.5)[-1]
    assert last.measures["level"] == "warning"
    assert last.measures["rise_mm_per_min"] == pytest.approx(15, abs=2)
    assert last.measures["to_next_s"] > 0
    assert last.confidence == 0.95


def test_a_gauge_alone_alarms_and_needs_no_camera():
    street = Street(camera="", zone="", gauge=GAUGE)
    assert street.run(60, level=3) == []
    assert brief(street.run(30, level=60)) == [(KIND, "open", "gauge", "attention")]
    assert brief(street.run(30, level=300))[-1] == (KIND, "update", "gauge", "danger")
    assert brief(street.run(100, level=0)) == [(KIND, "close", "gauge", "danger")]


def test_a_gauge_alone_loads_no_numpy():
    code = (
        "import sys; from lamppost.agent.rules.waterlogging import Waterlogging as W;"
        "W(name='w', gauge={'device': 'g'}).start(None); assert 'numpy' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_by_night_or_in_rain_a_camera_alone_only_suspects():
    night = Street()
    night.light = "night"
    night.run(60, pond(0))
    assert night.run(40, pond(0.2))[0].measures["state"] == "suspected"
    rain = Street(rain={"device": "weather", "quantity": "rain", "above": 0.2})
    rain.run(60, pond(0))
    rain.read("rain", 3.0, "weather", "mm")
    assert rain.run(40, pond(0.2))[0].measures["state"] == "suspected"


def test_without_a_dry_reference_it_needs_more_and_says_so():
    street = Street()
    street.dry = None
    assert street.run(60, pond(0.1)) == []
    (opened,) = street.run(60, pond(0.2))
    assert opened.measures["state"] == "suspected"
    assert "no dry reference by day" in opened.measures["mode"]


def test_what_is_wet_in_the_dry_reference_is_no_new_water():
    street = Street()
    street.dry = pond(0.3)
    assert street.run(120, pond(0.3)) == []
    assert brief(street.run(40, pond(0.45))) == [(KIND, "open", "seen", "attention")]


def test_a_healthy_dry_gauge_vetoes_only_water_near_it():
    near = Street(gauge=GAUGE)
    left = DRY.copy()
    left[30:, :28] = 230
    near.run(30, pond(0), 2)
    assert near.run(300, left, lambda step: 2 + step % 2) == []
    far = Street(gauge=GAUGE)
    far.run(30, pond(0), 2)
    assert brief(far.run(40, pond(0.3, "right"), 2)) == [(KIND, "open", "seen", "warning")]


def test_a_stuck_gauge_loses_its_vote_and_gets_an_event_of_its_own():
    street = Street(gauge=GAUGE)
    street.run(30, pond(0), 2)
    told = street.run(900, pond(0.2), 2)
    assert ("gauge.fault", "open", None, None) in brief(told)
    fault = next(event for event in told if event.kind == "gauge.fault")
    assert fault.measures["reason"] == "stuck"
    assert fault.device == "gutter"
    assert (KIND, "open", "seen", "attention") in brief(told)
    assert "gauge not trusted: stuck" in told[-1].measures["mode"]
    healed = street.run(900, pond(0.2), lambda step: 60 + step % 3)
    assert ("gauge.fault", "close", None, None) in brief(healed)


@pytest.mark.parametrize(
    ("level", "words"),
    [(-400, "set mounting_height_mm = 2900"), (None, "no value"), (2600, "cannot be")],
)
def test_a_gauge_mounted_wrong_is_told_in_words_and_floods_nothing(level, words):
    street = Street(gauge=GAUGE)
    told = street.run(200, pond(0), lambda _: level)
    assert brief(told) == [("gauge.fault", "open", None, None)]
    assert words in told[0].measures["detail"]


def test_a_bad_picture_is_unknown_never_dry():
    street = Street()
    street.run(60, pond(0))
    street.run(30, pond(0.3))
    street.read("picture", "black", "cam", "")
    told = street.run(600, pond(0))
    assert [event.measures["mode"] for event in told] == ["the picture is black; no gauge"]
    street.read("picture", "ok", "cam", "")
    assert brief(street.run(80, pond(0)))[-1][:2] == (KIND, "close")


def test_a_gauge_that_sticks_wet_leaves_the_end_to_the_camera():
    street = Street(gauge=GAUGE)
    street.run(60, pond(0), 2)
    told = street.run(4 * 3600, pond(0), 60, every_s=20)
    assert (KIND, "open", "gauge", "attention") in brief(told)
    assert ("gauge.fault", "open", None, None) in brief(told)
    assert brief(told)[-1][:2] == (KIND, "close")
    street.restart()
    assert street.run(600, pond(0), 60) == []
    assert list(street.state.remarks()) == ["gauge not trusted: stuck"]


def test_time_without_sight_counts_neither_as_wet_nor_as_dry():
    street = Street()
    street.run(60, pond(0))
    street.run(10, pond(0.3))
    street.read("picture", "black", "cam", "")
    street.run(3600, pond(0.3), every_s=10)
    street.read("picture", "ok", "cam", "")
    assert street.run(4, pond(0.3)) == []
    assert len(street.run(16, pond(0.3))) == 1
    street.run(20, pond(0))
    street.read("picture", "black", "cam", "")
    black = street.run(3600, pond(0), every_s=10)
    assert black[-1].measures["mode"] == "the picture is black; no gauge"
    street.read("picture", "ok", "cam", "")
    assert all(event.phase.value != "close" for event in street.run(20, pond(0)))
    assert street.run(60, pond(0))[-1].phase.value == "close"


def test_rain_of_long_ago_is_no_rain():
    street = Street(rain={"device": "weather", "quantity": "rain"})
    street.read("rain", 3.0, "weather", "mm")
    street.run(2400, pond(0))
    assert street.run(40, pond(0.2))[0].measures["state"] == "seen"


def test_no_look_at_all_neither_opens_nor_closes():
    street = Street()
    street.run(60, pond(0))
    street.run(30, pond(0.3))
    assert {event.phase.value for event in street.run(3600, None, every_s=10)} == {"update"}


def test_vehicles_and_people_are_no_water():
    street = Street()
    street.run(60, pond(0))
    boxes = np.array([[0.3, 0.3, 0.7, 0.6]], np.float32)
    street.detections = Detections(boxes, np.array([0.9], np.float32), ("car",))
    car = DRY.copy()
    car[14:34, 24:56] = 230
    assert street.run(300, car) == []


def test_too_little_in_sight_is_no_opinion():
    street = Street()
    street.run(60, pond(0))
    boxes = np.array([[0.0, 0.0, 1.0, 0.9]], np.float32)
    street.detections = Detections(boxes, np.array([0.9], np.float32), ("bus",))
    assert street.run(50, pond(0.5)) == []
    street.detections = NOTHING


def test_a_restart_forgets_nothing_and_tells_nothing_twice():
    street = Street(gauge=GAUGE)
    street.run(60, pond(0), 2)
    street.run(10, pond(0.3, "right"), 2)
    street.restart()
    (opened,) = street.run(16, pond(0.3, "right"), 2)
    street.restart()
    assert street.run(60, pond(0.3, "right"), 2) == []
    json.dumps(street.state.save())
    *_, closed = street.run(100, pond(0), 2)
    assert closed.id == opened.id
    assert closed.phase.value == "close"


def test_an_event_of_another_road_is_closed_when_the_settings_change():
    street = Street()
    street.run(60, pond(0))
    (opened,) = street.run(30, pond(0.3))
    moved = Street(camera="", zone="", gauge=GAUGE)
    moved.state = moved.rule.start(street.state.save())
    moved.now = street.now
    (closed,) = moved.run(2, level=2)
    assert (closed.id, closed.phase.value, closed.device) == (opened.id, "close", "cam")


def test_it_says_why_it_runs_weaker():
    street = Street(gauge=GAUGE)
    assert list(street.state.remarks()) == ["no look at the road yet", "no value of the gauge yet"]
    street.dry = None
    street.run(10, pond(0), 2)
    assert list(street.state.remarks()) == ["no dry reference by day"]
    street.dry = DRY
    street.run(200, pond(0), -400)
    assert list(street.state.remarks()) == ["gauge not trusted: out-of-range"]


def test_the_state_to_save_stays_the_same_while_nothing_happens():
    street = Street(gauge=GAUGE)
    street.run(60, pond(0), 2)
    before = json.dumps(street.state.save())
    street.run(120, pond(0.02), lambda step: 2 + step % 3)
    assert json.dumps(street.state.save()) == before


def test_a_day_of_wet_road_headlights_shadows_snow_and_a_stuck_gauge_alarms_never():
    chance = np.random.default_rng(1)
    street = Street(gauge=GAUGE, persist_s=30)

    def gloss(_step):
        return np.where(chance.random(DRY.shape) < 0.3, 140, 90).astype(np.uint8)

    def headlights(step):
        wet = DRY.copy()
        x = step * 7 % 90
        wet[20:, max(0, x - 10) : x] = 240
        return wet

    def shadow(step):
        wet = DRY.copy()
        x = step % 80
        wet[15:18, x : x + 6] = 200
        return wet

    def snow(step):
        return np.where(chance.random(DRY.shape) < 0.02 * (step % 10), 160, 60).astype(np.uint8)

    for what in (gloss, headlights, shadow, snow):
        for light in ("day", "night"):
            street.light = light
            street.run(1800, what, 3)
    assert street.events == []


def test_the_road_is_known_dry_only_by_a_gauge_that_long_says_so():
    street = Street(gauge=GAUGE)
    street.run(1700, pond(0), lambda step: 2 + step % 2)
    assert street.state.dry() == ()
    street.run(200, pond(0), lambda step: 2 + step % 2)
    assert street.state.dry() == ("cam",)
    street.run(10, pond(0.3, "right"), 2)
    assert street.state.dry() == ()
    assert Street().state.dry() == ()


def test_its_pictures_outline_the_water():
    street = Street()
    street.run(60, pond(0))
    asked = []
    for _ in range(11):
        street.run(2, pond(0.3))
        asked += street.state.shots()
    assert {shot.moment for shot in asked} == {"arrival", "half-way", "alarm"}
    alarm = next(shot for shot in asked if shot.moment == "alarm")
    assert alarm.event == street.events[0].id
    (outline,) = alarm.outline
    assert min(y for _, y in outline) == pytest.approx(0.78, abs=0.05)


def test_time_may_be_set_while_it_rains():
    street = Street(gauge=GAUGE)
    street.run(60, pond(0), 2)
    street.run(60, pond(0.3), 60)
    street.state.shift(86400.0 * 365)
    street.now = street.now.replace(year=2027)
    assert all(event.phase.value == "update" for event in street.run(60, pond(0.3), 60))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"camera": "", "zone": ""}, "give a camera, a gauge, or both"),
        ({"zone": ""}, "belong together"),
        ({"close_share": 0.2}, "must be below open_share"),
        ({"levels_mm": {"attention": 50, "warning": 40, "danger": 60}}, "must rise"),
        ({"gauge": {**GAUGE, "dry_mm": 30}}, "must be below wet_mm"),
        ({"gauge": {**GAUGE, "at": (1.2, 0.5)}}, "outside 0..1"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_words(settings, words):
    with pytest.raises(ValidationError, match=words):
        rule(**settings)


def test_a_gauge_blamed_by_the_camera_alone_leaves_its_water_suspected():
    street = Street(gauge=GAUGE | {"reach": 1.0})
    street.run(120, wet=DRY, level=0)
    told = street.run(900, wet=pond(0.4), level=0)
    assert ("gauge.fault", "open") in [line[:2] for line in brief(told)]
    states = {line[2] for line in brief(told) if line[0] == "road.waterlogging"}
    assert states == {"suspected"}
