"""What no outage may cost: real broker, real link, real kill -9, and every single reading counted.

The meter's registers step at each read, so that each poll has a value of its own: a hole in what the
hub got is a lost poll, a value twice is a duplicate.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from waiting import until

from agent import Agent
from lamppost.simulators.hub import Broker, Hub
from lamppost.simulators.link import Link
from lamppost.simulators.modbus import Unit, generic, serve_tcp

SCHEMAS = Path(__file__).parent.parent / "agent/schemas"
EVERY_S = 0.1
MEMORY_S = 0.5
#: How long the outage lasts; the published figures are those of 30 s.
SHORT_S = 8.0
LONG_S = 30.0
DURATIONS = pytest.mark.parametrize(
    "outage_s", [SHORT_S, pytest.param(LONG_S, marks=pytest.mark.soak)], ids=["short", "30s"]
)


def config(meter: int, tank: int, hub: int) -> str:
    return f"""
[hub]
url = "mqtt://127.0.0.1:{hub}"
keepalive_s = 5
backoff_max_s = 2
[spool]
telemetry_memory_s = {MEMORY_S}
[devices.meter]
driver = "modbus"
url = "tcp://127.0.0.1:{meter}"
every_s = {EVERY_S}
registers.count = {{ address = 0, type = "uint16", count = 5 }}
[devices.tank]
driver = "modbus"
url = "tcp://127.0.0.1:{tank}"
every_s = {EVERY_S}
registers.level = {{ address = 0 }}
[rules.high]
kind = "threshold"
device = "tank"
quantity = "level"
above = 100
event = "water.high"
"""


class City:
    """One box, its meters, its link and its hub."""

    def __init__(self, agent: Agent, meter: Unit, tank: Unit, broker: Broker, link: Link, hub: Hub) -> None:
        self.agent, self.meter, self.tank = agent, meter, tank
        self.broker, self.link, self.hub = broker, link, hub
        self.kills = 0

    async def raise_event(self) -> None:
        """Let the water rise and fall: an event opens and closes, and both are on disk."""
        await self.agent.until(lambda: self.agent.device("tank")["state"] == "ok")
        for level in (500, 10):
            before = self.lanes()["alarms"]["written"]
            self.tank.poke("holding", 0, [level])
            await self.agent.until(lambda before=before: self.lanes()["alarms"]["written"] > before)

    def lanes(self) -> dict[str, Any]:
        return self.agent.status()["spool"]["lanes"]

    async def pass_polls(self, seconds: float) -> None:
        """Let so many seconds of polls go by."""
        wanted = self.meter.requests + seconds / EVERY_S
        await self.agent.until(lambda: self.meter.requests >= wanted, 4 * seconds + 10)

    async def broker_back(self) -> None:
        """Start the broker again; killed, it has forgotten its hub, and the box comes when that listens."""
        await self.link.cut()
        await self.broker.start()
        await self.hub.until(lambda: self.hub.connected, 20)
        await self.link.restore()

    def kill(self) -> None:
        self.agent.kill()
        self.kills += 1

    async def verdict(self, events: int) -> None:
        """Drain, and hold what the hub got against what the meter was asked."""
        book = self.hub.book
        await self.agent.until(lambda: not any(lane["depth"] for lane in self.lanes().values()), 40)
        await self.agent.terminate()
        await until(lambda: all(not node.online for node in book.nodes.values()))
        await self.hub.caught_up()
        totals = book.totals()
        assert (totals.lost, totals.gaps, totals.duplicates, totals.undecodable) == (0, 0, 0, 0), totals
        assert len(book.events) == events
        for letters in book.events.values():
            assert [letter.phase for letter in letters] == ["open", "close"]
        got = [int(kept.value) for kept in book.log if kept.quantity == "count.0"]
        assert len(got) == len(set(got))
        asked = self.meter.requests
        # One poll may be cut off by each stop; a kill may cost what rode in memory, and no more.
        allowed = 1 + self.kills * (MEMORY_S / EVERY_S + 2)
        assert asked - len(got) <= allowed, (
            f"asked {asked} times, the hub has {len(got)} ({self.kills} kills)"
        )


@asynccontextmanager
async def city(tmp_path, *, broker_up: bool = True):
    meter, tank = generic(1, count=5, step_s=0), Unit(1, holding=[10])
    async with (
        Broker() as broker,
        serve_tcp([meter]) as line,
        serve_tcp([tank]) as other,
        Link("127.0.0.1", broker.port) as link,
        Hub(broker.url, schemas=SCHEMAS, keep={("meter", "count.0")}, from_start=True) as hub,
    ):
        if not broker_up:
            await broker.kill()
        with Agent(tmp_path, config(line.port, other.port, link.port)) as agent:
            yield City(agent, meter, tank, broker, link, hub)


@DURATIONS
def test_broker_down_loses_nothing(tmp_path, outage_s):
    async def main():
        async with city(tmp_path) as box:
            await box.hub.until(lambda: box.hub.book.totals().readings)
            await box.broker.kill()
            await box.pass_polls(outage_s / 2)
            await box.raise_event()
            await box.pass_polls(outage_s / 2)
            await box.broker_back()
            await box.pass_polls(2)
            await box.verdict(events=1)

    asyncio.run(main())


@DURATIONS
def test_kill_9_during_an_outage_loses_no_event_and_only_what_rode_in_memory(tmp_path, outage_s):
    async def main():
        async with city(tmp_path) as box:
            await box.hub.until(lambda: box.hub.book.totals().readings)
            await box.link.cut()
            for _ in range(3):
                await box.raise_event()
                await box.pass_polls(outage_s / 3)
                box.kill()
                box.agent.start()
                await box.agent.until(lambda: box.agent.status()["pid"] == box.agent.process.pid)
            await box.link.restore()
            await box.pass_polls(2)
            await box.verdict(events=3)

    asyncio.run(main())


@DURATIONS
def test_a_black_holed_link_loses_nothing(tmp_path, outage_s):
    async def main():
        async with city(tmp_path) as box:
            await box.hub.until(lambda: box.hub.book.totals().readings)
            box.link.stall()
            await box.pass_polls(1)
            await box.raise_event()
            await box.pass_polls(outage_s)
            await box.link.restore(reset=True)
            await box.pass_polls(2)
            await box.verdict(events=1)

    asyncio.run(main())


@pytest.mark.soak
@DURATIONS
def test_a_boot_without_broker_then_kill_9_loses_only_what_rode_in_memory(tmp_path, outage_s):
    async def main():
        async with city(tmp_path, broker_up=False) as box:
            await box.agent.until(lambda: box.agent.device("tank")["state"] == "ok")
            await box.raise_event()
            await box.pass_polls(outage_s)
            box.kill()
            box.agent.start()
            await box.agent.until(lambda: box.agent.status()["pid"] == box.agent.process.pid)
            await box.broker_back()
            await box.pass_polls(2)
            await box.verdict(events=1)

    asyncio.run(main())
