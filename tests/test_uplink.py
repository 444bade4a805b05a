"""The uplink on a real broker: order, outages, clean ends."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from broker import Broker, free_port
from uplinking import NODE, Hub, SpoolSettings, drafts, ear, running
from waiting import until

from lamppost.agent.spool import Lane, open_spool
from lamppost.simulators.link import Link


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_everything_in_the_spool_arrives_once_and_in_order(tmp_path: Path, protocol):
    async def check():
        with Broker(tmp_path) as broker:
            async with open_spool(SpoolSettings(tmp_path / "spool.db"), report=print) as spool:
                await spool.put(drafts(Lane.TELEMETRY, 500))
                async with ear(broker.port) as hub, running(Hub(broker.port, protocol=protocol), spool) as up:
                    await until(lambda: up.state.sent == 500)
                    await until(lambda: len(hub.sequences()) == 500)
                    assert set(hub.sequences().values()) == {1}
                    numbers = [int(sequence.rpartition(":")[2]) for sequence in hub.sequences()]
                    assert numbers == sorted(numbers)
                    await until(lambda: spool.stats()["telemetry"].depth == 0)
                    assert up.state.connected
                    assert up.state.latency_s > 0

    asyncio.run(check())


def test_status_is_retained_online_and_offline_after_a_clean_stop(tmp_path: Path):
    async def check():
        with Broker(tmp_path) as broker:
            async with open_spool(SpoolSettings(tmp_path / "spool.db"), report=print) as spool:
                async with ear(broker.port) as hub:
                    async with running(Hub(broker.port), spool):
                        await until(lambda: hub.under("status"))
                        assert json.loads(hub.under("status")[-1].payload)["state"] == "online"
                    await until(lambda: len(hub.under("status")) == 2)
                    assert json.loads(hub.under("status")[-1].payload)["state"] == "offline"
                async with ear(broker.port) as later:
                    await until(lambda: later.under("status"))
                    assert later.under("status")[0].retain
                    assert json.loads(later.under("status")[0].payload)["state"] == "offline"

    asyncio.run(check())


def test_an_alarm_overtakes_the_telemetry_that_waits(tmp_path: Path):
    async def check():
        with Broker(tmp_path) as broker:
            async with open_spool(SpoolSettings(tmp_path / "spool.db"), report=print) as spool:
                await spool.put(drafts(Lane.TELEMETRY, 3000))
                hub_settings = Hub(broker.port, window=5)
                async with ear(broker.port) as hub, running(hub_settings, spool) as up:
                    await until(lambda: up.state.sent >= 100)
                    before = up.state.sent
                    await spool.put(drafts(Lane.ALARMS, 1))
                    after_put = up.state.sent
                    await until(lambda: hub.under("event/"))
                    await until(lambda: up.state.sent == 3001)
                    await until(lambda: len(hub.messages) == 3002)
                    place = next(i for i, m in enumerate(hub.messages) if "event" in m.topic.value)
                    # The commit takes a moment in which telemetry flows; then at most the window,
                    # and one window that was filled while the alarm was being read.
                    assert before < 3000
                    assert place <= after_put + 1 + 3 * 5

    asyncio.run(check())


def test_outages_lose_nothing_and_repeat_no_more_than_was_in_flight(tmp_path: Path):
    async def check():
        async with AsyncExitStack() as stack:
            broker = stack.enter_context(Broker(tmp_path))
            link = await stack.enter_async_context(Link("127.0.0.1", broker.port))
            spool = await stack.enter_async_context(
                open_spool(SpoolSettings(tmp_path / "s.db"), report=print)
            )
            hub = await stack.enter_async_context(ear(broker.port))
            up = await stack.enter_async_context(running(Hub(link.port, window=10), spool))
            for outage in range(1, 4):
                await spool.put(drafts(Lane.TELEMETRY, 500))
                enough = outage * 500 - 400
                await until(lambda enough=enough: up.state.connected and up.state.sent > enough)
                await link.cut()
                await until(lambda: not up.state.connected)
                await spool.put(drafts(Lane.EVENTS, 10))
                await link.restore()
            await until(lambda: len(hub.sequences()) == 1530, what=str(up.state))
            await until(lambda: spool.stats()["telemetry"].depth == 0)
            assert sum(hub.sequences().values()) <= 1530 + 3 * 10
            assert up.state.connects == 4

    asyncio.run(check())


def test_a_broker_that_is_absent_at_start_is_found_when_it_comes(tmp_path: Path):
    async def check():
        port = free_port()
        async with open_spool(SpoolSettings(tmp_path / "spool.db"), report=print) as spool:
            await spool.put(drafts(Lane.ALARMS, 3))
            async with running(Hub(port), spool) as up:
                await until(lambda: "refuses connections" in up.state.last_error)
                assert not up.state.connected
                await until(lambda: up.state.next_try_at is not None)
                with Broker(tmp_path, port=port):
                    await until(lambda: up.state.sent == 3)
                    assert up.state.connected

    asyncio.run(check())


def test_a_changed_status_is_published_again(tmp_path: Path):
    async def check():
        with Broker(tmp_path) as broker:
            async with (
                open_spool(SpoolSettings(tmp_path / "spool.db"), report=print) as spool,
                ear(broker.port) as hub,
                running(Hub(broker.port), spool) as up,
            ):
                await until(lambda: len(hub.under("status")) == 1)
                for _ in range(10):
                    up.announce()
                await until(lambda: len(hub.under("status")) == 2)
                assert all(m.topic.value == NODE.base + "status" for m in hub.messages)

    asyncio.run(check())
