"""A device that fails, hangs or lies is restarted, and its neighbours never notice."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs
from waiting import until

from lamppost.agent import supervisor
from lamppost.agent.event import Phase, Severity
from lamppost.agent.health import DEVICE_DOWN, FAULT_MEMORY_S, DeviceHealth, DownWatch, State
from lamppost.agent.supervisor import Backoff, supervise
from lamppost.drivers.api import Driver, DriverError, Emit, Frame, Quality, Reading

NOW = datetime(2026, 5, 1, tzinfo=UTC)


class Scripted(Driver):
    """A driver that does what a test says."""

    script: Callable[[Emit], Awaitable[None]]
    expected_s: float | None = None

    async def run(self, emit: Emit) -> None:
        await self.script(emit)

    def expected_interval_s(self) -> float | None:
        return self.expected_s


@dataclass
class Device:
    driver: Driver
    name: str = "gauge"
    stall_s: float | None = None
    backoff_s: float = 0.001
    backoff_max_s: float = 0.004


@dataclass
class Running:
    """A device under supervision and what came of it."""

    device: Device
    health: DeviceHealth
    samples: list = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


def good(value: float = 1.0, quantity: str = "level") -> Reading:
    return Reading("gauge", quantity, value, "m", datetime.now(UTC))


def bad(quantity: str = "level") -> Reading:
    return Reading("gauge", quantity, None, "m", datetime.now(UTC), Quality.BAD)


@asynccontextmanager
async def supervised(script, **settings) -> AsyncIterator[Running]:
    expected_s = settings.pop("expected_s", None)
    device = Device(Scripted(name="gauge", script=script, expected_s=expected_s), **settings)
    running = Running(device, DeviceHealth(device.name))
    running.task = asyncio.create_task(
        supervise(
            device,
            running.samples.extend,
            running.health,
            rng=random.Random(1),
            on_change=lambda: running.states.append(running.health.state),
        )
    )
    try:
        yield running
    finally:
        running.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running.task


async def healthy(emit: Emit) -> None:
    while True:
        emit(good())
        await asyncio.sleep(0.001)


def test_samples_pass_and_the_device_is_ok():
    async def main():
        async with supervised(healthy) as running:
            assert running.health.state is State.STARTING
            await until(lambda: len(running.samples) > 3)
            assert running.states == [State.OK]
            assert running.health.samples >= 3
            assert running.health.last_sample_at == running.samples[-1].at

    asyncio.run(main())


def test_device_that_stops_answering_is_tried_again_and_recovers():
    tries = []

    async def script(emit):
        tries.append(1)
        if len(tries) < 4:
            raise DriverError("no answer from unit 7")
        await healthy(emit)

    async def main():
        async with supervised(script) as running:
            await until(lambda: running.health.state is State.OK)
            assert running.health.restarts == 3
            assert running.states == [State.FAILING, State.OK]
            assert running.health.error is None
            assert running.health.last_error == "no answer from unit 7"
            assert running.health.next_try_at is None

    asyncio.run(main())


def test_device_that_is_down_shows_why_and_when_it_is_tried_next():
    async def script(emit):
        raise DriverError("no answer from unit 7")

    async def main():
        async with supervised(script, backoff_s=60, backoff_max_s=60) as running:
            await until(lambda: running.states)
            shown = running.health.as_json()
            assert (shown["state"], shown["error"]) == ("failing", "no answer from unit 7")
            pause = running.health.next_try_at - running.health.last_error_at
            assert timedelta(seconds=30) <= pause <= timedelta(seconds=60)

    asyncio.run(main())


def test_bug_in_a_driver_is_logged_with_its_traceback_once():
    async def script(emit):
        emit(good())
        raise KeyError("boom")

    async def main():
        with capture_logs() as logs:
            async with supervised(script) as running:
                await until(lambda: running.health.restarts > 4)
        bugs = [entry for entry in logs if entry["event"] == "bug in the driver"]
        assert len(bugs) == 1
        assert isinstance(bugs[0]["exc_info"], KeyError)
        assert running.health.last_error == "bug in the driver: KeyError: 'boom'"

    asyncio.run(main())


def test_device_that_stays_down_does_not_fill_the_log():
    async def script(emit):
        raise DriverError("no answer")

    async def main():
        with capture_logs() as logs:
            async with supervised(script) as running:
                await until(lambda: running.health.restarts > 5)
        assert [entry["error"] for entry in logs if entry["log_level"] == "warning"] == ["no answer"]

    asyncio.run(main())


def test_error_out_of_a_task_group_is_the_drivers_own_error():
    async def refuse():
        raise DriverError("port is busy", retry=False)

    async def script(emit):
        async with asyncio.TaskGroup() as group:
            group.create_task(refuse())
            group.create_task(asyncio.sleep(60))

    async def main():
        async with supervised(script) as running:
            await until(lambda: running.health.restarts)
            assert running.health.last_error == "port is busy"

    asyncio.run(main())


@pytest.mark.parametrize("way", ["returns", "cancels itself", "exits"])
def test_run_that_ends_by_itself_is_begun_again(way):
    async def script(emit):
        emit(good())
        if way == "cancels itself":
            raise asyncio.CancelledError
        if way == "exits":
            raise SystemExit(3)

    async def main():
        async with supervised(script) as running:
            await until(lambda: running.health.restarts > 2)
            assert running.health.samples > 2
            assert State.FAILING in running.states

    asyncio.run(main())


def test_silent_device_is_stalled_and_restarted():
    runs = []

    async def script(emit):
        runs.append(1)
        emit(good())
        if len(runs) > 1:
            await healthy(emit)
        await asyncio.Event().wait()

    async def main():
        async with supervised(script, stall_s=0.05) as running:
            await until(lambda: len(running.states) >= 3)
            assert running.states[:3] == [State.OK, State.STALLED, State.OK]
            assert running.health.last_error == "no sample for 0.05 s; the driver was stopped"

    asyncio.run(main())


def test_device_that_never_delivers_is_stalled_too():
    async def main():
        async with supervised(lambda _: asyncio.Event().wait(), stall_s=0.02) as running:
            await until(lambda: running.health.restarts >= 2)
            assert running.states == [State.STALLED]

    asyncio.run(main())


def test_stall_time_follows_from_the_drivers_own_interval():
    async def main():
        clock = [0.0]
        device = Device(Scripted(name="gauge", script=lambda _: asyncio.Event().wait(), expected_s=10))
        health = DeviceHealth("gauge")
        runner = supervisor._Runner(device, print, health, lambda: clock[0], lambda: None)
        assert runner._stall_s() == 30
        device.driver = Scripted(name="gauge", script=print, expected_s=0.1)
        assert runner._stall_s() == 5
        device.driver = Scripted(name="gauge", script=print)
        assert runner._stall_s() is None

    asyncio.run(main())


def test_device_that_delivers_bad_readings_only_is_degraded_not_stalled():
    async def script(emit):
        while True:
            emit(bad())
            await asyncio.sleep(0.005)

    async def main():
        async with supervised(script, stall_s=0.4) as running:
            await until(
                lambda: (
                    running.samples
                    and running.samples[-1].at - running.samples[0].at > timedelta(seconds=0.6)
                )
            )
            assert running.states == [State.DEGRADED]
            assert running.health.as_json()["bad"] == ["level"]
            assert running.health.last_good_at is None

    asyncio.run(main())


def test_driver_that_swallows_its_cancellation_is_left_behind(monkeypatch):
    monkeypatch.setattr(supervisor, "STOP_GRACE_S", 0.02)
    monkeypatch.setattr(supervisor, "EXIT_GRACE_S", 0.02)
    stubborn: list[asyncio.Event] = []

    async def script(emit):
        stubborn.append(asyncio.Event())
        released = stubborn[-1]
        while not released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await released.wait()
        emit(good(-1))

    async def main():
        with capture_logs() as logs:
            async with supervised(script, stall_s=0.01) as running:
                await until(lambda: running.health.abandoned_runs == supervisor.MOST_ABANDONED)
                assert any("left behind" in entry["event"] for entry in logs)
                for _ in range(20):  # no fourth run is begun while three hold the device
                    await asyncio.sleep(0)
                assert len(stubborn) == supervisor.MOST_ABANDONED
                stubborn[0].set()
                await until(lambda: len(stubborn) > supervisor.MOST_ABANDONED)
                await until(lambda: running.health.late_samples == 1)
                assert running.samples == []
        for event in stubborn:
            event.set()
        await until(lambda: len(asyncio.all_tasks()) == 1)

    asyncio.run(main())


def test_emit_after_the_run_ended_is_dropped_and_counted():
    kept: list[Emit] = []

    async def script(emit):
        kept.append(emit)
        emit(good())
        raise DriverError("gone")

    async def main():
        async with supervised(script, backoff_s=60, backoff_max_s=60) as running:
            await until(lambda: running.health.restarts)
            kept[0](good(), good())
            kept[0].fault("crc", "too late")
            assert running.health.late_samples == 2
            assert len(running.samples) == 1
            assert running.health.faults == {}

    asyncio.run(main())


def test_bad_neighbours_never_stop_a_good_one(monkeypatch):
    monkeypatch.setattr(supervisor, "EXIT_GRACE_S", 0.02)

    async def crash(emit):
        raise RuntimeError("bug")

    async def hang(emit):
        await asyncio.Event().wait()

    async def main():
        async with (
            supervised(crash) as crashing,
            supervised(hang, stall_s=0.01) as hanging,
            supervised(healthy, stall_s=5) as fine,
        ):
            await until(lambda: crashing.health.restarts > 5 and hanging.health.restarts > 5)
            before = fine.health.samples
            await until(lambda: fine.health.samples > before + 5)
            assert fine.health.restarts == 0
            assert fine.states == [State.OK]

    asyncio.run(main())


def test_trouble_of_the_agent_does_not_reach_the_driver():
    async def main():
        device = Device(Scripted(name="gauge", script=healthy))
        health = DeviceHealth("gauge")

        def full(samples):
            raise OSError("disk full")

        with capture_logs() as logs:
            task = asyncio.create_task(supervise(device, full, health))
            await until(lambda: health.samples > 5)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        assert health.restarts == 0
        assert len([entry for entry in logs if entry["log_level"] == "error"]) == 1

    asyncio.run(main())


def test_cancelling_closes_the_driver():
    closed = []

    async def script(emit):
        try:
            await healthy(emit)
        finally:
            closed.append(True)

    async def main():
        async with supervised(script) as running:
            await until(lambda: running.samples)
        assert closed == [True]
        assert running.task.cancelled()

    asyncio.run(main())


def test_pauses_double_up_to_the_longest_and_vary():
    backoff = Backoff(1, 60, FullLength())
    ceilings = [backoff.pause_s() for _ in range(8)]
    assert ceilings == [1, 2, 4, 8, 16, 32, 60, 60]
    varied = Backoff(1, 60, random.Random(7))
    for ceiling in ceilings:
        assert ceiling / 2 <= varied.pause_s() <= ceiling


def test_error_that_trying_cannot_help_goes_to_the_longest_pause():
    backoff = Backoff(1, 60, FullLength())
    assert backoff.pause_s(longest=True) == 60
    assert backoff.pause_s() == 60


def test_pauses_start_anew_only_after_the_device_has_delivered_for_a_while():
    backoff = Backoff(1, 60, FullLength())
    assert [backoff.pause_s() for _ in range(6)][-1] == 32
    backoff.delivered(31)
    assert backoff.pause_s() == 60
    backoff.delivered(60)
    assert backoff.pause_s() == 1
    backoff.delivered(9)
    assert backoff.pause_s() == 2


class FullLength(random.Random):
    """Chance that always gives the longest pause."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


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
