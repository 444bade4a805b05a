"""A process to be killed: it writes, reads and acknowledges, and tells what was promised to it.

``stored ROUND.N LANE`` after a put returned, ``gone LANE NUMBER ROUND.N`` before an acknowledgement.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from spooling import Settings, draft, text_of

from lamppost.agent.spool import Lane, Spool, open_spool


def tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def write(spool: Spool, turn: str, task: int) -> None:
    for step in range(10**9):
        lane = Lane((step + task) % 4)
        name = f"{turn}.{task}.{step}"
        await spool.put(
            [draft(lane, name, size=300), draft(lane, name + "b")], {f"state{task}": name.encode()}
        )
        tell(f"stored {name} {lane:d}")


async def send(spool: Spool) -> None:
    while True:
        for message in await spool.next(3):
            tell(f"gone {message.lane:d} {message.number} {text_of(message)}")
            spool.done(message)
        await asyncio.sleep(0.005)


async def main(path: Path, turn: str) -> None:
    async with open_spool(Settings(path), report=print) as spool, asyncio.TaskGroup() as group:
        tell("open")
        for task in range(4):
            group.create_task(write(spool, turn, task))
        group.create_task(send(spool))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
