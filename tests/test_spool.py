"""The spool's contract: the same on disk and in memory."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest
from spooling import Settings, draft, everything, text_of
from waiting import until

from lamppost.agent.spool import Draft, Lane, SpoolError, SpoolTrouble, open_spool
from lamppost.agent.spool.model import PLAUSIBLE

NOW = 1_800_000_000.0


@pytest.fixture(params=["disk", "memory"])
def settings(request, tmp_path: Path) -> Settings:
    if request.param == "disk":
        return Settings(tmp_path / "state" / "spool.db")
    (tmp_path / "file").write_text("no folder can be made below a file")
    return Settings(tmp_path / "file" / "spool.db")


def run(settings: Settings, steps, **options) -> list[SpoolTrouble]:
    troubles: list[SpoolTrouble] = []

    async def go() -> None:
        async with open_spool(settings, report=troubles.append, **options) as spool:
            await steps(spool)

    asyncio.run(go())
    return troubles


def test_put_tells_whether_the_disk_has_it(settings: Settings):
    async def steps(spool):
        on_disk = settings.path.exists()
        assert await spool.put([draft()]) is on_disk
        assert spool.stats().durable is on_disk

    troubles = run(settings, steps)
    assert [t.kind for t in troubles] == ([] if settings.path.exists() else ["io", "dropped"])


def test_numbers_count_from_one_in_each_lane_and_payloads_know_them(settings: Settings):
    async def steps(spool):
        await spool.put([draft(Lane.EVENTS), draft(Lane.ALARMS)])
        await spool.put([draft(Lane.EVENTS)])
        found = await everything(spool)
        assert [(m.lane, m.number) for m in found] == [(0, 1), (1, 1), (1, 2)]
        for message in found:
            assert message.payload.decode() == f"{spool.stream}:{message.lane:d}:{message.number}::"
            assert message.stream == spool.stream

    run(settings, steps)


def test_higher_lanes_leave_first_and_the_oldest_of_a_lane_first(settings: Settings):
    async def steps(spool):
        for lane in reversed(Lane):
            await spool.put([draft(lane, "a"), draft(lane, "b")])
        order = [(m.lane.label, text_of(m)) for m in await everything(spool)]
        assert order == [(lane.label, text) for lane in Lane for text in "ab"]

    run(settings, steps)


def test_messages_in_flight_are_not_handed_out_again(settings: Settings):
    async def steps(spool):
        await spool.put([draft(text=str(n)) for n in range(5)])
        first = await spool.next(2)
        flight = {(m.lane, m.number) for m in first}
        assert [text_of(m) for m in await spool.next(10, flight)] == ["2", "3", "4"]
        assert [text_of(m) for m in await spool.next(2)] == ["0", "1"]

    run(settings, steps)


def test_acknowledged_messages_never_come_back(settings: Settings):
    async def steps(spool):
        await spool.put([draft(text=str(n)) for n in range(600)])
        for message in await spool.next(600):
            if message.number % 3:
                spool.done(message)
                spool.done(message)
        assert [m.number for m in await everything(spool)] == list(range(3, 601, 3))
        await until(lambda: spool.stats()["events"].depth == 200)

    run(settings, steps)


def test_a_message_acknowledged_while_next_reads_is_not_handed_out(settings: Settings):
    async def steps(spool):
        await spool.put([draft(text=str(n)) for n in range(3)])
        first, *_ = await spool.next(1)
        reading = asyncio.create_task(spool.next(2))
        await asyncio.sleep(0)
        spool.done(first)
        assert [m.number for m in await reading] in ([2], [2, 3])

    run(settings, steps)


def test_wait_returns_for_what_was_stored_since_next(settings: Settings):
    async def steps(spool):
        assert await spool.next(1) == []
        waiting = asyncio.create_task(spool.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        spool.put_soon([draft(Lane.TELEMETRY)])
        await asyncio.wait_for(waiting, 10)
        await asyncio.wait_for(spool.wait(), 10)
        assert len(await spool.next(1)) == 1

    run(settings, steps)


def test_a_draft_that_cannot_be_encoded_costs_only_itself(settings: Settings):
    def fails(stream: str, number: int) -> bytes:
        raise ValueError("no such unit")

    async def steps(spool):
        bad = [
            Draft(Lane.EVENTS, "event/bad", "text/plain", fails),
            Draft(Lane.EVENTS, "event/text", "text/plain", lambda _s, _n: "text"),  # type: ignore[arg-type, return-value]
            Draft(Lane.EVENTS, "event/\udc80", "text/plain", lambda _s, _n: b""),
        ]
        await spool.put([draft(text="a"), *bad, draft(text="b")])
        assert [(m.number, text_of(m)) for m in await everything(spool)] == [(1, "a"), (2, "b")]
        assert spool.stats()["events"].dropped["encode"] == (3, 0)

    troubles = run(settings, steps)
    dropped = [t for t in troubles if t.kind == "dropped"]
    assert dropped[0].counts == {"events.encode": 3}
    assert "encode" in dropped[0].detail


def test_states_are_stored_with_the_drafts_and_removed_by_none(settings: Settings):
    async def steps(spool):
        assert spool.read_state("rule") is None
        await spool.put([draft()], {"rule": b"1", "other": b"x"})
        assert spool.read_state("rule") == b"1"
        await spool.write_state({"rule": b"2", "other": None})
        assert (spool.read_state("rule"), spool.read_state("other")) == (b"2", None)
        with pytest.raises(TypeError, match="not bytes"):
            await spool.write_state({"rule": "text"})  # type: ignore[dict-item]

    run(settings, steps)


def test_stats_tell_depth_age_bytes_and_what_was_written(settings: Settings):
    clock = [NOW]

    async def steps(spool):
        await spool.put([draft(size=1000), draft(size=1000)])
        clock[0] += 60
        stats = spool.stats()["events"]
        assert (stats.depth, stats.written, stats.oldest_s) == (2, 2, 60)
        assert 2000 < stats.bytes < 3000
        assert spool.stats()["alarms"].oldest_s is None

    run(settings, steps, now=lambda: clock[0])


def test_messages_expire_with_their_lane_unless_the_clock_was_wrong(settings: Settings):
    clock = [100.0]

    async def steps(spool):
        await spool.put([draft()])
        clock[0] = NOW
        await spool.put([draft()])
        old, new = await everything(spool)
        assert (old.created, old.expires) == (100.0, None)
        assert (new.created, new.expires) == (NOW, NOW + 30 * 86400)

    run(settings, steps, now=lambda: clock[0])
    assert PLAUSIBLE < NOW


def test_a_closed_spool_says_so(settings: Settings):
    kept = []

    async def steps(spool):
        kept.append(spool)

    run(settings, steps)

    async def late():
        with pytest.raises(SpoolError, match="closed"):
            await kept[0].put([draft()])
        with pytest.raises(SpoolError, match="closed"):
            await kept[0].next(1)

    asyncio.run(late())


def test_many_tasks_share_commits_and_lose_nothing(settings: Settings):
    async def steps(spool):
        async def one(name: int) -> None:
            for step in range(10):
                await spool.put([draft(text=f"{name}.{step}")])

        await asyncio.gather(*(one(name) for name in range(50)))
        found = await everything(spool)
        assert [m.number for m in found] == list(range(1, 501))
        assert {text_of(m) for m in found} == {f"{a}.{b}" for a in range(50) for b in range(10)}

    run(settings, steps)


def test_everything_is_there_after_reopening(tmp_path: Path):
    settings = Settings(tmp_path / "spool.db")

    async def first(spool):
        await spool.put([draft(text="a"), draft(text="b"), draft(Lane.ALARMS, "c")], {"rule": b"7"})
        spool.put_soon([draft(Lane.TELEMETRY, "d")])
        spool.done((await spool.next(1))[0])

    async def second(spool):
        assert spool.read_state("rule") == b"7"
        assert [text_of(m) for m in await everything(spool)] == ["a", "b", "d"]
        await spool.put([draft(Lane.ALARMS, "e"), draft(text="f")])
        assert [(m.number, text_of(m)) for m in await spool.next(4)] == [
            (2, "e"),
            (1, "a"),
            (2, "b"),
            (3, "f"),
        ]
        assert {m.stream for m in await everything(spool)} == {spool.stream}

    assert run(settings, first) == []
    assert run(settings, second) == []


def test_two_agents_cannot_share_a_spool(tmp_path: Path):
    settings = Settings(tmp_path / "spool.db")

    async def steps(spool):
        with pytest.raises(SpoolError, match=r"spool\.db: in use by another agent \(process \d+\)"):
            async with open_spool(settings, report=print):
                pass
        assert await spool.put([draft()])

    run(settings, steps)


def test_only_the_owner_may_read_the_files(tmp_path: Path):
    settings = Settings(tmp_path / "a" / "b" / "spool.db")

    async def steps(spool):
        await spool.put([draft()])
        assert settings.path.parent.stat().st_mode & 0o777 == 0o700
        for file in settings.path.parent.iterdir():
            assert file.stat().st_mode & 0o777 == 0o600, file

    run(settings, steps)


def test_cancelling_a_put_does_not_take_the_draft_back(tmp_path: Path):
    async def steps(spool):
        task = asyncio.create_task(spool.put([draft(text="kept")]))
        await asyncio.sleep(0)
        task.cancel()
        await until(lambda: spool.stats()["events"].depth == 1)

    run(dataclasses.replace(Settings(tmp_path / "spool.db"), commit_ms=50), steps)
