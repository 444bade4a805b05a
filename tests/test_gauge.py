"""The arithmetic of a level gauge: spikes, rate, temperature, and readings of any kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.agent.rules.gauge import Gauge, GaugeSettings
from lamppost.drivers.api import Reading

T0 = datetime(2026, 6, 1, tzinfo=UTC)


def fed(values, *, every_s: float = 2.0, unit: str = "mm", **keys) -> tuple[Gauge, float]:
    gauge = Gauge(
        GaugeSettings.model_validate({"device": "g", "mounting_height_mm": 2500, "window_s": 20, **keys})
    )
    now = 0.0
    for n, value in enumerate(values):
        at = T0 + timedelta(seconds=n * every_s)
        gauge.take(Reading("g", "distance", value, unit, at))
        now = at.timestamp()
    return gauge, now


def test_level_is_mounting_height_minus_distance_in_any_unit():
    assert fed([2400] * 5)[0].level_mm(T0.timestamp()) == 100
    assert fed([2.4] * 5, unit="m")[0].level_mm(T0.timestamp()) == pytest.approx(100)
    assert fed([35] * 5, mounting_height_mm=None)[0].level_mm(T0.timestamp()) == 35


def test_spikes_are_rejected_and_a_real_step_is_believed():
    spiked, now = fed([2490] * 8 + [900] + [2490] * 8 + [4999] + [2490] * 4)
    assert spiked.level_mm(now) == 10
    assert spiked.trouble is None
    moved, now = fed([2490] * 10 + [2100] * 12)
    assert moved.level_mm(now) == 400


def test_a_gauge_that_jumps_loses_its_vote_and_gets_it_back():
    gauge, now = fed([2490, 1200, 2490, 2490, 700, 2490, 1900] * 6)
    assert gauge.trouble is not None
    assert gauge.trouble.kind == "jumping"
    assert gauge.opinion(now) == "unknown"
    calm, now = fed([2490, 1200, 2490, 2490, 700, 2490, 1900] * 6 + [2490, 2491] * 120)
    assert calm.trouble is None
    assert calm.opinion(now) == "dry"


def test_an_echo_that_comes_and_goes_in_bursts_is_jumping():
    gauge, _ = fed(([2497] * 8 + [2100] * 8) * 4)
    assert gauge.trouble is not None
    assert gauge.trouble.kind == "jumping"


@pytest.mark.parametrize("unit", ["", "in", "Cel"])
def test_a_value_without_a_length_unit_is_no_level(unit):
    gauge, now = fed([2.5] * 60, unit=unit)
    assert gauge.opinion(now) == "unknown"
    assert gauge.trouble is not None
    assert "give the quantity mm, cm or m" in gauge.trouble.detail


def test_rise_and_time_to_the_next_level():
    gauge, now = fed([2500 - n for n in range(120)], every_s=3)
    assert gauge.rise_mm_per_min() == pytest.approx(20, abs=0.5)
    level = gauge.level_mm(now)
    assert level is not None
    assert gauge.to_level_s(150, now) == pytest.approx((150 - level) * 3, rel=0.05)
    assert gauge.to_level_s(50, now) is None


def test_cold_air_carries_sound_slower():
    gauge = Gauge(GaugeSettings(device="g", mounting_height_mm=2500))
    gauge.warm(-10.0)
    gauge.warm("cold")
    gauge.take(Reading("g", "distance", 2500, "mm", T0))
    assert gauge.level_mm(T0.timestamp()) == pytest.approx(2500 * (1 - (263.15 / 293.15) ** 0.5))


def test_a_dry_gauge_may_stay_the_same_for_days():
    gauge, now = fed([2498] * 2000, every_s=120)
    assert gauge.trouble is None
    assert gauge.opinion(now) == "dry"


def test_water_that_never_moves_by_a_digit_is_a_stuck_gauge():
    gauge, _ = fed([2300] * 400, every_s=60)
    assert gauge.trouble is not None
    assert gauge.trouble.kind == "stuck"


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.floats(),
    st.integers(-(10**9), 10**9),
    st.integers(0, 3000),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(VALUES, st.floats(-1e4, 1e4), st.sampled_from(["mm", "m", "", "Cel"])), max_size=60)
)
def test_no_sequence_of_readings_raises(readings):
    gauge = Gauge(GaugeSettings(device="g", mounting_height_mm=2500))
    for value, seconds, unit in readings:
        at = T0 + timedelta(seconds=seconds)
        gauge.take(Reading("g", "distance", value, unit, at))
        now = at.timestamp()
        assert gauge.opinion(now) in ("wet", "dry", "unknown")
        level = gauge.level_mm(now)
        assert level is None or -100 < level < 2500
        gauge.rise_mm_per_min()
        gauge.to_level_s(50, now)


def test_water_that_has_gone_again_does_not_rise():
    up, down = [2500 - 8 * n for n in range(26)], [2300 + 10 * n for n in range(21)]
    gauge, now = fed([2500] * 10 + up + down + [2500] * 12, every_s=1.0, window_s=4)
    assert gauge.level_mm(now) == 0
    assert gauge.to_level_s(50, now) is None
