"""kill -9 at any moment: what was promised is there, and numbers neither repeat nor skip."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from spooling import Settings, everything, text_of

from lamppost.agent.spool import open_spool

ROUNDS = 20


def kill_a_writer(path: Path, turn: int, after_lines: int) -> list[list[str]]:
    """Let a writer tell so many lines, kill it, and return all that it had told by then."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("spool_writer.py")), str(path), str(turn)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    ) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(after_lines)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
    assert writer.returncode == -signal.SIGKILL
    return [line.split() for line in lines if line.endswith("\n")]


def test_kill_9_loses_nothing_that_was_promised(tmp_path: Path):
    path = tmp_path / "spool.db"
    chance = random.Random(7)
    promised: dict[int, set[str]] = defaultdict(set)
    gone: dict[int, set[int]] = defaultdict(set)
    gone_texts: set[str] = set()
    last_state: dict[str, str] = {}
    for turn in range(ROUNDS):
        for what, *rest in kill_a_writer(path, turn, chance.randrange(2, 120)):
            if what == "stored":
                name, lane = rest
                promised[int(lane)] |= {name, name + "b"}
                last_state[name.split(".")[1]] = name
            elif what == "gone":
                gone[int(rest[0])].add(int(rest[1]))
                gone_texts.add(rest[2])

    async def look() -> None:
        async with open_spool(Settings(path), report=print) as spool:
            found = await everything(spool)
            assert {m.stream for m in found} == {spool.stream}
            for lane in range(4):
                numbers = [m.number for m in found if m.lane == lane]
                assert numbers == sorted(set(numbers))
                assert set(numbers) | gone[lane] == set(range(1, max(numbers) + 1))
                texts = {text_of(m) for m in found if m.lane == lane}
                assert promised[lane] - texts <= gone_texts
                assert all(m.payload.decode().split(":")[2] == str(m.number) for m in found)
            for task, name in last_state.items():
                state = spool.read_state(f"state{task}")
                assert state is not None
                turn, _, step = state.decode().split(".")
                assert (int(turn), int(step)) >= (int(name.split(".")[0]), int(name.split(".")[2]))

    asyncio.run(look())
    assert sum(map(len, promised.values())) > ROUNDS
    assert sum(map(len, gone.values())) > 0
