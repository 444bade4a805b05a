"""What the tests of the spool share: settings, drafts, a list of troubles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lamppost.agent.spool import Draft, Lane, Message, Spool


@dataclass(frozen=True)
class Settings:
    path: Path
    max_mb: float = 256
    alarms_mb: float = 32
    events_mb: float = 32
    evidence_mb: float = 128
    telemetry_mb: float = 64
    alarms_days: float = 90
    events_days: float = 30
    evidence_days: float = 14
    telemetry_days: float = 7
    commit_ms: float = 5


def draft(lane: Lane = Lane.EVENTS, text: str = "", size: int = 0) -> Draft:
    """A draft whose payload says who it is: ``stream:lane:number:text``, padded to ``size``."""

    def encode(stream: str, number: int) -> bytes:
        return f"{stream}:{lane:d}:{number}:{text}:".encode().ljust(size, b".")

    return Draft(lane, f"{lane.label}/x", "text/plain", encode)


def text_of(message: Message) -> str:
    return message.payload.decode().split(":")[3]


async def everything(spool: Spool, *, acknowledge: bool = False) -> list[Message]:
    """All that is waiting, in the order in which it would leave."""
    flight: dict[tuple[Lane, int], Message] = {}
    found: list[Message] = []
    while messages := await spool.next(100, flight):
        found += messages
        for message in messages:
            if acknowledge:
                spool.done(message)
            else:
                flight[message.lane, message.number] = message
    return found
