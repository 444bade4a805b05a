"""The clock of a box that may not know the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.agent.clock import EARLIEST, SMALLEST_STEP_S, Clock

NOW_S = datetime(2026, 5, 1, tzinfo=UTC).timestamp()


class Box:
    """A box whose time passes and whose clock is set by a test."""

    def __init__(self, wall_s: float = NOW_S) -> None:
        self.wall_s = wall_s
        self.up_s = 12.5

    def clock(self, last_known: datetime | None = None) -> Clock:
        return Clock(last_known, wall=lambda: self.wall_s, monotonic=lambda: self.up_s)

    def passes(self, seconds: float) -> None:
        self.wall_s += seconds
        self.up_s += seconds

    def set(self, by_s: float) -> None:
        self.wall_s += by_s


steps = st.one_of(
    st.integers(-10_000_000, 10_000_000).filter(lambda s: abs(s) > SMALLEST_STEP_S),
    st.sampled_from([2.5, -2.5]),
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e5), st.one_of(st.none(), steps)), max_size=20))
def test_every_step_is_reported_once_with_its_size(happenings):
    box = Box()
    clock = box.clock()
    for passed_s, step_s in happenings:
        box.passes(passed_s)
        assert clock.check() is None
        if step_s is not None:
            box.set(step_s)
            assert clock.check() == pytest.approx(step_s, abs=1e-3)
        assert clock.check() is None


@settings(deadline=None)
@given(st.lists(st.floats(-1.9, 1.9), max_size=50))
def test_slewing_is_no_step_however_far_it_goes(slews):
    box = Box()
    clock = box.clock()
    for slew_s in slews:
        box.passes(1)
        box.set(slew_s)
        assert clock.check() is None


@settings(deadline=None)
@given(st.datetimes(datetime(1970, 1, 2), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  bounds have none
def test_now_is_the_wall_time_in_utc(at):
    now = Box(at.timestamp()).clock().now()
    assert now.tzinfo is UTC
    assert abs(now - at) < timedelta(milliseconds=1)


@settings(deadline=None)
@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.none() | st.datetimes(datetime(1970, 1, 2), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_time_before_2024_or_before_the_last_known_one_is_not_plausible(at, last_known):
    clock = Box(at.timestamp()).clock(last_known)
    assert clock.plausible == (clock.now() >= EARLIEST and (last_known is None or clock.now() >= last_known))


def test_box_without_a_clock_becomes_plausible_when_the_time_arrives():
    box = Box(wall_s=30)
    clock = box.clock(last_known=datetime(2026, 4, 1, tzinfo=UTC))
    assert not clock.plausible
    box.set(NOW_S)
    assert clock.check() == NOW_S
    assert clock.plausible


def test_time_saved_in_a_wrong_future_does_not_outweigh_a_clock_that_was_set():
    box = Box(wall_s=30)
    clock = box.clock(last_known=datetime(2099, 1, 1, tzinfo=UTC))
    box.set(NOW_S)
    assert not clock.plausible
    clock.check()
    assert clock.plausible


def test_real_clock_runs():
    clock = Clock()
    assert clock.plausible
    assert clock.check() is None
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=10)
