"""Polling, side by side with a bare pymodbus loop in the same run; then the agent's cost at a steady pace.

python benchmarks/polling.py [--seconds S] [--rounds N]

Full speed: 10 TCP devices of 50 registers. Bare: pymodbus's own client, one task for each device, nothing but
reading. Lamppost: the whole agent in its process, from the socket through policy, rules and spool; once
with values that stand still, once with every value changing, encoded, compressed and stored.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from parts import Telemetry, agent, collect, configuration, meters, mosquitto, wait_for

BARE = """
import asyncio, sys, time
from pymodbus.client import AsyncModbusTcpClient
seconds, ports = float(sys.argv[1]), [int(p) for p in sys.argv[2:]]
async def device(port, end):
    client, count = AsyncModbusTcpClient("127.0.0.1", port=port), 0
    await client.connect()
    while time.perf_counter() < end:
        count += len((await client.read_holding_registers(0, count=50, device_id=1)).registers)
    client.close()
    return count
async def main():
    begun = time.perf_counter()
    counts = await asyncio.gather(*(device(p, begun + seconds) for p in ports))
    print(sum(counts) / (time.perf_counter() - begun))
asyncio.run(main())
"""


def bare(ports: list[int], seconds: float) -> float:
    command = [sys.executable, "-c", BARE, str(seconds), *map(str, ports)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def driver_only(ports: list[int], seconds: float) -> float:
    """The driver without the agent: what it adds to, or takes from, the bare loop."""
    code = f"""
import asyncio, time
from lamppost.drivers.modbus import Modbus
class Emit:
    count = 0
    def __call__(self, *samples): Emit.count += len(samples)
    def fault(self, kind, detail): raise SystemExit(detail)
async def main():
    registers = {{"r": {{"address": 0, "count": 50}}}}
    urls = [f"tcp://127.0.0.1:{{p}}" for p in {ports}]
    drivers = [Modbus(name=u[-5:], url=u, registers=registers, every_s=0) for u in urls]
    begun = time.perf_counter()
    tasks = [asyncio.create_task(d.run(Emit())) for d in drivers]
    await asyncio.sleep({seconds})
    print(Emit.count / (time.perf_counter() - begun))
    [t.cancel() for t in tasks]
asyncio.run(main())
"""
    return float(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    )


def whole_agent(ports: list[int], seconds: float, hub: int | None) -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = configuration(folder, ports, registers=50, every_s=0, hub=hub)
        with agent(folder, config) as running:
            wait_for(running.samples)
            time.sleep(1.0)
            first = running.status()
            time.sleep(seconds)
            last = running.status()
            count = sum(
                last["devices"][d]["samples"] - first["devices"][d]["samples"] for d in last["devices"]
            )
            return count / (last["uptime_s"] - first["uptime_s"])


def full_speed(seconds: float, rounds: int) -> bool:
    print("Full speed, 10 TCP devices of 50 registers, registers per second (median of rounds)")
    good = True
    cases = (("values stand still", "constant", 0.0), ("every value changes at each read", "counter", 0.0))
    for title, pattern, step_s in cases:
        with (
            meters(10, 50, pattern, step_s) as ports,
            tempfile.TemporaryDirectory() as name,
            mosquitto(Path(name)) as hub,
        ):
            rows: dict[str, list[float]] = {"bare pymodbus": [], "driver": [], "whole agent": []}
            for _ in range(rounds):
                rows["bare pymodbus"].append(bare(ports, seconds))
                rows["driver"].append(driver_only(ports, seconds))
                rows["whole agent"].append(whole_agent(ports, seconds, hub))
        base = statistics.median(rows["bare pymodbus"])
        for label, values in rows.items():
            rate = statistics.median(values)
            print(f"  {title:<34} {label:<14} {rate:>10,.0f}  ratio {rate / base:.2f}")
        good &= statistics.median(rows["driver"]) / base >= 0.85
        if pattern == "constant":
            good &= statistics.median(rows["whole agent"]) / base >= 0.85
    return good


async def steady(
    title: str, *, registers: int, every_s: float, pattern: str, seconds: float
) -> tuple[float, float, float, int]:
    """Return CPU share, RSS in MB, payload bytes per reading, and polls that were lost or merged."""
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as hub:
        folder = Path(name)
        telemetry = Telemetry()
        listener = asyncio.create_task(collect(hub, telemetry))
        with meters(10, registers, pattern, 0.0) as ports:
            config = configuration(folder, ports, registers=registers, every_s=every_s, hub=hub)
            with agent(folder, config) as running:
                while not telemetry.readings:  # noqa: ASYNC110 - the subscriber only counts
                    await asyncio.sleep(0.001)
                first_s = (telemetry.first_at or 0) - running.started
                await asyncio.sleep(12.0)
                cpu_s, began, at = running.cpu_s(), time.monotonic(), running.status()
                payload, readings = telemetry.payload_bytes, telemetry.readings
                await asyncio.sleep(seconds)
                last = running.status()
                share = (running.cpu_s() - cpu_s) / (time.monotonic() - began)
                rss_mb = running.rss_mb()
            listener.cancel()
            await asyncio.wait({listener})
        span_s = last["uptime_s"] - at["uptime_s"]
        lost = sum(
            max(
                0,
                round(span_s / every_s)
                - 1
                - (last["devices"][d]["samples"] - at["devices"][d]["samples"]) // registers,
            )
            for d in last["devices"]
        )
        new = telemetry.readings - readings
        size = (telemetry.payload_bytes - payload) / new if new else 0.0
        print(
            f"  {title:<48} {100 * share:5.1f} % of a core  {rss_mb:6.1f} MB  "
            f"{size:4.2f} B/reading ({new} readings)  polls lost {lost}  first telemetry {first_s:.2f} s"
        )
        return share, rss_mb, size, lost


async def steady_cases(seconds: float) -> bool:
    print("Steady pace, 10 TCP devices, with a hub on mosquitto")
    share, rss_mb, size, lost = await steady(
        "50 registers at 1 s, every value changes",
        registers=50,
        every_s=1,
        pattern="counter",
        seconds=seconds,
    )
    good = share <= 0.025 and rss_mb <= 48 and size <= 4 and not lost
    _, _, _, lost = await steady(
        "50 registers at 1 s, random values", registers=50, every_s=1, pattern="noise", seconds=seconds
    )
    _, _, size, lost = await steady(
        "50 registers at 1 s, nothing changes", registers=50, every_s=1, pattern="constant", seconds=seconds
    )
    good &= size == 0 and not lost
    _, _, _, lost = await steady(
        "50 registers at 50 ms, every value changes",
        registers=50,
        every_s=0.05,
        pattern="counter",
        seconds=seconds,
    )
    good &= not lost
    share, _, _, lost = await steady(
        "4,000 registers at 1 s, every value changes",
        registers=4000,
        every_s=1,
        pattern="counter",
        seconds=seconds,
    )
    return good and share <= 1 and not lost


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    good = full_speed(options.seconds, options.rounds)
    good &= asyncio.run(steady_cases(4 * options.seconds))
    print("all within the goals" if good else "NOT all within the goals")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
