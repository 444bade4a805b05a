"""The time as satellites tell it, for a box whose own clock is unset or wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.agent.clock import Clock
from lamppost.agent.gnss import LEAP_S, LEAST_SENTENCES, LEAST_SPAN_S, listener
from lamppost.drivers.api import Driver, Frame, Quality, Reading, TrueTime
from lamppost.drivers.serial.driver import Serial

TRUE_S = datetime(2026, 5, 1, tzinfo=UTC).timestamp()
ROLLED_OVER_S = 1024 * 7 * 86400.0


class Box:
    """A box in a world whose time is true; ``wrong_s`` is how its own clock is off."""

    def __init__(self, wrong_s: float, last_known: datetime | None = None) -> None:
        self.true_s = TRUE_S
        self.up_s = 40.0
        self.wrong_s = wrong_s
        self.clock = Clock(last_known, wall=lambda: self.true_s + self.wrong_s, monotonic=lambda: self.up_s)
        self.steps: list[float] = []

    def passes(self, seconds: float) -> None:
        self.true_s += seconds
        self.up_s += seconds
        self.check()

    def check(self) -> None:
        step_s = self.clock.check()
        if step_s is not None:
            self.steps.append(step_s)

    def hears(self, seconds: int, lie_s: float = 0.0) -> None:
        """Hear a sentence each second."""
        for _ in range(seconds):
            self.passes(1)
            self.clock.hear(self.true_s + lie_s, self.up_s)
        self.check()

    @property
    def off_s(self) -> float:
        """How wrong the agent's clock is."""
        return self.clock.now().timestamp() - self.true_s


def unset() -> Box:
    return Box(wrong_s=-TRUE_S + 30)


def test_a_box_that_boots_in_1970_learns_the_time():
    box = unset()
    assert box.clock.source == "unset"
    box.hears(20)
    assert box.clock.source == "gnss"
    assert box.clock.plausible
    assert box.off_s == pytest.approx(0, abs=0.1)
    assert box.steps == [pytest.approx(TRUE_S - 30)]


def test_a_clock_that_is_behind_its_own_past_learns_the_time():
    box = Box(-86400.0, last_known=datetime(2026, 5, 1, tzinfo=UTC) - timedelta(hours=1))
    assert box.clock.source == "unset"
    box.hears(20)
    assert (box.clock.source, box.steps) == ("gnss", [pytest.approx(86400)])


@pytest.mark.parametrize("wrong_s", [-7200, -2.5, 3, 1e6])
def test_a_clock_that_is_wrong_is_put_right(wrong_s):
    box = Box(wrong_s)
    box.hears(20)
    assert box.off_s == pytest.approx(0, abs=0.1)
    assert box.steps == [pytest.approx(-wrong_s, abs=0.1)]


@pytest.mark.parametrize("wrong_s", [0, 1.5, -1.9])
def test_a_clock_that_is_right_is_left_alone(wrong_s):
    box = Box(wrong_s)
    box.hears(60)
    assert (box.clock.source, box.clock.ahead_s, box.steps) == ("system", 0, [])


def test_a_clock_thought_unset_for_a_file_from_a_wrong_future_is_believed_when_it_is_right():
    box = Box(0.0, last_known=datetime(2040, 1, 1, tzinfo=UTC))
    assert box.clock.source == "unset"
    box.hears(20)
    assert (box.clock.source, box.steps) == ("system", [])


@pytest.mark.parametrize("every_s", [0.1, 0.5, 1, 10, 60])
def test_the_time_is_learnt_however_often_it_is_told(every_s):
    box = unset()
    for _ in range(max(LEAST_SENTENCES, round(2 * LEAST_SPAN_S / every_s))):
        box.passes(every_s)
        box.clock.hear(box.true_s, box.up_s)
    box.check()
    assert (box.clock.source, box.off_s) == ("gnss", pytest.approx(0, abs=0.1))


@settings(deadline=None)
@given(st.integers(0, LEAST_SENTENCES - 1) | st.just(0), st.floats(1, 100))
def test_few_sentences_are_not_enough(count, every_s):
    box = unset()
    for _ in range(count):
        box.passes(every_s)
        box.clock.hear(box.true_s, box.up_s)
    box.passes(1)
    assert (box.clock.source, box.steps) == ("unset", [])


def test_many_sentences_within_a_moment_are_not_enough():
    box = unset()
    for _ in range(50):
        box.passes(LEAST_SPAN_S / 1000)
        box.clock.hear(box.true_s, box.up_s)
    box.passes(1)
    assert (box.clock.source, box.steps) == ("unset", [])


def test_sentences_that_disagree_are_not_believed():
    box = unset()
    for n in range(100):
        box.hears(1, lie_s=7.0 * (n % 2))
    assert (box.clock.source, box.steps) == ("unset", [])


@pytest.mark.parametrize("lie_s", [-ROLLED_OVER_S, ROLLED_OVER_S, -TRUE_S, 1e12])
def test_a_receiver_that_has_lost_count_of_weeks_is_never_believed(lie_s):
    box = unset()
    box.hears(300, lie_s)
    assert (box.clock.source, box.steps) == ("unset", [])
    right = Box(0.0)
    right.hears(300, lie_s)
    assert (right.clock.source, right.steps) == ("system", [])


@settings(deadline=None, max_examples=30)
@given(st.floats(LEAP_S + 3, 1e7) | st.floats(-1e7, -LEAP_S - 3), st.integers(1, 60), st.booleans())
def test_a_receiver_that_jumps_does_not_move_the_clock(jump_s, lasts_s, was_unset):
    box = unset() if was_unset else Box(0.0)
    box.hears(30)
    before = list(box.steps)
    box.hears(lasts_s, jump_s)
    assert box.off_s == pytest.approx(0, abs=0.1)
    box.hears(60)
    assert (box.off_s, box.steps) == (pytest.approx(0, abs=0.1), before)


def test_a_receiver_that_learns_of_leap_seconds_is_followed():
    box = unset()
    box.hears(30, lie_s=18)
    assert box.off_s == pytest.approx(18)
    box.hears(60)
    assert box.off_s == pytest.approx(0, abs=0.1)
    assert box.steps[1:] == [pytest.approx(-18)]


def test_a_time_server_takes_the_clock_back():
    box = unset()
    box.hears(30)
    box.wrong_s = 0.3
    box.hears(60)
    assert (box.clock.source, box.clock.ahead_s) == ("system", 0)
    assert box.steps == [pytest.approx(TRUE_S - 30)]  # both knew the time: nothing moved for anybody


def test_a_clock_that_was_set_is_trusted_more_than_satellites():
    box = Box(-600.0)
    box.hears(30)
    box.wrong_s = 5.0
    box.hears(60)
    assert (box.clock.source, box.off_s) == ("system", pytest.approx(5))
    assert box.steps == [pytest.approx(600), pytest.approx(5)]


def test_a_clock_that_is_slewed_to_the_true_time_is_taken_back():
    box = Box(-8.0)
    box.hears(30)
    assert box.clock.source == "gnss"
    while box.wrong_s < 0:
        box.wrong_s += 0.01
        box.hears(1)
        assert abs(box.off_s) < 2.5
    box.hears(60)
    assert (box.clock.source, box.clock.ahead_s) == ("system", 0)


def test_a_system_clock_that_loses_the_time_takes_nobody_with_it():
    box = unset()
    box.hears(30)
    before = list(box.steps)
    box.wrong_s -= 20
    box.hears(1)
    assert (box.off_s, box.steps) == (pytest.approx(0, abs=0.1), before)


def test_time_goes_on_without_satellites():
    box = unset()
    box.hears(30)
    for _ in range(48):
        box.passes(3600)
    assert box.off_s == pytest.approx(0, abs=0.1)
    box.hears(30)
    assert len(box.steps) == 1


def test_a_sentence_counts_from_when_it_was_heard():
    box = unset()
    for n in range(40):
        box.passes(1)
        box.clock.hear_at(box.true_s - n % 8, box.clock.now() - timedelta(seconds=n % 8))
    assert box.off_s == pytest.approx(0, abs=0.1)
    box.clock.hear_at(box.true_s, box.clock.now() + timedelta(seconds=50))
    box.clock.hear_at(box.true_s, box.clock.now() - timedelta(days=50))
    box.hears(1)
    assert (len(box.steps), box.clock.source) == (1, "gnss")


happenings = st.lists(
    st.one_of(
        st.tuples(st.just("hears"), st.floats(-5, 5) | st.sampled_from([0.0, -ROLLED_OVER_S, 3600.0])),
        st.tuples(st.just("set"), st.floats(-1e5, 1e5)),
        st.tuples(st.just("passes"), st.floats(0.1, 4000)),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=40)
@given(happenings, st.sampled_from([0.0, -600.0, 30 - TRUE_S]))
def test_every_move_of_the_clock_is_told_with_its_size(told, wrong_s):
    box = Box(wrong_s)
    shown_s, up_s = box.clock.now().timestamp(), box.up_s
    for what, value in told:
        if what == "hears":
            box.hears(15, value)
        elif what == "set":
            box.wrong_s += value
        else:
            box.passes(value)
        box.check()
    passed_s = box.up_s - up_s
    moved_s = box.clock.now().timestamp() - shown_s - passed_s
    assert moved_s == pytest.approx(sum(box.steps), abs=2.0 * len(told) + 0.1)


AT = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)


def test_samples_get_the_time_of_the_clock():
    box = unset()
    samples = [Reading("gnss", "utc", 1.0, "s", AT), Frame("cam", None, AT, 7)]
    assert box.clock.stamped(samples) == samples
    box.hears(30)
    by = timedelta(seconds=box.clock.ahead_s)
    stamped = box.clock.stamped(samples)
    assert [sample.at for sample in stamped] == [AT + by, AT + by]
    assert isinstance(stamped[1], Frame)
    assert stamped[1].seq == 7


class Receiver(Driver):
    quantity: str = "utc"
    within_s: float = 1.0

    def true_time(self) -> TrueTime | None:
        return TrueTime(self.quantity, self.within_s) if self.quantity else None


def test_only_good_readings_of_the_true_time_are_heard():
    heard: list[float] = []
    listen = listener(Receiver(name="gnss"), lambda utc, _at: heard.append(utc))
    assert listen is not None
    listen(
        [
            Reading("gnss", "lat", 22.5, "lat", AT),
            Reading("gnss", "utc", 5.0, "s", AT),
            Reading("gnss", "utc", None, "s", AT, Quality.BAD),
            Reading("gnss", "utc", "7", "s", AT),
            Reading("gnss", "utc", 6, "s", AT),
        ]
    )
    assert heard == [5.0, 6.0]


@pytest.mark.parametrize(
    "driver", [Driver(name="meter"), Receiver(name="gauge", quantity=""), Receiver(name="slow", within_s=60)]
)
def test_a_device_that_does_not_know_the_time_is_not_asked(driver):
    assert listener(driver, print) is None


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"profile": "nmea-gnss"}, TrueTime("utc", 1.0)),
        ({"profile": "nmea-gnss", "quantities": ["lat", "lon"]}, None),
        ({"profile": "a02yyuw"}, None),
        ({"profile": "hj212-2017"}, None),
    ],
)
def test_a_serial_device_tells_the_time_if_it_is_a_receiver_whose_time_is_passed_on(settings, told):
    driver = Serial.model_validate({"name": "sensor", "port": "/dev/null", **settings})
    assert driver.true_time() == told
