"""Loitering: whoever stays is told of once, however often lost; whoever passes never is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from walking import START, Thing, Walk, car

from lamppost.agent.rules.loitering import Loitering
from lamppost.agent.sight.replay import replay
from lamppost.drivers.camera.recording import open_recording
from lamppost.models.detector import load_detector

CLIPS = Path(__file__).parent.parent.parent / "shared/clips"


def square(seed=0, **settings):
    rule = Loitering(**{"name": "r", "camera": "cam", "zone": "square", "dwell_s": 20.0, **settings})
    return Walk(rule, seed=seed)


def to_and_fro(speed=0.05, far=0.3):
    """Walk within the zone, from one side to the other and back."""

    def where(s):
        way = (s * speed) % (2 * far)
        return [Thing(0.35 + min(way, 2 * far - way), 0.7)]

    return where


def since(walk):
    return [(e.since - START).total_seconds() for e in walk.events if e.phase.value == "open"]


@pytest.mark.parametrize("fps", [2, 5, 10])
def test_somebody_who_stands_is_told_of_once_and_closed(fps):
    walk = square()
    walk.pass_time(5, [], fps=fps)
    walk.pass_time(60, [Thing(0.5, 0.7)], fps=fps)
    walk.pass_time(20, [], fps=fps)
    assert [phase for _, phase in walk.phases] == ["open", "close"]
    assert walk.phases[0][0] == pytest.approx(25, abs=0.6)
    assert walk.phases[1][0] == pytest.approx(65, abs=0.6)
    assert len({event.id for event in walk.events}) == 1
    assert walk.events[0].kind == "people.loitering"
    assert walk.events[0].measures["label"] == "person"
    assert walk.events[1].measures["duration_s"] == pytest.approx(60, abs=1)


def test_somebody_who_walks_to_and_fro_in_the_zone_stays():
    walk = square()
    walk.pass_time(40, to_and_fro())
    assert walk.phases == [(pytest.approx(20, abs=1), "open")]


@pytest.mark.parametrize("seed", range(4))
def test_lost_sights_do_not_restart_the_time(seed):
    walk = square(seed)
    walk.pass_time(60, to_and_fro(), missed=0.3)
    assert walk.phases == [(pytest.approx(20, abs=2.5), "open")]


def test_somebody_hidden_behind_something_for_a_while_is_the_same():
    walk = square(dwell_s=30)
    for _ in range(4):
        walk.pass_time(6, [Thing(0.5, 0.7)])
        walk.pass_time(5, [])
    assert [phase for _, phase in walk.phases] == ["open"]
    assert since(walk) == [0.0]


def test_somebody_who_turns_up_a_few_steps_from_where_he_was_lost_is_the_same():
    walk = square(dwell_s=30)
    walk.pass_time(15, [Thing(0.45, 0.7)])
    walk.pass_time(4, [])
    walk.pass_time(20, [Thing(0.52, 0.72)])
    assert since(walk) == [0.0]


def test_badly_seen_people_stay_as_long_as_others():
    walk = square(min_score=0.3)
    walk.pass_time(6, [Thing(0.5, 0.7, score=0.4)])
    walk.pass_time(60, lambda s: [Thing(0.5, 0.7, score=0.32 if int(s / 4) % 2 else 0.24)], missed=0.4)
    assert since(walk) == [0.0]


def test_a_short_step_out_of_the_zone_counts_and_a_long_one_does_not():
    for away_s, begins in ((6, 0.0), (20, 35.0)):
        walk = square(dwell_s=30)
        walk.pass_time(15, [Thing(0.6, 0.7)])
        walk.pass_time(away_s, [Thing(0.78, 0.7)])
        walk.pass_time(40, [Thing(0.6, 0.7)])
        assert since(walk) == [pytest.approx(begins, abs=2.1)]


def test_passers_by_are_never_told_of_however_many():
    walk = square(dwell_s=8)
    walk.pass_time(
        300, lambda s: [Thing((s * 0.1 + k * 0.23) % 1.4 - 0.2, 0.5 + 0.1 * k) for k in range(4)], missed=0.2
    )
    assert walk.phases == []


def test_one_after_the_other_in_the_same_place_is_two_people():
    walk = square(dwell_s=15)
    for _ in range(4):
        walk.pass_time(3, lambda s: [Thing(0.05 + 0.15 * s, 0.7)], fps=5)
        walk.pass_time(8, [Thing(0.5, 0.7)], fps=5)
        walk.pass_time(4, lambda s: [Thing(0.5 + 0.15 * s, 0.7)], fps=5)
    assert walk.phases == []


@pytest.mark.parametrize("fps", [2, 5])
def test_a_passer_by_takes_nobodys_time_along(fps):
    walk = square(dwell_s=40)

    def street(s):
        standing = Thing(0.5, 0.7)
        passing = [Thing((s % 12) * 0.15 - 0.3, 0.71)]
        hidden = abs(passing[0].x - 0.5) < 0.03
        return [*([] if hidden else [standing]), *passing]

    walk.pass_time(60, street, fps=fps)
    assert since(walk) == [pytest.approx(0.0, abs=0.1)]


@pytest.mark.parametrize("seed", range(3))
def test_two_who_stand_in_a_crowd_that_walks_through_are_two_events(seed):
    walk = square(seed, dwell_s=60)

    def crowd(s):
        walkers = [
            Thing((s * (0.06 + 0.02 * (k % 5)) * (1 if k % 2 else -1) + k * 0.31) % 1.4 - 0.2, 0.5 + 0.03 * k)
            for k in range(12)
        ]
        return [Thing(0.45, 0.66), Thing(0.55, 0.66), *walkers]

    walk.pass_time(300, crowd, missed=0.15)
    assert since(walk) == [pytest.approx(0.0, abs=1.0)] * 2
    assert [phase for _, phase in walk.phases] == ["open", "open"]


def test_two_who_stay_are_two_events():
    walk = square()
    walk.pass_time(40, [Thing(0.4, 0.6), Thing(0.6, 0.8)])
    assert [phase for _, phase in walk.phases] == ["open", "open"]


def test_a_second_box_around_the_same_one_is_no_second_event():
    walk = square()
    walk.pass_time(60, [Thing(0.5, 0.7), Thing(0.502, 0.7, width=0.05, height=0.12, score=0.4)])
    assert [phase for _, phase in walk.phases] == ["open"]


def test_a_stalled_stream_and_a_restart_go_on_with_the_time():
    walk = square(dwell_s=60)
    walk.pass_time(20, [Thing(0.5, 0.7)])
    walk.now_s += 25
    walk.pass_time(10, [Thing(0.5, 0.7)])
    walk.restart(10)
    walk.pass_time(20, [Thing(0.5, 0.7)])
    assert since(walk) == [0.0]
    walk.restart(10)
    walk.pass_time(10, [Thing(0.5, 0.7)])
    walk.pass_time(20, [])
    assert [phase for _, phase in walk.phases] == ["open", "close"]
    assert len({event.id for event in walk.events}) == 1


def test_who_left_during_the_restart_is_closed():
    walk = square()
    walk.pass_time(30, [Thing(0.5, 0.7)])
    walk.restart(5)
    walk.pass_time(15, [])
    assert [phase for _, phase in walk.phases] == ["open", "close"]


def test_after_an_hour_without_pictures_nobody_is_the_same():
    walk = square(dwell_s=60)
    walk.pass_time(40, [Thing(0.5, 0.7)])
    walk.restart(3600)
    walk.pass_time(40, [Thing(0.5, 0.7)])
    assert walk.phases == []


def test_an_open_event_of_another_zone_is_closed():
    walk = square()
    walk.pass_time(30, [Thing(0.5, 0.7)])
    saved = json.loads(json.dumps(walk.state.save()))
    other = Walk(Loitering(name="r", camera="other", zone="square", dwell_s=20))
    other.state = other.rule.start(saved)
    other.now_s = walk.now_s
    other.pass_time(2, [])
    assert [event.phase.value for event in other.events] == ["close"]
    assert other.rule.start({"open": 7}).save()["present"] == []


def test_updates_come_at_their_interval():
    walk = square(update_s=20)
    walk.pass_time(75, [Thing(0.5, 0.7)])
    assert [phase for _, phase in walk.phases] == ["open", "update", "update"]


def test_nothing_opens_within_the_repeat():
    for repeat_s, opened in ((0, 2), (300, 1)):
        walk = square(repeat_s=repeat_s)
        walk.pass_time(30, [Thing(0.4, 0.6)])
        walk.pass_time(15, [])
        walk.pass_time(30, [Thing(0.6, 0.8)])
        assert [phase for _, phase in walk.phases].count("open") == opened


def test_the_time_before_the_schedule_begins_does_not_count():
    walk = square(schedule={"hours": "12:01-13:00", "days": "mon"})
    walk.pass_time(100, [Thing(0.5, 0.7)])
    assert walk.phases == [(pytest.approx(80, abs=0.6), "open")]


def test_any_class_may_loiter_and_says_so():
    walk = square(classes=("car", "truck"))
    walk.pass_time(40, [car(0.5, 0.7), Thing(0.4, 0.6)])
    assert [event.kind for event in walk.events] == ["object.loitering"]
    assert walk.events[0].measures["label"] == "car"
    named = square(classes=("car",), event="taxi.waiting")
    named.pass_time(40, [car(0.5, 0.7)])
    assert [event.kind for event in named.events] == ["taxi.waiting"]


def test_size_limits_keep_reflections_out():
    walk = square(min_height=0.1, max_height=0.4)
    walk.pass_time(60, [Thing(0.4, 0.6, height=0.05), Thing(0.6, 0.8, height=0.6)])
    assert walk.phases == []


def test_a_set_clock_moves_the_time_in_the_zone():
    walk = square()
    walk.pass_time(15, [Thing(0.5, 0.7)])
    walk.state.shift(7200.0)
    walk.now_s += 7200.0
    walk.pass_time(10, [Thing(0.5, 0.7)])
    assert since(walk) == [7200.0]


TRUTH = CLIPS / "real_person_lingering.truth.json"


@pytest.mark.soak
@pytest.mark.skipif(not TRUTH.is_file(), reason=f"needs the street clips in {CLIPS}")
@pytest.mark.parametrize("fps", [2.0, 5.0])
def test_everybody_who_lingers_in_a_real_clip_is_told_of_once(fps):
    truth = json.loads(TRUTH.read_text())
    zones = {zone["id"]: [tuple(point) for point in zone["polygon"]] for zone in truth["zones"]}
    expected = {int(key[2:]): events for key, events in truth["expected_loitering"].items()}
    rules = [
        Loitering(name=str(dwell_s), camera="cam", zone=next(iter(zones)), dwell_s=dwell_s)
        for dwell_s in expected
    ]
    looks = replay(
        open_recording(CLIPS / truth["clip"]),
        device="cam",
        zones=zones,
        fps=fps,
        rules=rules,
        detect=load_detector("nanodet-g"),
    )
    opened = [event for look in looks for event in look.events if event.phase.value == "open"]
    for dwell_s, events in expected.items():
        got = [(e.at - START).total_seconds() for e in opened if e.rule == str(dwell_s)]
        assert got == [pytest.approx(event["at_s"], abs=event["tolerance_s"]) for event in events]
