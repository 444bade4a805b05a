"""A broken database is set aside, what can be read of it is saved, and the agent goes on."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path

import pytest
from spooling import Settings, draft, everything, text_of

from lamppost.agent.spool import Lane, SpoolTrouble, open_spool
from lamppost.agent.spool.broken import set_aside_files
from lamppost.agent.spool.schema import PAGE, VERSION


def run(path: Path, steps) -> list[SpoolTrouble]:
    troubles: list[SpoolTrouble] = []

    async def go() -> None:
        async with open_spool(Settings(path), report=troubles.append, retry_s=(0.05, 0.2)) as spool:
            await steps(spool, troubles)

    asyncio.run(go())
    return troubles


def fill(path: Path, events: int = 300) -> list[SpoolTrouble]:
    async def steps(spool, troubles):
        await spool.put([draft(Lane.TELEMETRY, str(n), size=900) for n in range(2000)])
        await spool.put([draft(text=str(n), size=500) for n in range(events)], {"rule": b"7"})

    return run(path, steps)


def set_aside(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.glob("spool.db.broken-*"))


@pytest.mark.parametrize(
    "content", [b"this is no database at all\n" * 1000, b"SQLite format 3\0" + b"\xff" * 9000]
)
def test_garbage_is_set_aside_and_a_new_stream_begins(tmp_path: Path, content: bytes):
    path = tmp_path / "spool.db"
    path.write_bytes(content)

    async def steps(spool, troubles):
        assert await spool.put([draft(text="new")])
        assert spool.stats().durable

    troubles = run(path, steps)
    assert [(t.kind, t.phase) for t in troubles] == [("corrupt", "once")]
    (aside,) = set_aside(path)
    assert aside in troubles[0].detail
    assert (tmp_path / aside).read_bytes() == content


@pytest.mark.parametrize("version", [VERSION + 1, 99])
def test_a_schema_from_the_future_is_set_aside_and_its_messages_are_saved(tmp_path: Path, version: int):
    path = tmp_path / "spool.db"
    fill(path, events=10)
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA user_version = {version}")
    other.close()

    async def steps(spool, troubles):
        found = await everything(spool)
        assert len(found) == 2010
        assert spool.read_state("rule") == b"7"
        assert spool.stream not in {m.stream for m in found}
        assert all(m.payload.startswith(m.stream.encode()) for m in found)
        await spool.put([draft(text="new")])
        assert text_of((await everything(spool))[9]) == "9"

    troubles = run(path, steps)
    assert f"schema version {version}" in troubles[0].detail
    assert troubles[0].counts == {}
    assert len(set_aside(path)) == 1


def test_another_programs_database_is_kept_but_not_used(tmp_path: Path):
    path = tmp_path / "spool.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE precious(x)")
    other.close()

    async def steps(spool, troubles):
        assert await spool.put([draft()])

    run(path, steps)
    (aside,) = set_aside(path)
    with sqlite3.connect(tmp_path / aside) as kept:
        assert kept.execute("SELECT count(*) FROM precious").fetchone() == (0,)
    kept.close()


def test_damage_at_open_saves_what_lies_outside_it(tmp_path: Path):
    path = tmp_path / "spool.db"
    fill(path)
    with sqlite3.connect(path) as db:
        last = db.execute("PRAGMA page_count").fetchone()[0]
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'telemetry'").fetchone()[0]
    db.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * PAGE)
        file.write(b"\x55" * PAGE)
    assert last > 100

    async def steps(spool, troubles):
        found = await everything(spool, acknowledge=True)
        assert [text_of(m) for m in found] == [str(n) for n in range(300)]
        assert spool.stats()["telemetry"].dropped["disk"][0] == 2000
        assert spool.read_state("rule") == b"7"

    troubles = run(path, steps)
    assert troubles[0].kind == "corrupt"
    assert troubles[0].counts == {"telemetry": 2000}
    assert "events 300" in troubles[0].detail


def test_a_file_cut_short_is_survived(tmp_path: Path):
    path = tmp_path / "spool.db"
    fill(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)

    async def steps(spool, troubles):
        assert await spool.put([draft(text="new")])
        texts = [text_of(m) for m in await everything(spool, acknowledge=True)]
        assert "new" in texts

    assert [t.kind for t in run(path, steps)] == ["corrupt"]
    assert len(set_aside(path)) == 1


def test_damage_while_running_is_noticed_and_nothing_put_meanwhile_is_lost(tmp_path: Path):
    path = tmp_path / "spool.db"

    async def steps(spool, troubles):
        await spool.put([draft(text=str(n), size=900) for n in range(3000)], {"rule": b"1"})
        spool._outbox.disk.checkpoint()
        pages = path.stat().st_size // PAGE
        with path.open("r+b") as file:
            for page in range(pages // 4, pages // 4 + 20):
                file.seek(page * PAGE)
                file.write(b"\xaa" * PAGE)
        await spool.put([draft(Lane.ALARMS, "alarm")], {"rule": b"2"})
        found = await everything(spool, acknowledge=True)
        assert text_of(found[0]) == "alarm"
        numbers = [m.number for m in found if m.lane is Lane.EVENTS]
        assert {1, 3000} <= set(numbers)
        assert 2800 < len(set(numbers)) < 3000
        assert await spool.put([draft(text="after")])
        assert [text_of(m) for m in await spool.next(5)] == ["after"]
        assert spool.read_state("rule") == b"2"

    troubles = run(path, steps)
    assert [(t.kind, t.phase) for t in troubles] == [("corrupt", "once")]
    assert 0 < troubles[0].counts["events"] < 200


def test_only_the_last_two_broken_databases_are_kept(tmp_path: Path):
    path = tmp_path / "spool.db"

    async def steps(spool, troubles):
        await spool.put([draft()])

    kept = []
    for turn in range(4):
        path.write_bytes(f"garbage {turn}".encode() * 1000)
        kept.append(path.read_bytes())
        run(path, steps)
    assert [file.read_bytes() for file in set_aside_files(path)] == kept[-2:]


def test_a_power_cut_between_the_two_renames_is_finished_at_the_next_start(tmp_path: Path):
    path = tmp_path / "spool.db"
    fill(path, events=5)
    path.rename(tmp_path / "spool.db.new")

    async def steps(spool, troubles):
        assert len(await everything(spool)) == 2005

    assert run(path, steps) == []
    assert not (tmp_path / "spool.db.new").exists()


@pytest.mark.parametrize("seed", range(12))
def test_random_damage_never_stops_the_spool(tmp_path: Path, seed: int):
    path = tmp_path / "spool.db"
    fill(path)
    chance = random.Random(seed)
    with path.open("r+b") as file:
        for _ in range(chance.choice([1, 5, 50])):
            file.seek(chance.randrange(path.stat().st_size))
            file.write(chance.randbytes(chance.choice([1, 16, 5000])))

    async def steps(spool, troubles):
        assert await spool.put([draft(Lane.ALARMS, "new", size=100)])
        found = await everything(spool, acknowledge=True)
        assert "new" in [
            m.payload.decode("ascii", "replace").split(":")[3] for m in found if m.lane is Lane.ALARMS
        ]
        keys = [(m.lane, m.stream, m.number) for m in found]
        assert len(keys) == len(set(keys))
        assert await spool.put([draft(Lane.ALARMS, "newer")])
        assert spool.stats().durable

    run(path, steps)
    run(path, steps)
