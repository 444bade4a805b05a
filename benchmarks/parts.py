"""What the benchmarks share: simulated meters, a broker and an agent, each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import cbor2

from lamppost.simulators.modbus import generic, serve_tcp

TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_for(condition: Any, within_s: float = 20.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise SystemExit("the benchmark waited in vain")
        time.sleep(0.005)
    return value


@contextmanager
def meters(count: int, registers: int, pattern: str, step_s: float) -> Iterator[list[int]]:
    """Serve generic units over TCP from another process; give their ports."""
    command = [sys.executable, __file__, str(count), str(registers), pattern, str(step_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def mosquitto(folder: Path, port: int | None = None) -> Iterator[int]:
    path = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
    if path is None:
        raise SystemExit("mosquitto is not installed")
    port = port or free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n"
        "max_queued_messages 0\nmax_inflight_messages 0\n"
    )
    process = subprocess.Popen(
        [path, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: _accepts(port))
        yield port
    finally:
        process.kill()
        process.wait()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@dataclass
class AgentProcess:
    """An agent and what the kernel knows of it."""

    folder: Path
    process: subprocess.Popen[bytes]
    started: float

    def status(self) -> dict[str, Any]:
        try:
            return json.loads((self.folder / "run/status.json").read_text())  # type: ignore[no-any-return]
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def samples(self) -> int:
        return sum(d["samples"] for d in self.status().get("devices", {}).values())

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mb(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def configuration(
    folder: Path, ports: list[int], *, registers: int, every_s: float, hub: int | None, memory_s: float = 10
) -> Path:
    """Write the configuration of a box with one generic device behind each port."""
    lines = [
        f'[node]\nid = "box"\nsite = "bench"\nrun_dir = "{folder}/run"\nstate_dir = "{folder}/state"\n',
        f"[spool]\ntelemetry_memory_s = {memory_s}\nmax_mb = 1024\ntelemetry_mb = 512\n",
    ]
    if hub is not None:
        lines.append(f'[hub]\nurl = "mqtt://127.0.0.1:{hub}"\nbackoff_max_s = 2\nkeepalive_s = 10\n')
    lines += [
        f'[devices.d{number}]\ndriver = "modbus"\nurl = "tcp://127.0.0.1:{port}"\nevery_s = {every_s}\n'
        f"registers.r = {{ address = 0, count = {registers} }}\n"
        for number, port in enumerate(ports)
    ]
    path = folder / "lamppost.toml"
    path.write_text("\n".join(lines))
    return path


def start(folder: Path, config: Path) -> AgentProcess:
    started = time.monotonic()
    log = (folder / "agent.log").open("ab")
    process = subprocess.Popen(
        [sys.executable, "-m", "lamppost.agent", "--config", str(config)], stdout=log, stderr=log
    )
    return AgentProcess(folder, process, started)


@contextmanager
def agent(folder: Path, config: Path) -> Iterator[AgentProcess]:
    running = start(folder, config)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


@dataclass
class Telemetry:
    """What the hub got: payload bytes, readings, when the first came, and each value by name."""

    messages: int = 0
    payload_bytes: int = 0
    readings: int = 0
    first_at: float | None = None
    values: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    keep: bool = False

    def take(self, payload: bytes) -> None:
        self.first_at = self.first_at or time.monotonic()
        self.messages += 1
        self.payload_bytes += len(payload)
        records = cbor2.loads(zlib.decompress(payload) if payload[:1] == b"\x78" else payload)
        self.readings += len(records)
        if self.keep:
            self.resolve(records)

    def resolve(self, records: list[dict[Any, Any]]) -> None:
        """Resolve base name, time and value (RFC 8428, section 4.6)."""
        base: dict[int, Any] = {-2: "", -3: 0, -5: 0}
        for record in records:
            base.update({label: record[label] for label in base if label in record})
            if 2 in record:
                at = float(base[-3]) + float(record.get(6, 0))
                value = float(record[2]) + float(base[-5])
                self.values.setdefault(base[-2] + record.get(0, ""), []).append((at, value))


async def collect(port: int, telemetry: Telemetry, topic: str = "lamppost/+/+/+/telemetry/#") -> None:
    """Subscribe and take until cancelled."""
    async with aiomqtt.Client("127.0.0.1", port, identifier="bench-hub", clean_session=False) as client:
        await client.subscribe(topic, qos=1)
        async for message in client.messages:
            telemetry.take(bytes(message.payload))


async def _serve(count: int, registers: int, pattern: str, step_s: float) -> None:
    async with AsyncExitStack() as stack:
        ports = []
        for number in range(count):
            unit = generic(
                1,
                count=registers,
                pattern=None if pattern == "constant" else pattern,
                step_s=step_s,
                seed=number,
            )
            ports.append((await stack.enter_async_context(serve_tcp([unit]))).port)
        print(json.dumps(ports), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
