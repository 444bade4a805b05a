"""The spool beside a bare sqlite3 loop: same durability, same batch, same disk, in turns.

python benchmarks/spool.py [--folder DIR] [--seconds S] [--rounds N] [--payload BYTES]

Bare: one thread, WAL, synchronous FULL, BEGIN, executemany, COMMIT. Spool: the whole way from the
event loop through `Spool.put`, with numbers, figures and limits. Exit code 1 below 0.6.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lamppost.agent.spool import Draft, Lane, Message, Spool, open_spool

GOAL = 0.6
CASES = (
    (1000, 1, True),
    (100, 2, True),
    (100, 1, False),
    (10, 2, False),
    (1, 1, False),
    (1, 100, False),
)
"""Rows per put, tasks that put at the same time, and whether the goal is held against it.

With two tasks the next batch gathers while one is committed, as it does in the agent. One task that
waits for each small batch pays the way between two threads each time (0.1 to 0.3 ms there and back),
as much as a commit takes on a disk that syncs in 0.3 ms; on an SD card (5 to 50 ms) it is nothing.
"""


@dataclass(frozen=True)
class Settings:
    """Limits wide enough that nothing is dropped while the clock runs."""

    path: Path
    max_mb: float = 4096
    alarms_mb: float = 4096
    events_mb: float = 4096
    evidence_mb: float = 4096
    telemetry_mb: float = 4096
    alarms_days: float = 90
    events_days: float = 30
    evidence_days: float = 14
    telemetry_days: float = 7
    commit_ms: float = 5


class Bare:
    """What one would write by hand, with nothing of a spool but the rows."""

    def __init__(self, path: Path, payload: bytes) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute(
            "CREATE TABLE message"
            "(id INTEGER PRIMARY KEY, created REAL, topic TEXT, content_type TEXT, payload BLOB)"
        )
        self.payload = payload
        self.number = 0

    def put(self, batch: int) -> None:
        now = time.time()
        first = self.number + 1
        self.number += batch
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(
            "INSERT INTO message VALUES(?, ?, ?, ?, ?)",
            [
                (n, now, "telemetry/supply", "application/senml+cbor", self.payload)
                for n in range(first, self.number + 1)
            ],
        )
        self.connection.execute("COMMIT")

    def run(self, batch: int, seconds: float) -> float:
        began = time.perf_counter()
        before = self.number
        while time.perf_counter() < began + seconds:
            self.put(batch)
        return (self.number - before) / (time.perf_counter() - began)


def draft_of(payload: bytes) -> Draft:
    encode = lambda _stream, _number: payload  # noqa: E731
    return Draft(Lane.TELEMETRY, "telemetry/supply", "application/senml+cbor", encode)


async def put_all(spool: Spool, draft: Draft, batch: int, tasks: int, seconds: float) -> float:
    """Let each task put batches one after the other, and wait for each."""
    rows = 0
    began = time.perf_counter()

    async def one() -> None:
        nonlocal rows
        while time.perf_counter() < began + seconds:
            await spool.put([draft] * batch)
            rows += batch

    await asyncio.gather(*(one() for _ in range(tasks)))
    return rows / (time.perf_counter() - began)


async def drain(spool: Spool, rows: int, window: int) -> float:
    """Hand out and acknowledge as an uplink would whose hub answers at once."""
    flight: dict[tuple[Lane, int], Message] = {}
    began = time.perf_counter()
    out = 0
    while out < rows:
        messages = await spool.next(window, flight)
        for message in messages:
            flight[message.lane, message.number] = message
        for key in list(flight):
            spool.done(flight.pop(key))
            out += 1
    return out / (time.perf_counter() - began)


async def compare(
    name: str, batch: int, bare: Bare, spool: Callable[[], object], args: argparse.Namespace
) -> float:
    ratios, ours, theirs = [], [], []
    for turn in range(args.rounds):
        pair = {}
        for who in ("bare", "spool") if turn % 2 else ("spool", "bare"):
            pair[who] = bare.run(batch, args.seconds) if who == "bare" else await spool()  # type: ignore[misc]
        ratios.append(pair["spool"] / pair["bare"])
        ours.append(pair["spool"])
        theirs.append(pair["bare"])
    ratio = statistics.median(ratios)
    print(
        f"{name:<26} bare {statistics.median(theirs):>9,.0f} rows/s"
        f"   spool {statistics.median(ours):>9,.0f} rows/s"
        f"   ratio {ratio:.2f}  ({min(ratios):.2f} to {max(ratios):.2f})"
    )
    return ratio


async def run(folder: Path, args: argparse.Namespace) -> bool:
    payload = bytes(range(256)) * (args.payload // 256) + bytes(args.payload % 256)
    draft = draft_of(payload)
    bare = Bare(folder / "bare.db", payload)
    good = True
    with contextlib.closing(bare.connection):
        async with open_spool(Settings(folder / "spool.db"), report=print) as spool:
            for batch, tasks, counts in CASES:
                ratio = await compare(
                    f"batches of {batch}, {tasks} task{'s' if tasks > 1 else ''}",
                    batch,
                    bare,
                    lambda batch=batch, tasks=tasks: put_all(spool, draft, batch, tasks, args.seconds),
                    args,
                )
                good &= ratio >= GOAL or not counts
            rate = await drain(spool, min(50_000, spool.stats()["telemetry"].depth), 20)
            print(f"{'next and done, window 20':<26} {rate:,.0f} messages/s")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--folder", type=Path, help="a folder on the disk to measure; a temporary one if absent"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="per turn")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each; the median ratio counts")
    parser.add_argument("--payload", type=int, default=200, help="bytes per message")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="spool-", dir=args.folder))
    try:
        good = asyncio.run(run(folder, args))
    finally:
        shutil.rmtree(folder)
    print(f"goal of {GOAL} for batches: {'reached' if good else 'missed'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
