"""What a node can have sent: events, telemetry, its status, pictures, and what cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

from lamppost.simulators.hub.senml import Record


class Mail(NamedTuple):
    """A message as it came from the broker. ``received`` is unix seconds.

    ``content_type``, ``encoding`` and ``sequence`` are properties of MQTT 5; None with MQTT 3.1.1.
    """

    topic: str
    payload: bytes
    received: float
    content_type: str | None = None
    encoding: str | None = None
    sequence: str | None = None


class Node(NamedTuple):
    """Which box of which site."""

    site: str
    node: str

    def __str__(self) -> str:
        return f"{self.site}/{self.node}"


class Sequence(NamedTuple):
    """What names a message of a node: its spool's stream, the lane, and its number there."""

    stream: str
    lane: int
    number: int


#: The lanes of a spool by their digit in a sequence.
LANES = ("alarms", "events", "evidence", "telemetry")


@dataclass(slots=True)
class EventLetter:
    """One message of an event. ``id`` is the occurrence's, ``message_id`` the CloudEvents id."""

    node: Node
    received: float
    sequence: Sequence
    message_id: str
    id: str
    kind: str
    phase: str
    revision: int
    rule: str
    severity: str
    since: datetime
    at: datetime
    confidence: float
    measures: dict[str, Any]
    device: str = ""
    zone: str = ""
    evidence: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    #: How many messages the hub had taken before.
    order: int = 0


@dataclass(slots=True)
class TelemetryLetter:
    """Readings of one device. The names of ``records`` are node:device:quantity."""

    node: Node
    received: float
    sequence: Sequence
    device: str
    records: list[Record]
    size: int
    order: int = 0


@dataclass(slots=True)
class StatusLetter:
    """The retained status of a node, or its last will (``at`` is None)."""

    node: Node
    received: float
    online: bool
    at: datetime | None
    boot: str
    devices: dict[str, dict[str, str]]
    spool: dict[str, dict[str, int]]


@dataclass(slots=True)
class PictureLetter:
    """One piece of evidence of an event."""

    node: Node
    received: float
    event: str
    number: int
    sequence: Sequence | None
    size: int
    sha256: str = ""
    #: The JPEG itself, if the hub was asked to keep pictures.
    jpeg: bytes = b""
    order: int = 0


@dataclass(slots=True)
class OtherLetter:
    """Something that is no report of a node: a command, or a reply to one."""

    node: Node
    received: float
    topic: str


@dataclass(slots=True)
class BadLetter:
    """A message that cannot be read or does not fit what is written down."""

    received: float
    topic: str
    reason: str
    payload: bytes


Letter: TypeAlias = EventLetter | TelemetryLetter | StatusLetter | PictureLetter | OtherLetter | BadLetter


def quantity(record: Record) -> str:
    """Return the last part of a record's name."""
    return record.name.split(":", 2)[-1]


def when(at_ms: int) -> datetime:
    """Return unix milliseconds as an aware time."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)
