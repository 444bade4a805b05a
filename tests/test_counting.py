"""Counting: each that crosses the line once, in its direction, whatever the boxes do around it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from walking import START, Thing, Walk, car

from lamppost.agent.engine import Engine
from lamppost.agent.rules.counting import Counting
from lamppost.drivers.api import Quality


def gate(**settings):
    return Walk(Counting(**{"name": "gate", "camera": "cam", "line": "gate", **settings}))


def totals(walk):
    """Return what was counted, without the zeros."""
    saved = walk.state.save()["totals"]
    return {
        f"{direction} {label}": count
        for direction, counts in zip(walk.rule.directions, saved, strict=True)
        for label, count in counts.items()
        if count
    }


def down(speed=0.2, x=0.5, begins=0.2, **how):
    return lambda s: [Thing(x, begins + speed * s, **how)]


@pytest.mark.parametrize("fps", [2, 5, 10, 25])
@pytest.mark.parametrize("speed", [0.05, 0.2, 0.3])
def test_who_crosses_is_counted_once_at_any_pace(fps, speed):
    walk = gate()
    walk.pass_time(0.75 / speed, down(speed), fps=fps)
    assert totals(walk) == {"in person": 1}
    walk.pass_time(4, [])
    walk.pass_time(0.75 / speed, lambda s: [Thing(0.5, 0.95 - speed * s)], fps=fps)
    assert totals(walk) == {"in person": 1, "out person": 1}


def test_cars_are_counted_by_class_and_direction():
    walk = gate(line="door", directions=("north", "south"))
    for _ in range(5):
        walk.pass_time(4, lambda s: [car(0.1 + 0.22 * s, 0.7), car(0.9 - 0.2 * s, 0.5, label="bus")])
        walk.pass_time(3, [])
    assert totals(walk) == {"north car": 5, "south bus": 5}


@pytest.mark.parametrize("seed", range(5))
def test_missed_detections_around_the_line_lose_nothing(seed):
    walk = Walk(Counting(name="gate", camera="cam", line="gate"), seed=seed)
    for _ in range(10):
        walk.pass_time(7, down(0.1), fps=5, missed=0.3)
        walk.pass_time(3, [])
    assert totals(walk) == {"in person": 10}


def test_a_hole_in_the_sight_across_the_line_loses_nothing():
    walk = gate()
    walk.pass_time(7, lambda s: [] if 3.2 < s < 4.8 else [Thing(0.5, 0.2 + 0.1 * s)], fps=5)
    assert totals(walk) == {"in person": 1}


def test_who_stands_on_the_line_is_not_counted_however_the_box_trembles():
    walk = Walk(Counting(name="gate", camera="cam", line="gate"), jitter=0.008)
    walk.pass_time(600, [Thing(0.5, 0.6)])
    assert totals(walk) == {}


def test_who_turns_back_on_the_line_is_not_counted():
    walk = gate()
    walk.pass_time(7.6, lambda s: [Thing(0.5, 0.6 - abs(3.8 - s) * 0.1)], fps=5)
    assert totals(walk) == {}


def test_who_turns_back_behind_the_line_is_counted_both_ways():
    walk = gate()
    walk.pass_time(8, lambda s: [Thing(0.5, 0.8 - abs(4 - s) * 0.1)], fps=5)
    assert totals(walk) == {"in person": 1, "out person": 1}


def test_feet_that_are_hidden_for_a_while_cross_nothing():
    walk = gate()
    walk.pass_time(60, lambda s: [Thing(0.5, 0.63, covered=0.5 if int(s / 3) % 2 else 0.0)])
    assert totals(walk) == {}


def test_who_passes_beside_the_line_is_not_counted():
    walk = gate()
    walk.pass_time(4, down(x=0.1))
    walk.pass_time(4, down(x=0.9))
    assert totals(walk) == {}


def test_one_thing_under_two_boxes_counts_once():
    walk = gate(line="door")
    walk.pass_time(4, lambda s: [car(0.1 + 0.2 * s, 0.7), car(0.105 + 0.2 * s, 0.71, width=0.15, score=0.5)])
    assert totals(walk) == {"in car": 1}


def test_a_queue_is_counted_head_by_head():
    walk = gate(line="door")
    walk.pass_time(40, lambda s: [car(-0.1 - 0.3 * k + 0.1 * s, 0.7) for k in range(9)])
    assert totals(walk)["in car"] == 9


def test_the_counters_go_on_through_a_restart_and_only_on_their_own_line():
    walk = gate()
    walk.pass_time(4, down())
    walk.restart(10)
    walk.pass_time(4, down())
    assert totals(walk) == {"in person": 2}
    saved = walk.state.save()
    other = Counting(name="gate", camera="cam", line="door").start(saved)
    assert not any(other.save()["totals"][0].values())
    broken = Counting(name="gate", camera="cam", line="gate").start({"of": 1})
    assert not any(broken.save()["totals"][0].values())


def test_each_crossing_and_each_minute_is_a_reading():
    walk = gate(classes=("person",))
    for _ in range(6):
        walk.pass_time(4, down())
        walk.pass_time(11, [])
    walk.pass_time(90, [])
    named = {}
    for one in walk.told:
        named.setdefault(one.quantity, []).append((one.value, one.unit))
    assert [value for value, _ in named["gate.in.person"] if value] == [1, 2, 3, 4, 4, 5, 6, 6]
    assert named["gate.in.person"][0] == (0, "count")
    assert named["gate.in.person.flow"] == [(4.0, "1/min"), (2.0, "1/min")]
    assert all(one.device == "cam" for one in walk.told)


def test_the_flow_of_a_minute_that_was_not_watched_is_not_known():
    walk = gate(classes=("person",))
    walk.pass_time(70, [])
    walk.now_s += 40
    walk.pass_time(75, [])
    flows = [one for one in walk.told if one.quantity == "gate.in.person.flow"]
    assert [flow.quality for flow in flows] == [Quality.GOOD, Quality.BAD, Quality.GOOD]


def test_a_set_clock_neither_counts_nor_forgets():
    walk = gate()
    walk.pass_time(2, down())
    walk.state.shift(3600.0)
    walk.now_s += 3600.0
    walk.pass_time(2, down(begins=0.6))
    assert totals(walk) == {"in person": 1}


def test_settings_that_cannot_work_are_refused():
    with pytest.raises(ValueError, match="different names"):
        gate(directions=("in", "in"))
    with pytest.raises(ValueError, match="pattern"):
        gate(directions=("in", "out of here"))


def test_what_a_rule_measures_leaves_the_engine_beside_its_state():
    walk = gate()
    engine = Engine()
    engine.add("gate", walk.rule, walk.state, walk.rule.watches())
    for step in range(8):
        walk.now_s = step / 2
        scene = walk.scene([Thing(0.5, 0.2 + 0.1 * step)])
        assert engine.step("cam", [scene], scene.at) == []
    readings, states = engine.take_measured()
    assert readings[-1][:4] == ("cam", "gate.in.person", 1, "count")
    assert list(states) == ["rule/gate"]
    assert engine.take_measured() == ([], {})
    assert engine.take_changed().keys() == {"open-events"}
    assert engine.tick(START + timedelta(minutes=2)) == []
