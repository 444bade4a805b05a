"""Draining a spool to a real mosquitto, side by side with a bare aiomqtt QoS 1 loop in the same run.

python benchmarks/uplink.py [messages] [window]
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiomqtt

from lamppost.agent.spool import Draft, Lane, open_spool
from lamppost.agent.uplink import Uplink
from lamppost.agent.wire import NodeId, encode_will

BYTES = 200
ROUNDS = 3
NODE = NodeId("bench", "pole")


@dataclasses.dataclass(frozen=True)
class Hub:
    port: int
    window: int
    host: str = "127.0.0.1"
    tls: bool = False
    protocol: str = "5"
    encoding: str = "cbor"
    username: None = None
    password: None = None
    ca_file: None = None
    cert_file: None = None
    key_file: None = None
    client_id: None = None
    keepalive_s: int = 30
    connect_timeout_s: float = 5.0
    backoff_s: float = 1.0
    backoff_max_s: float = 10.0


@dataclasses.dataclass(frozen=True)
class Settings:
    path: Path
    max_mb: float = 256
    alarms_mb: float = 32
    events_mb: float = 32
    evidence_mb: float = 128
    telemetry_mb: float = 64
    alarms_days: float = 90
    events_days: float = 30
    evidence_days: float = 14
    telemetry_days: float = 7
    commit_ms: float = 5


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    conf = folder / "mosquitto.conf"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nlog_type none\n")
    program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    assert program, "mosquitto is not installed"
    child = subprocess.Popen([program, "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                time.sleep(0.01)
            else:
                break
        yield port
    finally:
        child.terminate()
        child.wait()


async def bare(port: int, count: int, window: int) -> tuple[float, float]:
    """A pool of ``window`` workers, each awaiting `publish`."""
    payloads = iter([b"x" * BYTES] * count)
    async with aiomqtt.Client(
        "127.0.0.1",
        port,
        protocol=aiomqtt.ProtocolVersion.V5,
        max_inflight_messages=window,
    ) as client:
        client.pending_calls_threshold = window

        async def work() -> None:
            for payload in payloads:
                await client.publish(f"{NODE.base}telemetry/meter", payload, qos=1)

        began, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work() for _ in range(window)))
        return time.perf_counter() - began, time.process_time() - used


async def drained(port: int, count: int, window: int, path: Path) -> tuple[float, float]:
    """The same number of messages from a spool file, with content type, expiry and seq on each."""
    async with open_spool(Settings(path), report=print) as spool:
        draft = Draft(
            Lane.TELEMETRY, "telemetry/meter", "application/senml+cbor", lambda _s, _n: b"x" * BYTES
        )
        await spool.put([draft] * count)
        uplink = Uplink(
            Hub(port, window),  # type: ignore[arg-type]
            NODE,
            spool,
            status=lambda _state: encode_will(node=NODE, encoding="cbor"),
        )
        began, used = time.perf_counter(), time.process_time()
        task = asyncio.create_task(uplink.run())
        while uplink.state.sent < count:  # noqa: ASYNC110  the uplink has no event for this
            await asyncio.sleep(0.005)
        result = time.perf_counter() - began, time.process_time() - used
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return result


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    window = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    logging.disable(logging.CRITICAL)
    print(f"{count} messages of {BYTES} bytes, QoS 1, window {window}, best of {ROUNDS}")
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder)) as port:
        loops = [asyncio.run(bare(port, count, window)) for _ in range(ROUNDS)]
        drains = [asyncio.run(drained(port, count, window, Path(folder, f"{n}.db"))) for n in range(ROUNDS)]
    for name, runs in (("bare aiomqtt loop", loops), ("uplink from the spool", drains)):
        seconds, cpu = min(runs)
        print(f"{name:22} {count / seconds:8.0f} messages/s   {1e6 * cpu / count:6.0f} us of CPU each")
    print(f"ratio {min(loops)[0] / min(drains)[0]:.2f} (wanted: 0.6)")


if __name__ == "__main__":
    main()
