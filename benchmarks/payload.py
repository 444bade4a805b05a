"""Bytes and CPU of telemetry per reading: 10 devices x 50 registers, batches of 10 polls at 1 s.

    python benchmarks/payload.py

Every value changes in every poll but where said. Times jitter by some milliseconds, as real polls do.
Beside it: the same readings as one JSON object per poll ({"ts": ..., "values": {...}}), plain and zlib.
"""

from __future__ import annotations

import itertools
import json
import random
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from lamppost.agent.wire import NodeId, encode_telemetry, sequence_text
from lamppost.drivers.api import Reading

DEVICES, REGISTERS, POLLS = 10, 50, 10
WANTED_RATE = 40_000
NODE = NodeId("longgang-07", "pole-0017")
METER = (
    # quantity, unit, mean, noise, decimals: what an SDM120 shows at a lamp post
    ("voltage", "V", 231.4, 0.4, 1),
    ("current", "A", 1.83, 0.02, 3),
    ("power_active", "W", 402.0, 4.0, 1),
    ("power_apparent", "VA", 423.0, 4.0, 1),
    ("power_reactive", "var", 120.0, 3.0, 1),
    ("power_factor", "", 0.951, 0.003, 3),
    ("frequency", "Hz", 50.01, 0.01, 2),
    ("energy_import", "Wh", 1_234_567.0, 0.0, 0),
)


def batch(values: Callable[[int, int], float], names: list[tuple[str, str]]) -> list[Reading]:
    start = datetime(2025, 11, 23, 1, 2, 3, 123456, tzinfo=UTC)
    polls = [
        start + timedelta(seconds=poll, milliseconds=random.randrange(8) if poll else 0)
        for poll in range(POLLS)
    ]
    return [
        Reading("meter-01", name, values(index, poll), unit, at)
        for poll, at in enumerate(polls)
        for index, (name, unit) in enumerate(names)
    ]


def registers(values: Callable[[int, int], float]) -> Iterator[list[Reading]]:
    names = [(f"r{index:02d}", "") for index in range(REGISTERS)]
    for _ in range(DEVICES):
        yield batch(values, names)


def counters() -> Iterator[list[Reading]]:
    starts = [random.randrange(60_000) for _ in range(REGISTERS)]
    return registers(lambda index, poll: starts[index] + poll)


def walks() -> Iterator[list[Reading]]:
    place = [random.randrange(5_000, 60_000) for _ in range(REGISTERS)]

    def step(index: int, _poll: int) -> int:
        place[index] += random.choice((-1, 1)) * random.randint(1, 30)
        return place[index]

    return registers(step)


def noise() -> Iterator[list[Reading]]:
    return registers(lambda _index, _poll: random.randrange(0x10000))


def meters(phases: int) -> Iterator[list[Reading]]:
    """float32 registers with physical noise, rounded to the profile's decimals."""
    rows = [
        (f"{row[0]}_l{n + 1}" if phases > 1 else row[0], *row[1:]) for n in range(phases) for row in METER
    ]

    def measure(index: int, poll: int) -> float:
        _, _, mean, spread, decimals = rows[index]
        value = random.gauss(mean, spread) if spread else mean + poll
        return round(struct.unpack(">f", struct.pack(">f", value))[0], decimals)

    for _ in range(DEVICES):
        yield batch(measure, [(row[0], row[1]) for row in rows])


def plain(readings: list[Reading]) -> bytes:
    polls = itertools.groupby(readings, key=lambda reading: reading.at)
    rows = [
        {"ts": int(at.timestamp() * 1000), "values": {r.quantity: r.value for r in rows}}
        for at, rows in polls
    ]
    return json.dumps({"meter-01": rows}, separators=(",", ":")).encode()


def cpu_us(encode: Callable[[], object], readings: int) -> float:
    best = float("inf")
    for _ in range(7):
        began = time.process_time()
        for _ in range(10):
            encode()
        best = min(best, (time.process_time() - began) / 10 / readings)
    return best * 1e6


def main() -> None:
    random.seed(1)
    sequence = sequence_text("0123abcd", 3, 123_456)
    print(
        f"{'bytes per reading':32} {'cbor':>6} {'raw':>6} {'json':>6} | {'plain':>6} {'+zlib':>6} | us   core"
    )
    for name, batches in (
        ("uint16 counters, +1 each poll", counters()),
        ("uint16 random walk", walks()),
        ("uint16 uniform noise", noise()),
        ("meter of 8 floats", meters(1)),
        ("meter of 24 floats", meters(3)),
    ):
        sums = [0] * 5
        count = 0
        for readings in batches:
            forms = [
                encode_telemetry(readings, node=NODE, encoding=encoding, sequence=sequence, compress=compress)
                for encoding, compress in (("cbor", "zlib"), ("cbor", "none"), ("json", "zlib"))
            ]
            forms += [plain(readings), zlib.compress(plain(readings))]
            sums = [total + len(form) for total, form in zip(sums, forms, strict=True)]
            count += len(readings)
        us = cpu_us(
            lambda readings=readings: encode_telemetry(
                readings, node=NODE, encoding="cbor", sequence=sequence, compress="zlib"
            ),
            len(readings),
        )
        each = [total / count for total in sums]
        print(
            f"{name:32} {each[0]:6.2f} {each[1]:6.2f} {each[2]:6.2f} | {each[3]:6.2f} {each[4]:6.2f} | "
            f"{us:4.2f} {us * WANTED_RATE / 1e4:4.1f} %"
        )
    print(f"us: CPU per reading with zlib; core: share of one core at {WANTED_RATE} readings/s")


if __name__ == "__main__":
    main()
