"""A whole box that boots in 1970 and hears the time from a GNSS receiver."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from waiting import until

from lamppost.agent.box import Box
from lamppost.agent.clock import Clock
from lamppost.agent.clock_memory import CLOCK_KEY, restored, saved
from lamppost.agent.config import load
from lamppost.agent.config.model import DeviceConfig
from lamppost.agent.notify import Notifier
from lamppost.agent.rundir import RunDirectory
from lamppost.agent.signals import Signals
from lamppost.agent.spool import open_spool
from lamppost.agent.tail import Tail
from lamppost.agent.watch import SpoolWatch
from lamppost.agent.window import Window
from lamppost.drivers.api import Driver, Emit, Reading, TrueTime

BOOT = datetime(2026, 5, 1, tzinfo=UTC)


class World:
    """Time as a test lets it pass; the system's clock stands at 1970 when the box boots."""

    def __init__(self) -> None:
        self.up_s = 40.0
        self.set_to: datetime | None = None

    @property
    def true(self) -> datetime:
        return BOOT + timedelta(seconds=self.up_s)

    def system_s(self) -> float:
        return self.up_s if self.set_to is None else self.true.timestamp()

    def clock(self, last_known: datetime | None, gnss_s: float | None = None) -> Clock:
        return Clock(last_known, gnss_s, wall=self.system_s, monotonic=lambda: self.up_s)


class Receiver(Driver):
    """Hears a sentence as often as a test says."""

    world: World
    sentences: asyncio.Queue[None]

    def true_time(self) -> TrueTime:
        return TrueTime("utc", 1.0)

    async def run(self, emit: Emit) -> None:
        while True:
            await self.sentences.get()
            self.world.up_s += 1
            at = datetime.fromtimestamp(self.world.system_s(), UTC)
            emit(Reading(self.name, "utc", self.world.true.timestamp(), "s", at))


def test_a_box_takes_its_time_from_a_receiver_and_gives_it_back_to_a_time_server(tmp_path):
    path = tmp_path / "lamppost.toml"
    path.write_text(f'[node]\nid = "pole"\nsite = "site"\nrun_dir = "{tmp_path}"\nstate_dir = "{tmp_path}"\n')

    async def main() -> None:
        world, sentences = World(), asyncio.Queue[None]()
        driver = Receiver(name="gnss", world=world, sentences=sentences)
        device = DeviceConfig(name="gnss", driver=driver, driver_name="receiver", stall_s=0)
        config = load(path).model_copy(update={"devices": {"gnss": device}})
        signals, run_dir = Signals(), RunDirectory(tmp_path)

        async def hear(count: int) -> None:
            heard_s = world.up_s + count
            for _ in range(count):
                sentences.put_nowait(None)
            await until(lambda: world.up_s == heard_s)

        run_dir.open()
        async with open_spool(config.spool, report=lambda _: None) as spool:
            box = Box(
                config,
                spool,
                run_dir,
                Tail(tmp_path),
                Window(tmp_path),
                SpoolWatch(),
                Notifier(),
                world.clock,
            )
            running = asyncio.create_task(box.run(signals))
            await until(lambda: "gnss" in box.devices.all())
            begun = box.devices["gnss"].health.since
            assert box.report.status()["clock"] == {"plausible": False, "source": "unset", "ahead_s": 0.0}
            await hear(30)

            health, channel = box.devices["gnss"].health, box.devices["gnss"].channel
            assert box.report.status()["clock"]["source"] == "gnss"
            assert box.now() == world.true
            assert health.last_sample_at == channel.newest["utc"].at == world.true
            assert begun.year == 1970
            assert health.since.year == 2026

            world.set_to = world.true
            await hear(1)
            assert box.report.status()["clock"] == {"plausible": True, "source": "system", "ahead_s": 0.0}
            assert channel.newest["utc"].at == world.true
            signals.stop.set()
            await running
            assert json.loads(spool.read_state(CLOCK_KEY) or b"")["at"] == pytest.approx(
                world.true.timestamp(), abs=2
            )

    asyncio.run(main())


def heard(world: World) -> Clock:
    clock = world.clock(None)
    for _ in range(20):
        world.up_s += 1
        clock.hear_at(world.true.timestamp(), clock.now())
    clock.check()
    return clock


def test_a_restart_of_the_agent_does_not_forget_what_gnss_said():
    world = World()
    state = saved(heard(world))[CLOCK_KEY]
    world.up_s += 300
    clock = restored(state, world.clock)
    assert (clock.source, clock.check()) == ("gnss", None)
    assert clock.now() == world.true


def test_after_a_boot_only_the_newest_known_time_is_left():
    world = World()
    state = saved(heard(world))[CLOCK_KEY]
    clock = restored(state, World().clock, boot="another")
    assert (clock.source, clock.ahead_s) == ("unset", 0)


def test_a_clock_that_was_set_while_no_agent_ran_is_followed():
    world = World()
    state = saved(heard(world))[CLOCK_KEY]
    world.set_to = world.true
    clock = restored(state, world.clock)
    assert (clock.source, clock.ahead_s) == ("system", 0)


def test_a_time_that_an_older_agent_saved_is_known():
    world = World()
    assert restored(b"1770000000.5", world.clock).source == "unset"
    world.set_to = world.true
    assert restored(b"1770000000.5", world.clock).source == "system"


def test_a_wrong_time_is_not_saved():
    assert saved(World().clock(None)) == {}
