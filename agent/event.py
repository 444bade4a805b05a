"""Something that happened in the street or to the box."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

Measure: TypeAlias = float | int | bool | str


class Phase(StrEnum):
    """Where an event stands in its life: opened once, updated any number of times, closed once."""

    OPEN = "open"
    UPDATE = "update"
    CLOSE = "close"


class Severity(StrEnum):
    """How urgent an event is; it chooses the spool's lane (``alarm`` leaves first)."""

    ALARM = "alarm"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Picture:
    """One piece of evidence: its number within the event and the SHA-256 of the JPEG.

    ``moment`` says why it was taken (arrival, half-way, alarm), ``bytes`` how long the JPEG is.
    """

    number: int
    sha256: str
    at: datetime
    moment: str = ""
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """A piece of evidence that an event should have and has not, and why, in words."""

    number: int
    moment: str
    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """One message about one occurrence.

    ``id`` names the occurrence and is the same from open to close; ``revision`` counts its messages
    from 0, so that (id, revision) names the message. ``since`` is when the occurrence began,
    ``at`` when this message became true; both aware UTC. ``confidence`` is 0..1.
    """

    id: str
    kind: str
    phase: Phase
    rule: str
    since: datetime
    at: datetime
    revision: int = 0
    device: str = ""
    zone: str = ""
    severity: Severity = Severity.ALARM
    confidence: float = 1.0
    measures: dict[str, Measure] = field(default_factory=dict)
    evidence: tuple[Picture, ...] = ()
    missing: tuple[Missing, ...] = ()


def new_id() -> str:
    """Return a new id that sorts by time: UUID version 7 (RFC 9562, section 5.7) as 32 hex digits."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return f"{value:032x}"
