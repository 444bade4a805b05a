"""A threshold rule forgets nothing and repeats nothing, whatever happens to the box."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thresholds import START, Box, at, reading, rule, told

from lamppost.agent.event import Event, Phase, Severity


def test_restart_forgets_neither_what_is_open_nor_what_is_pending():
    box = Box(above=5, below=1, for_s=5)
    box.feed(6, 6, 6)
    box.restart()
    assert told(box.feed(6, 6, 6, start=3)) == [("threshold.above", "open", 5)]
    box.restart()
    box.feed(4, start=6)
    opened, closed = box.events
    assert (opened.id, opened.since, closed.revision) == (closed.id, START, 1)


def test_condition_that_is_gone_after_a_restart_is_closed():
    box = Box(above=5, below=1)
    box.feed(6)
    box.restart(above=None)
    box.restart()
    (closed,) = box.tick(60)
    assert (closed.kind, closed.phase, closed.id) == ("threshold.above", Phase.CLOSE, box.events[0].id)
    assert closed.measures["duration_s"] == 60
    assert box.tick(61) == []


def test_other_device_after_a_restart_closes_what_was_open_and_knows_nothing():
    box = Box(above=5, for_s=0)
    box.feed(6)
    box.restart(device="other")
    box.restart()
    (closed,) = box.state.step(reading(4, 5), at(5))
    assert (closed.phase, closed.device) == (Phase.CLOSE, "gauge")


def test_event_that_is_renamed_while_open_is_closed_under_its_old_name():
    box = Box(above=5, event="water.high", severity="alarm")
    box.feed(6)
    box.restart(event="water.flood", severity="notice")
    (closed,) = box.feed(4, start=1)
    assert (closed.kind, closed.severity) == ("water.high", Severity.ALARM)


def test_other_limit_after_a_restart_begins_to_count_anew():
    box = Box(above=5, for_s=5)
    box.feed(6, 6, 6)
    box.restart(above=5.5)
    assert told(box.feed(*[6] * 6, start=3)) == [("threshold.above", "open", 8)]


@pytest.mark.parametrize(
    "saved", [{}, {"of": ["gauge", "level"]}, {"open": []}, {"open": {"above": 3}, "of": ["gauge", "level"]}]
)
def test_saved_state_that_does_not_fit_is_begun_anew(saved):
    state = rule(above=5).start(saved)
    assert state.save() == rule(above=5).start(None).save()


@pytest.mark.parametrize("by_s", [-86400.0, 1e9])
def test_clock_that_is_set_changes_no_duration(by_s):
    box = Box(above=5, for_s=5, clear_s=5)
    box.feed(6, 6, 6)
    box.state.shift(by_s)
    assert told(box.feed(6, 6, 6, start=3 + by_s)) == [("threshold.above", "open", 5 + by_s)]
    assert box.events[0].since == at(by_s)


def test_clock_that_is_set_back_unseen_does_not_stop_the_rule():
    box = Box(above=5, for_s=5)
    box.feed(6, 6, 6)
    assert told(box.feed(*[6] * 6, start=-3600)) == [("threshold.above", "open", -3597)]


some_rules = st.fixed_dictionaries(
    {"above": st.sampled_from([3, 5])},
    optional={
        "below": st.sampled_from([1, 2]),
        "hysteresis": st.sampled_from([0, 0.5, 1]),
        "for_s": st.sampled_from([0, 2, 4.5]),
        "clear_s": st.sampled_from([0, 2, 4.5]),
        "flat_s": st.sampled_from([2, 5]),
        "rise_per_min": st.sampled_from([6, 30]),
        "fall_per_min": st.sampled_from([6, 30]),
        "update_s": st.sampled_from([0, 1, 3]),
    },
)
moments = st.lists(
    st.tuples(
        st.sampled_from(["read", "read", "read", "read", "tick", "restart"]),
        st.sampled_from([0.0, 0.5, 1.0, 1.0, 1.0, 2.0, 12.0, 100.0]),
        st.one_of(st.none(), st.integers(0, 14).map(lambda n: n / 2)),
    ),
    max_size=60,
)


def lived(settings, moments, *, restarting: bool) -> list[Event]:
    box = Box(**settings)
    seconds = 0.0
    for what, pause, value in moments:
        seconds += pause
        if what == "read":
            box.feed(value, start=seconds)
        elif what == "tick":
            box.tick(seconds)
        elif restarting:
            box.restart()
    return box.events


def as_told(events: list[Event]) -> list[tuple[object, ...]]:
    """Return the events with ids that count, as the real ones are different each time."""
    numbers: dict[str, int] = defaultdict(lambda: len(numbers))
    return [
        (numbers[e.id], e.kind, e.phase, e.revision, e.since, e.at, tuple(sorted(e.measures.items())))
        for e in events
    ]


@settings(deadline=None)
@given(some_rules, moments)
def test_restarts_change_nothing_that_is_told(settings, moments):
    with_restarts = lived(settings, moments, restarting=True)
    assert as_told(with_restarts) == as_told(lived(settings, moments, restarting=False))


@settings(deadline=None)
@given(some_rules, moments)
def test_each_event_opens_once_is_updated_and_closes_once(settings, moments):
    lives: dict[str, list[Event]] = defaultdict(list)
    open_kinds: set[str] = set()
    for event in lived(settings, moments, restarting=True):
        lives[event.id].append(event)
        if event.phase is Phase.OPEN:
            assert event.kind not in open_kinds
            open_kinds.add(event.kind)
        elif event.phase is Phase.CLOSE:
            open_kinds.remove(event.kind)
    for life in lives.values():
        assert [event.revision for event in life] == list(range(len(life)))
        assert life[0].phase is Phase.OPEN
        assert all(event.phase is Phase.UPDATE for event in life[1:-1])
        assert [event.at for event in life] == sorted(event.at for event in life)
        assert {(event.kind, event.since) for event in life} == {(life[0].kind, life[0].since)}
        assert life[0].since <= life[0].at
        assert all(event.measures.keys() >= {"value", "limit", "extreme"} for event in life)
        assert ("duration_s" in life[-1].measures) == (life[-1].phase is Phase.CLOSE)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([4, 4.5, 5, 5.5, 6, None]), max_size=60), st.integers(0, 4), st.integers(0, 4)
)
def test_level_is_told_as_its_plain_description_says(values, for_s, clear_s):
    """Even times, no gap worth the name: count the seconds on the fingers."""
    expected, held, clear, is_open = [], None, None, False
    for second, value in enumerate(values):
        if value is None:
            continue
        held = (second if held is None else held) if value > 5 else None
        clear = (second if clear is None else clear) if value <= 4.5 else None
        if not is_open and held is not None and second - held >= for_s:
            expected.append(("threshold.above", "open", second))
            is_open = True
        elif is_open and clear is not None and second - clear >= clear_s:
            expected.append(("threshold.above", "close", second))
            is_open = False
    box = Box(above=5, hysteresis=0.5, for_s=for_s, clear_s=clear_s)
    longest_silence = max((len(run) for run in bad_runs(values)), default=0)
    if longest_silence < 3:
        assert told(box.feed(*values)) == expected


def bad_runs(values: list[object]) -> list[str]:
    return "".join("b" if value is None else " " for value in values).split()
