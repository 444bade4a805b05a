"""Which readings become telemetry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.agent.policy import Filter
from lamppost.drivers.api import Quality, Reading

START = datetime(2026, 5, 1, tzinfo=UTC)


@dataclass
class Settings:
    interval_s: float = 0
    deadband: float = 0
    deadband_percent: float = 0
    heartbeat_s: float = 900


@dataclass
class Reference:
    """The policy as slowly and plainly as it can be said."""

    settings: dict[str, Settings]
    sent: dict[str, Reading] = field(default_factory=dict)

    def passes(self, reading: Reading) -> bool:
        last = self.sent.get(reading.quantity)
        if last is None or last.quality != reading.quality:
            return True
        settings = self.settings[reading.quantity]
        age = reading.at - last.at
        if settings.heartbeat_s and age >= timedelta(seconds=settings.heartbeat_s):
            return True
        return self.changed(last.value, reading.value, settings) and age >= timedelta(
            seconds=settings.interval_s
        )

    @staticmethod
    def changed(old: object, new: object, settings: Settings) -> bool:
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (old, new))
        if not numbers or not (settings.deadband or settings.deadband_percent):
            return old != new
        moved = abs(new - old)
        by_unit = settings.deadband and moved > settings.deadband
        by_share = settings.deadband_percent and moved > abs(old) * (settings.deadband_percent / 100)
        return bool(by_unit or by_share)

    def select(self, readings: Sequence[Reading]) -> list[Reading]:
        passed = []
        for reading in readings:
            if self.passes(reading):
                self.sent[reading.quantity] = reading
                passed.append(reading)
        return passed


def a_filter(**settings: float) -> Filter:
    return Filter(lambda _: Settings(**settings))


def reading(value: object, after_s: float = 0, quantity: str = "level") -> Reading:
    quality = Quality.BAD if value is None else Quality.GOOD
    return Reading("gauge", quantity, value, "m", START + timedelta(seconds=after_s), quality)


def sent(what: Filter, *values: tuple[object, float]) -> list[object]:
    """Feed (value, seconds) one by one; return the values that passed."""
    return [r.value for value, after_s in values for r in what.select([reading(value, after_s)])]


values = st.one_of(
    st.none(),
    st.integers(-12, 12),
    st.integers(-40, 40).map(lambda n: n / 4),
    st.booleans(),
    st.sampled_from(["", "open", "shut"]),
)
some_settings = st.builds(
    Settings,
    interval_s=st.sampled_from([0, 0.1, 1, 2.5, 7]),
    deadband=st.sampled_from([0, 0.25, 1, 3]),
    deadband_percent=st.sampled_from([0, 10, 25, 100]),
    heartbeat_s=st.sampled_from([0, 1, 5, 60]),
)
polls = st.lists(
    st.tuples(st.integers(0, 40), st.lists(st.tuples(st.sampled_from("abc"), values), max_size=6)),
    max_size=25,
)


@settings(deadline=None)
@given(st.fixed_dictionaries({"a": some_settings, "b": some_settings, "c": some_settings}), polls)
def test_filter_does_what_its_plain_description_says(settings, polls):
    fast, slow = Filter(settings.__getitem__), Reference(settings)
    tenths = 0
    for pause, contents in polls:
        tenths += pause
        at = START + timedelta(seconds=tenths / 10)
        readings = [
            Reading("gauge", q, v, "m", at, Quality.BAD if v is None else Quality.GOOD) for q, v in contents
        ]
        assert list(fast.select(readings)) == slow.select(readings)


few = st.sampled_from([None, 0, 1, 1.0, True, 2.5, "open"])


@settings(deadline=None)
@given(st.integers(0, 3).map(lambda n: n * 20), st.lists(st.tuples(few, few, few, st.integers(0, 30))))
def test_equal_polls_are_filtered_as_single_readings_are(heartbeat_s, rows):
    """The whole poll is compared at once; now and then one of another shape comes between."""
    fast = a_filter(heartbeat_s=heartbeat_s)
    slow = Reference(defaultdict(lambda: Settings(heartbeat_s=heartbeat_s)))
    seconds = 0
    for *row, pause in rows:
        seconds += pause
        names = "abc" if pause < 28 else "ca"
        at = START + timedelta(seconds=seconds)
        poll = [reading(v, 0, q)._replace(at=at) for q, v in zip(names, row, strict=False)]
        assert list(fast.select(poll)) == slow.select(poll)


def test_poll_that_changed_as_a_whole_passes_as_it_is():
    what = a_filter()
    for second in range(3):
        at = START + timedelta(seconds=second)
        poll = tuple(reading(second, 0, q)._replace(at=at) for q in "abc")
        assert list(what.select(poll)) == list(poll)
        assert list(what.select([r._replace(at=at) for r in poll])) == []


def test_poll_that_is_a_little_older_than_the_last_waits_as_one_reading_does():
    what = a_filter()
    assert sent(what, (1, 10), (2, 11), (3, 10.5)) == [1, 2]
    assert what.release(START + timedelta(seconds=12)) == [reading(3, 10.5)]


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), max_size=50), st.floats(0.01, 1e3))
def test_slow_drift_never_gets_further_than_the_deadband(values, deadband):
    what = a_filter(deadband=deadband, heartbeat_s=0)
    told: float | None = None
    for value in values:
        for passed in what.select([reading(value)]):
            told = passed.value
        assert abs(value - told) <= deadband * (1 + 1e-8)


def test_step_of_just_the_deadband_is_no_change_whatever_the_rounding():
    what = a_filter(deadband=0.1, heartbeat_s=0)
    assert sent(what, (1.0, 0), (1.1, 1), (1.0, 2), (0.9, 3), (1.11, 4)) == [1.0, 1.11]


def test_unchanged_value_costs_nothing_until_its_heartbeat():
    assert sent(a_filter(heartbeat_s=60), (1.0, 0), (1.0, 10), (1.0, 59.999), (1.0, 60), (1.0, 61)) == [
        1.0,
        1.0,
    ]


def test_no_heartbeat_means_never_again():
    assert sent(a_filter(heartbeat_s=0), (1.0, 0), (1.0, 1e8)) == [1.0]


def test_quality_change_passes_at_once():
    assert sent(a_filter(interval_s=60), (1.0, 0), (None, 1), (None, 2), (1.0, 3)) == [1.0, None, 1.0]


def test_newest_value_goes_when_the_interval_has_passed():
    assert sent(a_filter(interval_s=10), (1, 0), (2, 3), (3, 6), (4, 10), (5, 12)) == [1, 4]


def test_value_that_changed_and_changed_back_is_not_sent():
    what = a_filter(interval_s=10)
    assert sent(what, (1, 0), (2, 3), (1, 6), (1, 10)) == [1]
    assert what.release(START + timedelta(seconds=20)) == []


def test_either_deadband_suffices():
    what = a_filter(deadband=5, deadband_percent=10)
    assert sent(what, (10.0, 0), (10.9, 1), (11.1, 2), (100.0, 3), (104.0, 4), (106.0, 5)) == [
        10.0,
        11.1,
        100.0,
        106.0,
    ]


def test_policy_is_asked_once_for_each_quantity():
    asked: dict[str, int] = defaultdict(int)

    def policy_of(quantity):
        asked[quantity] += 1
        return Settings()

    what = Filter(policy_of)
    for second in range(5):
        what.select([reading(second, second, "a"), reading(second, second, "b")])
    assert asked == {"a": 1, "b": 1}


def test_held_change_of_a_device_that_falls_silent_is_released():
    what = a_filter(interval_s=10)
    assert sent(what, (1, 0), (2, 3), (3, 4)) == [1]
    assert what.release(START + timedelta(seconds=9)) == []
    assert what.release(START + timedelta(seconds=10)) == [reading(3, 4)]
    assert what.release(START + timedelta(seconds=30)) == []
    assert sent(what, (3, 15), (4, 16), (4, 20)) == [4]


def test_clock_that_is_set_back_neither_silences_nor_floods():
    what = a_filter(interval_s=10, heartbeat_s=60)
    assert sent(what, (1, 0), (2, 10), (2, -3600), (3, -3595)) == [1, 2]
    assert sent(what, (3, -3590), (3, -3531)) == [3]
    assert sent(what, (3, -3530)) == [3]
