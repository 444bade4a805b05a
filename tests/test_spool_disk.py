"""A full, a read-only and a failing disk: real ones where the kernel lets us make them."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from spooling import Settings, draft, everything, text_of
from waiting import until

from lamppost.agent.spool import Lane, Spool, SpoolTrouble, open_spool
from lamppost.agent.spool.trouble import kind_of

RETRY_S = (0.05, 0.2)


def mount(*arguments: str) -> bool:
    done = subprocess.run(["mount", *arguments], check=False, capture_output=True, text=True)
    return done.returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB of its own."""
    point = tmp_path / "disk"
    point.mkdir()
    if not shutil.which("mount") or not mount("-t", "tmpfs", "-o", "size=32m", "lamppost-test", str(point)):
        pytest.skip("mounting a small disk needs root; or run: unshare -rm python -m pytest " + __file__)
    try:
        yield point
    finally:
        subprocess.run(["umount", "-l", str(point)], check=True)


@contextmanager
def filled(disk: Path, spare: int = 0) -> Iterator[None]:
    """Fill the disk but for ``spare`` bytes."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        state = os.statvfs(disk)
        size = state.f_bavail * state.f_frsize - spare
        os.posix_fallocate(file.fileno(), 0, size)
        try:
            yield
        finally:
            ballast.unlink()


def run(settings: Settings, steps: Callable[..., object]) -> list[SpoolTrouble]:
    troubles: list[SpoolTrouble] = []

    async def go() -> None:
        async with open_spool(settings, report=troubles.append, retry_s=RETRY_S) as spool:
            await steps(spool, troubles)  # type: ignore[misc]

    asyncio.run(go())
    return troubles


async def numbers_and_texts(spool: Spool, lane: Lane = Lane.EVENTS) -> list[tuple[int, str]]:
    return [(m.number, text_of(m)) for m in await everything(spool) if m.lane is lane]


def told(troubles: list[SpoolTrouble]) -> list[tuple[str, str]]:
    return [(t.kind, t.phase) for t in troubles if t.kind != "dropped"]


def test_events_wait_in_memory_while_the_disk_is_full(small_disk: Path):
    settings = Settings(small_disk / "spool.db")

    async def steps(spool, troubles):
        assert await spool.put([draft(text="before")])
        stream = spool.stream
        with filled(small_disk, spare=512 << 10):
            step = 0
            while await spool.put([draft(text=str(step), size=2000)], {"rule": str(step).encode()}):
                step += 1
                assert step < 5000
            for more in range(step + 1, step + 50):
                assert not await spool.put([draft(text=str(more), size=2000)], {"rule": str(more).encode()})
            assert spool.stats().durable is False
            assert [t.kind for t in spool.stats().trouble] == ["disk-full"]
            assert spool.stats()["events"].depth == step + 51
            first, *_ = await spool.next(1)
            assert text_of(first) == "before"
            spool.done(first)
            flight = {(m.lane, m.number) for m in await spool.next(1)}
            assert flight == {(Lane.EVENTS, 2)}
        await until(lambda: spool.stats().durable and not spool.stats().trouble)
        assert spool.stream != stream
        assert await spool.put([draft(text="after")])
        assert told(troubles) == [("disk-full", "open"), ("disk-full", "closed")]
        assert spool.stats()["events"].dropped_count == 0

    run(settings, steps)

    async def again(spool, troubles):
        found = await everything(spool, acknowledge=True)
        texts = [text_of(m) for m in found]
        assert texts == [*map(str, range(len(texts) - 1)), "after"]
        assert spool.read_state("rule") == texts[-2].encode()
        for stream in {m.stream for m in found}:
            numbers = [m.number for m in found if m.stream == stream]
            start = numbers[0]
            assert numbers == list(range(start, start + len(numbers)))
            assert start == (1 if stream == spool.stream else 2)
        assert all(m.payload.decode().startswith(f"{m.stream}:1:{m.number}:") for m in found)

    assert run(settings, again) == []


def test_a_full_disk_costs_telemetry_first(small_disk: Path):
    settings = Settings(small_disk / "spool.db")

    async def steps(spool, troubles):
        for step in range(40):
            await spool.put([draft(Lane.TELEMETRY, str(step * 25 + n), size=3000) for n in range(25)])
        with filled(small_disk, spare=256 << 10):
            durable = [await spool.put([draft(text=str(step), size=3000)]) for step in range(300)]
            assert all(durable)
            stats = spool.stats()
            assert stats["telemetry"].dropped["disk"][0] > 0
            assert stats["events"].dropped_count == 0
            assert [t.kind for t in stats.trouble] == ["disk-full"]
            left = [int(text) for _, text in await numbers_and_texts(spool, Lane.TELEMETRY)]
            assert left == list(range(1000 - len(left), 1000))
        await until(lambda: not spool.stats().trouble)
        assert told(troubles) == [("disk-full", "open"), ("disk-full", "closed")]

    run(settings, steps)


def test_a_young_spool_still_takes_alarms_to_a_full_disk(small_disk: Path):
    """It has little that could make way for them; the reserve's room is theirs."""
    settings = Settings(small_disk / "spool.db")

    async def steps(spool, troubles):
        assert await spool.put([draft(text="before")])
        with filled(small_disk, spare=0):
            durable = [await spool.put([draft(Lane.ALARMS, str(step), size=300)]) for step in range(50)]
            assert all(durable)

    run(settings, steps)

    async def again(spool, troubles):
        found = [text_of(m) for m in await everything(spool) if m.lane is Lane.ALARMS]
        assert found == [str(step) for step in range(50)]

    run(settings, again)


def test_memory_keeps_events_rather_than_telemetry(small_disk: Path):
    settings = Settings(small_disk / "spool.db")

    async def steps(spool, troubles):
        await spool.put([draft()])
        with filled(small_disk):
            for step in range(150):
                await spool.put([draft(Lane.TELEMETRY, size=90_000), draft(text=str(step), size=12_000)])
            stats = spool.stats()
            assert not stats.durable
            assert stats["events"].depth == 151
            assert 0 < stats["telemetry"].depth < 150
            assert stats["telemetry"].dropped["disk"][0] == 150 - stats["telemetry"].depth
        await until(lambda: spool.stats().durable)
        assert spool.stats()["events"].depth == 151
        assert spool.stats()["telemetry"].dropped["disk"][0] > 0

    run(settings, steps)


def test_a_limit_of_pages_is_a_full_disk_too(tmp_path: Path):
    async def steps(spool, troubles):
        await spool.put([draft(text="0")])
        connection = spool._outbox.disk._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        for step in range(1, 50):
            await spool.put([draft(text=str(step), size=2000)])
        assert [t.kind for t in spool.stats().trouble] == ["disk-full"]
        connection.execute("PRAGMA max_page_count = 10000")
        await until(lambda: spool.stats().durable and not spool.stats().trouble)
        assert [text for _, text in await everything_texts(spool)] == [str(n) for n in range(50)]

    async def everything_texts(spool):
        return [(m.number, text_of(m)) for m in await everything(spool, acknowledge=True)]

    run(Settings(tmp_path / "spool.db"), steps)


def test_a_disk_that_is_read_only_at_boot_still_gives_what_it_has(small_disk: Path):
    settings = Settings(small_disk / "spool.db")

    async def before(spool, troubles):
        await spool.put([draft(text="a"), draft(text="b")], {"rule": b"1"})

    run(settings, before)
    assert mount("-o", "remount,ro", str(small_disk))

    async def steps(spool, troubles):
        assert [(t.kind, t.phase) for t in troubles] == [("read-only", "open")]
        assert spool.read_state("rule") == b"1"
        assert not await spool.put([draft(text="c")], {"rule": b"2"})
        first, second = await spool.next(5)
        assert [text_of(m) for m in (first, second)] == ["a", "b"]
        spool.done(first)
        assert [text_of(m) for m in await spool.next(5)] == ["b"]
        spool.done(second)
        assert [text_of(m) for m in await spool.next(5)] == ["c"]
        assert mount("-o", "remount,rw", str(small_disk))
        await until(lambda: spool.stats().durable)
        assert [text_of(m) for m in await spool.next(5)] == ["c"]
        assert told(troubles) == [("read-only", "open"), ("read-only", "closed")]

    run(settings, steps)

    async def after(spool, troubles):
        assert [text_of(m) for m in await everything(spool)] == ["c"]
        assert spool.read_state("rule") == b"2"

    run(settings, after)


def test_a_database_that_turns_read_only_is_reported_and_bridged(tmp_path: Path):
    async def steps(spool, troubles):
        assert await spool.put([draft(text="a")])
        connection = spool._outbox.disk._connection
        connection.execute("PRAGMA query_only = ON")
        assert not await spool.put([draft(text="b")])
        assert told(troubles) == [("read-only", "open")]
        connection.execute("PRAGMA query_only = OFF")
        await until(lambda: spool.stats().durable)
        assert [text_of(m) for m in await everything(spool, acknowledge=True)] == ["a", "b"]

    troubles = run(Settings(tmp_path / "spool.db"), steps)
    assert told(troubles)[-1] == ("read-only", "closed")


def test_a_write_error_is_bridged_by_memory(tmp_path: Path):
    """RLIMIT_FSIZE makes the kernel refuse to let the file grow: a true EFBIG in the middle of a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def steps(spool, troubles):
        assert await spool.put([draft(text="0")])
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, hard))
            for step in range(1, 40):
                await spool.put([draft(text=str(step), size=4000)])
            assert [t.kind for t in spool.stats().trouble] == ["io"]
            assert not spool.stats().durable
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await until(lambda: spool.stats().durable)
        found = await everything(spool, acknowledge=True)
        assert [text_of(m) for m in found] == [str(n) for n in range(40)]

    troubles = run(Settings(tmp_path / "spool.db"), steps)
    assert told(troubles) == [("io", "open"), ("io", "closed")]


def test_a_folder_that_cannot_be_made_is_no_crash_and_its_loss_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")

    async def steps(spool, troubles):
        assert not await spool.put([draft(text="a")])
        assert [text_of(m) for m in await everything(spool)] == ["a"]

    troubles = run(Settings(tmp_path / "file" / "spool.db"), steps)
    assert [(t.kind, t.phase) for t in troubles] == [("io", "open"), ("dropped", "once")]
    assert troubles[-1].counts == {"events": 1}
    assert "in memory only" in troubles[-1].detail


def test_another_process_that_locks_the_file_delays_but_loses_nothing(tmp_path: Path):
    settings = Settings(tmp_path / "spool.db")

    async def steps(spool, troubles):
        await spool.put([draft(text="a")])
        other = sqlite3.connect(settings.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert not await spool.put([draft(text="b")])
        other.execute("ROLLBACK")
        other.close()
        await until(lambda: spool.stats().durable)
        assert [text_of(m) for m in await everything(spool, acknowledge=True)] == ["a", "b"]

    assert told(run(settings, steps)) == [("io", "open"), ("io", "closed")]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EACCES, "no-permission"),
        (errno.EPERM, "no-permission"),
        (errno.EROFS, "read-only"),
        (errno.ENOSPC, "disk-full"),
        (errno.EIO, "io"),
    ],
)
def test_what_the_system_refuses_is_called_by_its_name(tmp_path: Path, number: int, kind: str):
    assert kind_of(OSError(number, os.strerror(number)), tmp_path / "spool.db") == kind


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_another_user_is_no_worn_out_card(tmp_path: Path):
    async def steps(spool, troubles):
        assert told(troubles) == [("no-permission", "open")]
        assert "chown" in troubles[0].detail

    tmp_path.chmod(0o500)
    try:
        run(Settings(tmp_path / "state" / "spool.db"), steps)
    finally:
        tmp_path.chmod(0o700)
