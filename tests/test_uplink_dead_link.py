"""Links that are dead without saying so, and senders that are killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from broker import Broker
from uplinking import Hub, SpoolSettings, drafts, ear, running
from waiting import until

from lamppost.agent.spool import Lane, open_spool
from lamppost.simulators.link import Link

KEEPALIVE_S = 2


@pytest.mark.parametrize("traffic", [True, False], ids=["with traffic", "idle"])
def test_a_frozen_broker_is_noticed_within_two_keepalives(tmp_path: Path, traffic):
    async def check():
        async with AsyncExitStack() as stack:
            broker = stack.enter_context(Broker(tmp_path))
            spool = await stack.enter_async_context(
                open_spool(SpoolSettings(tmp_path / "s.db"), report=print)
            )
            up = await stack.enter_async_context(running(Hub(broker.port, keepalive_s=KEEPALIVE_S), spool))
            await spool.put(drafts(Lane.TELEMETRY, 1))
            await until(lambda: up.state.sent == 1)
            broker.pause()
            frozen_at = time.monotonic()
            if traffic:
                await spool.put(drafts(Lane.TELEMETRY, 30))
            await until(lambda: not up.state.connected, within_s=10)
            noticed_s = time.monotonic() - frozen_at
            # The promise, and a little for the machine that runs the test.
            assert noticed_s <= 2 * KEEPALIVE_S + 0.5
            broker.resume()
            await spool.put(drafts(Lane.ALARMS, 1))
            await until(lambda: spool.stats()["alarms"].depth == 0, what=str(up.state))
            await until(lambda: spool.stats()["telemetry"].depth == 0)

    asyncio.run(check())


def test_a_black_hole_loses_nothing(tmp_path: Path):
    async def check():
        async with AsyncExitStack() as stack:
            broker = stack.enter_context(Broker(tmp_path))
            link = await stack.enter_async_context(Link("127.0.0.1", broker.port))
            spool = await stack.enter_async_context(
                open_spool(SpoolSettings(tmp_path / "s.db"), report=print)
            )
            hub = await stack.enter_async_context(ear(broker.port))
            up = await stack.enter_async_context(
                running(Hub(link.port, keepalive_s=1, connect_timeout_s=0.5), spool)
            )
            await spool.put(drafts(Lane.TELEMETRY, 500))
            await until(lambda: up.state.sent > 50)
            link.stall()
            await spool.put(drafts(Lane.ALARMS, 5))
            await until(lambda: not up.state.connected)
            await until(lambda: "CONNECT" in up.state.last_error)
            await link.restore()
            await until(lambda: len(hub.sequences()) == 505, what=str(up.state))
            await until(lambda: spool.stats()["telemetry"].depth == 0)

    asyncio.run(check())


def test_a_slow_link_is_no_dead_link(tmp_path: Path):
    async def check():
        async with AsyncExitStack() as stack:
            broker = stack.enter_context(Broker(tmp_path))
            link = await stack.enter_async_context(Link("127.0.0.1", broker.port))
            spool = await stack.enter_async_context(
                open_spool(SpoolSettings(tmp_path / "s.db"), report=print)
            )
            hub = await stack.enter_async_context(ear(broker.port))
            # One message takes longer than a keep-alive; what the link itself can hold does not.
            link.slow(bytes_per_s=600_000)
            await spool.put(drafts(Lane.TELEMETRY, 2, size=1_500_000) + drafts(Lane.ALARMS, 3))
            up = await stack.enter_async_context(running(Hub(link.port, keepalive_s=KEEPALIVE_S), spool))
            await until(lambda: up.state.sent == 5, within_s=30, what=str(up.state))
            assert up.state.connects == 1
            assert set(hub.sequences().values()) == {1}

    asyncio.run(check())


def test_stopping_while_a_connect_hangs_is_quick(tmp_path: Path):
    async def check():
        # A full backlog that nobody accepts from: the kernel drops further SYNs.
        with socket.socket() as hole:
            hole.bind(("127.0.0.1", 0))
            hole.listen(0)
            port = hole.getsockname()[1]
            fillers = []
            for _ in range(3):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
                fillers.append(filler)
            try:
                async with open_spool(SpoolSettings(tmp_path / "s.db"), report=print) as spool:
                    async with running(Hub(port, connect_timeout_s=0.5), spool) as up:
                        await until(lambda: "does not answer within" in up.state.last_error)
                    async with running(Hub(port, connect_timeout_s=60), spool) as up:
                        await asyncio.sleep(0)
                        stopping_at = time.monotonic()
                    assert time.monotonic() - stopping_at < 2
            finally:
                for filler in fillers:
                    filler.close()

    began = time.monotonic()
    asyncio.run(check())
    assert time.monotonic() - began < 5  # no thread keeps the process waiting


def test_stopping_on_a_dead_link_is_quick(tmp_path: Path):
    async def check():
        async with AsyncExitStack() as stack:
            broker = stack.enter_context(Broker(tmp_path))
            spool = await stack.enter_async_context(
                open_spool(SpoolSettings(tmp_path / "s.db"), report=print)
            )
            async with running(Hub(broker.port, keepalive_s=60), spool) as up:
                await until(lambda: up.state.connected)
                broker.pause()
                await spool.put(drafts(Lane.TELEMETRY, 100))
                stopping_at = time.monotonic()
            assert time.monotonic() - stopping_at < 2

    asyncio.run(check())


SENDER = """
import asyncio, sys
from pathlib import Path
from lamppost.agent.spool import open_spool
from uplinking import Hub, SpoolSettings, running

async def main(port, path):
    async with open_spool(SpoolSettings(Path(path)), report=print) as spool:
        async with running(Hub(int(port), window=5), spool):
            await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


def start_sender(port: int, folder: Path) -> subprocess.Popen[bytes]:
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen([sys.executable, "-c", SENDER, str(port), str(folder / "s.db")], env=path)


def test_a_sender_killed_in_the_middle_loses_nothing(tmp_path: Path):
    async def check():
        with Broker(tmp_path) as broker:
            async with open_spool(SpoolSettings(tmp_path / "s.db"), report=print) as spool:
                await spool.put(drafts(Lane.TELEMETRY, 3000))
            async with ear(broker.port) as hub:
                for enough in (300, 1000, 3000):
                    sender = start_sender(broker.port, tmp_path)
                    try:
                        await until(lambda enough=enough: len(hub.sequences()) >= enough, within_s=20)
                    finally:
                        sender.send_signal(signal.SIGKILL)
                        sender.wait()
                assert len(hub.sequences()) == 3000

    asyncio.run(check())


def test_a_killed_sender_is_shown_offline_by_its_last_will(tmp_path: Path):
    async def check():
        with Broker(tmp_path) as broker:
            async with ear(broker.port) as hub:
                sender = start_sender(broker.port, tmp_path)
                try:
                    await until(lambda: hub.under("status"))
                finally:
                    sender.send_signal(signal.SIGKILL)
                    sender.wait()
                await until(lambda: len(hub.under("status")) == 2)
                assert json.loads(hub.under("status")[1].payload) == {
                    "state": "offline",
                    "node": "pole-1",
                    "site": "site-1",
                }

    asyncio.run(check())
