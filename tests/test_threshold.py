"""What a threshold rule makes of a series of readings."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thresholds import START, Box, at, reading, rule, told

from lamppost.agent.event import Phase, Severity
from lamppost.drivers.api import Frame


def test_level_above_its_limit_opens_and_closes_with_what_happened():
    box = Box(above=5, severity="notice", zone="underpass")
    opened, closed = box.feed(4, 5, 6, 8, 7, 5)
    assert told(box.events) == [("threshold.above", "open", 2), ("threshold.above", "close", 5)]
    assert opened.measures == {"value": 6, "limit": 5, "extreme": 6, "quantity": "level", "unit": "m"}
    assert closed.measures == {
        "value": 5, "limit": 5, "extreme": 8, "quantity": "level", "unit": "m", "duration_s": 3,
    }  # fmt: skip
    assert (opened.id, opened.revision, closed.revision) == (closed.id, 0, 1)
    assert (opened.rule, opened.device, opened.zone) == ("flood", "gauge", "underpass")
    assert (opened.severity, opened.confidence, opened.since) == (Severity.NOTICE, 1.0, at(2))


def test_hysteresis_keeps_a_trembling_value_from_opening_twice():
    box = Box(above=5, hysteresis=1)
    assert told(box.feed(6, 4.5, 5.5, 4.1, 6, 4, 4.5, 5)) == [
        ("threshold.above", "open", 0),
        ("threshold.above", "close", 5),
    ]


@pytest.mark.parametrize("settings", [{"above": 0.3}, {"below": -0.3}])
def test_rounding_of_decimals_neither_opens_nor_keeps_open(settings):
    box = Box(hysteresis=0.1, **settings)
    sign = 1 if "above" in settings else -1
    assert box.feed(sign * 3 * 0.1) == []
    assert [e.phase for e in box.feed(sign * 0.4, sign * 0.2, start=1)] == [Phase.OPEN, Phase.CLOSE]


def test_value_below_its_limit_is_told_with_the_lowest():
    box = Box(below=200, hysteresis=5)
    assert told(box.feed(230, 190, 180, 204, 205)) == [
        ("threshold.below", "open", 1),
        ("threshold.below", "close", 4),
    ]
    assert box.events[-1].measures["extreme"] == 180


def test_band_has_an_event_of_its_own_on_each_side():
    box = Box(below=200, above=250)
    box.feed(230, 260, 190, 230)
    assert told(box.events) == [
        ("threshold.above", "open", 1),
        ("threshold.above", "close", 2),
        ("threshold.below", "open", 2),
        ("threshold.below", "close", 3),
    ]
    assert len({event.id for event in box.events}) == 2


def test_level_must_hold_for_its_time_and_is_dated_from_its_beginning():
    box = Box(above=5, for_s=3)
    (opened,) = box.feed(6, 6, 5, 6, 7, 9, 8)
    assert (opened.at, opened.since, opened.measures["extreme"]) == (at(6), at(3), 9)


def test_level_must_be_back_for_its_time():
    box = Box(above=5, clear_s=3)
    assert told(box.feed(6, 4, 4, 6, 4, 4, 4, 4))[1:] == [("threshold.above", "close", 7)]


def test_bad_readings_change_nothing():
    box = Box(above=5, for_s=2)
    assert told(box.feed(None, 6, None, 6, None, None, 4, None)) == [
        ("threshold.above", "open", 3),
        ("threshold.above", "close", 6),
    ]


@pytest.mark.parametrize("value", ["open", float("nan"), float("inf"), 10**400])
def test_what_is_no_number_changes_nothing(value):
    assert Box(above=5).feed(value, value) == []


def test_other_devices_quantities_and_pictures_change_nothing():
    state = rule(above=5).start(None)
    for sample in (
        reading(9, 0)._replace(device="other"),
        reading(9, 0)._replace(quantity="other"),
        Frame("gauge", None, START, 1),
    ):
        assert list(state.step(sample, START)) == []


def test_switch_is_a_number():
    box = Box(above=0.5, event="cabinet.open")
    assert told(box.feed(False, True, False)) == [("cabinet.open", "open", 1), ("cabinet.open", "close", 2)]


def test_sparse_readings_count_as_holding_between_them():
    box = Box(above=5, for_s=120)
    assert told(box.feed(6, 6, 6, every_s=60)) == [("threshold.above", "open", 120)]


def test_gap_does_not_count_as_holding():
    box = Box(above=5, for_s=20)
    box.feed(6, 6, 6, 6, 6)
    assert box.feed(6, start=34) == []  # 30 s of silence where 1 s is usual: 4 s were counted
    assert box.feed(*[6] * 15, start=35) == []
    (opened,) = box.feed(6, start=50)
    assert opened.since == START


def test_long_gap_begins_anew_but_leaves_open_what_is_open():
    box = Box(above=5, below=1, for_s=10, clear_s=10)
    assert len(box.feed(*[6] * 11)) == 1
    box.feed(4, 4, start=11)
    assert box.feed(4, start=3600) == []
    assert told(box.feed(*[4] * 10, start=3601)) == [("threshold.above", "close", 3610)]
    box.feed(*[0] * 5, start=3700)
    assert box.feed(0, start=7300) == []
    (opened,) = box.feed(*[0] * 10, start=7301)
    assert opened.since == at(7300)


def test_first_two_readings_far_apart_are_a_gap():
    assert Box(above=5, for_s=10).feed(6, 6, every_s=3600) == []


def test_stuck_sensor_is_told_until_it_moves():
    box = Box(flat_s=10)
    box.feed(1, 2, *[3.5] * 20, 3.6, 3.6)
    assert told(box.events) == [("sensor.stuck", "open", 12), ("sensor.stuck", "close", 22)]
    assert box.events[0].since == at(2)
    assert box.events[0].measures == {
        "value": 3.5,
        "limit": 0,
        "extreme": 0,
        "quantity": "level",
        "unit": "m",
    }


def test_stuck_sensor_may_tremble_but_not_creep():
    assert len(Box(flat_s=10, flat_delta=0.1).feed(*[1, 1.1] * 8)) == 1
    assert Box(flat_s=10, flat_delta=0.1).feed(*[n * 0.05 for n in range(60)]) == []


def test_sensor_that_moved_during_a_gap_is_no_longer_stuck():
    box = Box(flat_s=10)
    box.feed(*[5] * 11)
    assert box.feed(5, start=3600) == []
    assert told(box.feed(6, start=9000)) == [("sensor.stuck", "close", 9000)]


def test_silence_is_not_a_stuck_sensor():
    box = Box(flat_s=10)
    box.feed(5, 5)
    assert box.tick(1000) == []


def test_fast_rise_is_told_with_its_rate():
    box = Box(rise_per_min=0.1, over_s=60)
    box.feed(*[1.0] * 120)
    assert box.events == []
    box.feed(*[1 + n * 0.005 for n in range(120)], start=120)
    (opened,) = box.events
    assert opened.kind == "threshold.rising"
    assert 120 < (opened.at - START).total_seconds() < 180
    assert opened.measures["rate_per_min"] > 0.1
    box.feed(*[1.6] * 120, start=240)
    closed = box.events[-1]
    assert (closed.phase, closed.measures["limit"]) == (Phase.CLOSE, 0.1)
    assert closed.measures["extreme"] == pytest.approx(0.3, rel=0.01)


def test_fast_fall_is_told_in_positive_numbers():
    box = Box(fall_per_min=10, over_s=30)
    box.feed(*[100 - n for n in range(60)])
    (opened,) = box.events
    assert opened.kind == "threshold.falling"
    assert opened.measures["rate_per_min"] == pytest.approx(60)


@pytest.mark.parametrize("every_s", [0.05, 1, 7])
def test_single_wild_readings_are_no_rise(every_s):
    box = Box(rise_per_min=0.5, fall_per_min=0.5, over_s=60)
    box.feed(*[50.0 if n % 97 == 40 else 1.0 for n in range(400)], every_s=every_s)
    assert box.events == []


@settings(deadline=None)
@given(st.floats(-100, 100), st.sampled_from([0.5, 1, 5, 30, 60]))
def test_rate_of_a_straight_line_is_its_slope(per_min, every_s):
    box = Box(rise_per_min=1000, over_s=60)
    box.feed(*[per_min * n * every_s / 60 for n in range(int(200 / every_s))], every_s=every_s)
    assert box.state._watches["rising"].condition.figure == pytest.approx(per_min, rel=1e-6, abs=1e-6)


def test_rate_remembers_no_more_of_a_fast_sensor():
    box = Box(rise_per_min=1, over_s=60)
    box.feed(*range(20_000), every_s=0.01)
    assert len(json.dumps(box.state.save())) < 2500


def test_rate_is_not_measured_across_a_gap():
    box = Box(rise_per_min=0.1, over_s=60)
    box.feed(*[1.0] * 100)
    assert box.feed(*[9.0] * 100, start=5000) == []


def test_event_names_the_level_and_leaves_the_stuck_sensor_its_name():
    box = Box(above=5, flat_s=3, event="water.high")
    assert [e.kind for e in box.feed(6, 6, 6, 6)] == ["water.high", "sensor.stuck"]


def test_event_names_what_there_is_where_no_level_is_watched():
    assert [e.kind for e in Box(flat_s=3, event="gauge.frozen").feed(6, 6, 6, 6)] == ["gauge.frozen"]


def test_updates_bring_news_at_most_so_often():
    box = Box(above=5, update_s=10)
    box.feed(*[6 + n / 10 for n in range(25)])
    assert told(box.events)[1:] == [("threshold.above", "update", 10), ("threshold.above", "update", 20)]
    assert (box.events[-1].measures["value"], box.events[-1].measures["extreme"]) == (8, 8)


def test_update_without_news_is_not_sent():
    box = Box(above=5, update_s=10)
    assert len(box.feed(*[6] * 100)) == 1


def test_news_that_came_too_early_are_told_by_time():
    box = Box(above=5, update_s=10)
    box.feed(6, 7)
    assert box.tick(9) == []
    assert told(box.tick(10)) == [("threshold.above", "update", 10)]
    assert box.tick(30) == []
