"""How a device's health is told, and when it is told to the hub."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lamppost.agent.event import Phase, Severity
from lamppost.agent.health import DEVICE_DOWN, FAULT_MEMORY_S, DeviceHealth, DownWatch, State
from lamppost.drivers.api import Frame, Quality, Reading

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def good(value: float = 1.0, quantity: str = "level") -> Reading:
    return Reading("gauge", quantity, value, "m", NOW)


def bad(quantity: str = "level") -> Reading:
    return Reading("gauge", quantity, None, "m", NOW, Quality.BAD)


class Times:
    """Times that a test moves."""

    def __init__(self) -> None:
        self.s = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.s)

    def monotonic(self) -> float:
        return self.s


def test_faults_degrade_a_device_for_a_minute():
    times = Times()
    health = DeviceHealth("gauge", times.now, times.monotonic)
    health.took([good()])
    assert health.fault("crc", "frame of 9 bytes from unit 3")
    assert not health.fault("crc", "frame of 11 bytes from unit 3")
    shown = health.as_json()
    assert (shown["state"], shown["faults"]["crc"]["count"]) == ("degraded", 2)
    assert shown["faults"]["crc"]["detail"] == "frame of 11 bytes from unit 3"
    times.s = FAULT_MEMORY_S
    assert health.refresh()
    assert health.state is State.OK
    assert health.since == times.now()


def test_quantity_whose_newest_reading_is_bad_degrades_until_it_is_good():
    health = DeviceHealth("gauge")
    health.took([good(quantity="a"), bad("b"), good(quantity="c")])
    assert (health.state, health.bad) == (State.DEGRADED, {"b"})
    health.took([good(quantity="a")])
    assert health.bad == {"b"}
    assert health.took([bad("b"), good(quantity="b")])
    assert (health.state, health.bad) == (State.OK, set())


def test_pictures_count_as_samples():
    health = DeviceHealth("kerb-cam")
    assert health.took([Frame("kerb-cam", None, NOW, 1)])
    assert (health.state, health.samples, health.last_good_at) == (State.OK, 1, NOW)
    assert health.took([Frame("kerb-cam", None, NOW, 2), bad("light")])
    assert health.bad == {"light"}


def test_driver_that_invents_fault_kinds_cannot_fill_the_memory():
    health = DeviceHealth("gauge")
    for number in range(1000):
        health.fault(f"kind {number}", "x" * 10_000)
    assert len(health.faults) <= 51
    assert len(health.faults["other"].detail) == 500


class Down:
    """A watch on a device whose health a test sets, restarted at will."""

    def __init__(self) -> None:
        self.times = Times()
        self.health = DeviceHealth("gauge", self.times.now, self.times.monotonic)
        self.watch = DownWatch(self.health, 60)

    def restart(self) -> None:
        saved = self.watch.save()
        self.health = DeviceHealth("gauge", self.times.now, self.times.monotonic)
        self.watch = DownWatch(self.health, 60, saved)

    def fail(self) -> None:
        self.health.failed("no answer", State.FAILING, 1)

    def after(self, seconds: float):
        self.times.s += seconds
        return self.watch.tick(self.times.now())


@pytest.mark.parametrize("restarting", [False, True])
def test_device_that_stays_down_is_told_once_and_its_return_too(restarting):
    down = Down()
    events = []
    for _ in range(30):
        down.fail()
        events += down.after(10)
        if restarting:
            down.restart()
    down.health.took([good()])
    events += down.after(1)
    assert [(e.phase, e.revision) for e in events] == [(Phase.OPEN, 0), (Phase.CLOSE, 1)]
    opened, closed = events
    assert opened.id == closed.id
    assert (opened.kind, opened.rule, opened.device) == (DEVICE_DOWN, "health", "gauge")
    assert opened.severity is Severity.NOTICE
    assert opened.measures == {"error": "no answer", "state": "failing"}
    assert opened.since == NOW
    assert closed.measures["duration_s"] == 301
    assert down.after(100) == []


def test_short_failure_is_no_event():
    down = Down()
    down.fail()
    assert down.after(59) == []
    down.health.took([good()])
    assert down.after(1) == []
    down.fail()
    assert down.after(59) == []


def test_bad_readings_do_not_end_a_down_event():
    down = Down()
    down.fail()
    down.after(0)
    assert len(down.after(60)) == 1
    down.health.took([bad()])
    assert down.after(1) == []
    down.health.took([good(), bad("other")])
    assert [e.phase for e in down.after(1)] == [Phase.CLOSE]


def test_clock_set_forward_does_not_open_a_down_event():
    down = Down()
    down.fail()
    down.after(1)
    year_s = 365 * 86400
    down.times.s += year_s
    down.watch.shift(year_s)
    assert down.after(58) == []
    assert len(down.after(1)) == 1


def test_saved_nonsense_is_begun_anew():
    health = DeviceHealth("gauge")
    for saved in ({}, {"since": 3, "open": {}}, {"since": None, "open": {"down": {"id": 1}}}, {"open": 5}):
        assert DownWatch(health, 60, saved).save() == {"since": None, "open": {}}
