"""Bounds: who is dropped when, how it is counted and reported, and how large the files get."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest
from spooling import Settings, draft, everything, text_of
from waiting import until

from lamppost.agent.spool import Lane, SpoolTrouble, open_spool
from lamppost.agent.spool.inbox import Inbox, Job
from lamppost.agent.spool.model import Limits
from lamppost.agent.spool.ranges import IdRanges, runs
from lamppost.agent.spool.schema import PAGE, WAL_BYTES, row_bytes
from lamppost.agent.spool.store import Store
from lamppost.agent.spool.trouble import Troubles

NOW = 1_800_000_000.0
DAY_S = 86_400.0


def run(settings: Settings, steps, **options) -> list[SpoolTrouble]:
    troubles: list[SpoolTrouble] = []

    async def go() -> None:
        async with open_spool(settings, report=troubles.append, **options) as spool:
            await steps(spool, troubles)

    asyncio.run(go())
    return troubles


def test_a_full_lane_loses_its_own_oldest(tmp_path: Path):
    settings = Settings(tmp_path / "spool.db", events_mb=0.1)

    async def steps(spool, troubles):
        await spool.put([draft(Lane.TELEMETRY, "kept")])
        for step in range(20):
            await spool.put([draft(text=str(step * 20 + n), size=1000) for n in range(20)])
        stats = spool.stats()
        assert stats["events"].bytes <= 0.1 * 2**20
        assert stats["events"].depth + stats["events"].dropped["size"][0] == 400
        assert stats["telemetry"].dropped_count == 0
        left = [text_of(m) for m in await everything(spool) if m.lane is Lane.EVENTS]
        assert left == [str(n) for n in range(400 - len(left), 400)]

    troubles = run(settings, steps)
    assert {t.kind for t in troubles} == {"dropped"}
    assert len(troubles) == 2  # the first at once, the rest with the sum at the end
    assert sum(t.counts["events.size"] for t in troubles) > 250

    async def again(spool, troubles):
        assert spool.stats()["events"].dropped["size"][0] == sum(t.counts["events.size"] for t in first)

    first = troubles
    assert run(settings, again) == []


def test_a_full_spool_loses_the_lowest_lane_first(tmp_path: Path):
    settings = Settings(tmp_path / "spool.db", max_mb=2)

    async def steps(spool, troubles):
        def dropped() -> dict[str, int]:
            return {label: lane.dropped_count for label, lane in spool.stats().items() if lane.dropped_count}

        for lane in reversed(Lane):
            await spool.put([draft(lane, str(n), size=900) for n in range(400)])
        assert dropped() == {}
        await spool.put([draft(Lane.ALARMS, size=900) for _ in range(300)])
        assert set(dropped()) == {"telemetry"}
        await spool.put([draft(Lane.TELEMETRY, f"new{n}", size=900) for n in range(100)])
        assert set(dropped()) == {"telemetry"}
        assert text_of((await everything(spool))[-1]) == "new99"
        await spool.put([draft(Lane.ALARMS, size=900) for _ in range(500)])
        assert set(dropped()) == {"telemetry", "evidence"}
        assert spool.stats()["telemetry"].depth == 0
        evidence = spool.stats()["evidence"].depth
        await spool.put([draft(Lane.TELEMETRY, size=900) for _ in range(300)])
        assert spool.stats()["telemetry"].depth < 100
        assert spool.stats()["evidence"].depth == evidence
        await spool.put([draft(Lane.ALARMS, size=900) for _ in range(600)])
        assert set(dropped()) == {"telemetry", "evidence", "events"}

    run(settings, steps)


@pytest.mark.parametrize("size", [50, 700, 2100, 5000, 60_000])
def test_files_stay_within_their_bounds_and_bytes_mean_disk(tmp_path: Path, size: int):
    settings = Settings(tmp_path / "spool.db", max_mb=4)

    async def steps(spool, troubles):
        largest = 0
        for step in range(60):
            await spool.put([draft(Lane((step + n) % 4), size=size) for n in range(max(1, 200_000 // size))])
            spool.stats()
            largest = max(largest, settings.path.stat().st_size)
        assert largest <= 4 * 2**20
        wal = settings.path.with_name("spool.db-wal")
        assert wal.stat().st_size <= 2 * WAL_BYTES
        counted = sum(lane.bytes for lane in spool.stats().values())
        used = spool._outbox.disk.used()
        assert 0.75 * used < counted < 1.25 * used
        assert spool.stats().durable

    troubles = run(settings, steps)
    assert {t.kind for t in troubles} == {"dropped"}


def test_a_message_larger_than_its_lane_is_dropped_and_counted(tmp_path: Path):
    settings = Settings(tmp_path / "spool.db", evidence_mb=0.1)

    async def steps(spool, troubles):
        await spool.put([draft(Lane.EVIDENCE, "small")])
        await spool.put([draft(Lane.EVIDENCE, "large", size=300_000), draft(text="event")])
        assert [text_of(m) for m in await everything(spool)] == ["event"]
        assert spool.stats()["evidence"].dropped["size"][0] == 2

    run(settings, steps)


def test_what_is_too_old_is_dropped(tmp_path: Path):
    clock = [NOW]
    settings = Settings(tmp_path / "spool.db")

    async def old(spool, troubles):
        await spool.put([draft(lane, "old") for lane in Lane])
        clock[0] += 10 * DAY_S
        await spool.put([draft(Lane.TELEMETRY, "new")])

    async def later(spool, troubles):
        await until(lambda: spool.stats()["telemetry"].dropped_count == 1)
        texts = [(m.lane, text_of(m)) for m in await everything(spool)]
        assert texts == [(0, "old"), (1, "old"), (2, "old"), (3, "new")]
        assert spool.stats()["telemetry"].dropped == {"age": (1, spool.stats()["telemetry"].dropped_bytes)}

    # The writer may find it before the first agent ends, or the second one does: it is told once.
    troubles = run(settings, old, now=lambda: clock[0]) + run(settings, later, now=lambda: clock[0])
    assert [t.counts for t in troubles] == [{"telemetry.age": 1}]


def test_a_clock_that_jumps_from_1970_drops_nothing(tmp_path: Path):
    clock = [1000.0]
    settings = Settings(tmp_path / "spool.db")

    async def boot(spool, troubles):
        await spool.put([draft(lane) for lane in Lane])

    async def synchronised(spool, troubles):
        clock[0] = NOW
        spool._outbox._age_at = 0.0
        await spool.put([draft()])
        assert len(await everything(spool)) == 5
        assert spool.stats()["telemetry"].dropped_count == 0

    run(settings, boot, now=lambda: clock[0])
    clock[0] = NOW
    assert run(settings, synchronised, now=lambda: clock[0]) == []


def test_losses_are_reported_at_once_and_then_once_a_minute():
    clock = [0.0]
    told: list[SpoolTrouble] = []
    troubles = Troubles(told.append, lambda: clock[0])
    assert troubles.losses({"events.size": (3, 30)}, "") is None
    assert troubles.losses({"events.size": (4, 40)}, "") == 60.0
    clock[0] = 59.0
    assert troubles.losses({"events.size": (5, 50), "alarms.disk": (1, 9)}, "") == 60.0
    assert len(told) == 1
    clock[0] = 60.0
    assert troubles.losses({"events.size": (5, 50), "alarms.disk": (1, 9)}, "") is None
    assert [t.counts for t in told] == [{"events.size": 3}, {"events.size": 2, "alarms.disk": 1}]


def test_a_disk_that_hangs_cannot_fill_the_memory():
    inbox = Inbox(commit_s=0.005, limit_bytes=1_000_000)
    inbox.busy_since = -1e9  # the thread has been waiting for its disk for long
    heavy = [draft(lane)._replace(weight=50_000) for lane in Lane]
    kept = [inbox.put(Job([one], {}, 0.0, None)) for _ in range(30) for one in heavy]
    assert not all(kept)
    inbox.close()
    work = inbox.take(float("inf"))
    waiting = [one.lane for job in work.jobs for one in job.drafts]
    assert len(waiting) * 50_000 <= 1_000_000
    assert len(waiting) + sum(work.lost.values()) == 120
    assert Lane.TELEMETRY not in waiting
    assert waiting.count(Lane.ALARMS) >= waiting.count(Lane.EVENTS)


def test_a_burst_is_not_a_disk_that_hangs(tmp_path: Path):
    async def steps(spool, troubles):
        for _ in range(5000):
            spool.put_soon([draft(Lane.TELEMETRY)])
        await spool.put([draft()])
        assert spool.stats()["telemetry"].depth == 5000

    assert run(Settings(tmp_path / "spool.db"), steps) == []


def test_unsaved_figures_are_counted_at_opening(tmp_path: Path):
    limits = Limits.of(Settings(tmp_path / "spool.db"))
    store = Store.open(tmp_path / "spool.db", limits)
    for turn in range(30):
        store.write([(NOW, draft(text=str(turn), size=turn * 100))] * 40, {})
        other = Store.open_readonly(tmp_path / "spool.db", limits)
        for lane in Lane:
            ours, theirs = store.tallies[lane], other.tallies[lane]
            assert dataclasses.replace(ours, saved=0) == dataclasses.replace(theirs, saved=0)
        other.close()
        if turn % 7 == 6:
            for message in store.fetch(Lane.EVENTS, 50, ())[0]:
                store.acknowledge(message)
    store.close()


def test_ranges_hold_ids_as_a_set_does():
    ranges, ids = IdRanges(), set()
    for value in (5, 7, 6, 1, 2, 9, 9, 8, 3, 4, 20):
        ranges.add(value)
        ids.add(value)
        assert ranges.count == len(ids)
        assert list(ranges) == list(runs(sorted(ids)))
    assert (ranges.end(1), ranges.end(9), ranges.end(10), ranges.end(20)) == (9, 9, None, 20)


def test_row_cost_is_page_aware():
    assert 2 * PAGE < row_bytes(10_000) < 3 * PAGE
    assert row_bytes(2_100) == PAGE
    assert row_bytes(100) < 200
