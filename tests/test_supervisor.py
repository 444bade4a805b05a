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
from lamppost.agent.health import DeviceHealth, State
from lamppost.agent.supervisor import supervise
from lamppost.drivers.api import Driver, DriverError, Emit, Quality, Reading


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
