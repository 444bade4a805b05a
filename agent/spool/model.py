"""The words of the spool: lanes, drafts, messages, figures and troubles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple, Protocol

PLAUSIBLE = 1_704_067_200.0
"""2024-01-01 UTC. A box without a clock battery boots in 1970: what was created before this
moment has no known age, and is never dropped for it."""


class SpoolError(Exception):
    """The spool cannot be opened or used at all: what, where, and what to do about it."""


class Lane(IntEnum):
    """Priority of a message: the lowest value leaves first and is dropped last."""

    ALARMS = 0
    EVENTS = 1
    EVIDENCE = 2
    TELEMETRY = 3

    @property
    def label(self) -> str:
        """The lane's name in figures, tables and settings."""
        return self.name.lower()


class Draft(NamedTuple):
    """A message before it has its number.

    ``encode(stream, number)`` returns the payload. It is called on the spool's own thread, and a
    second time with other values if the first attempt could not be committed: it must depend
    on its arguments only and touch nothing that the event loop changes. A draft whose ``encode``
    raises is dropped alone, counted and reported; its number is given to the next.
    ``weight`` is what the draft holds in memory until then, in bytes (0: some 4 KB); by it the spool
    bounds what waits for a disk that hangs.
    """

    lane: Lane
    topic: str
    content_type: str
    encode: Callable[[str, int], bytes]
    weight: int = 0


class Message(NamedTuple):
    """A stored message. ``(lane, number)`` is unique among all that `Spool.next` has handed out.

    ``number`` counts from 1 without gaps per stream and lane; ``stream`` is the 8 hex digits that
    ``encode`` was given. ``created`` and ``expires`` are unix seconds; ``expires`` is None where
    the clock was not yet plausible.
    """

    lane: Lane
    number: int
    topic: str
    payload: bytes
    content_type: str
    created: float
    expires: float | None
    stream: str = ""


class LaneStats(NamedTuple):
    """Figures of one lane. ``bytes`` is room on disk; ``oldest_s`` the age of the oldest message.

    ``dropped`` splits what was lost by reason (size, age, disk, encode) into (count, bytes).
    Dropped and written count since the database was created.
    """

    depth: int
    bytes: int
    oldest_s: float | None
    dropped_count: int
    dropped_bytes: int
    written: int
    dropped: Mapping[str, tuple[int, int]]


class SpoolTrouble(NamedTuple):
    """Something that the operator should know.

    ``kind``: ``disk-full``, ``read-only``, ``no-permission``, ``io``, ``stalled`` (a state: ``phase`` is
    ``open``, later ``closed``), ``corrupt`` (a database was set aside) or ``dropped`` (messages were lost;
    ``counts`` says how many per ``lane.reason`` since the last report), both with phase ``once``.
    """

    kind: str
    detail: str
    counts: Mapping[str, int]
    phase: str


class SpoolStats(dict[str, LaneStats]):
    """Figures per lane label; ``trouble`` holds what is open now, ``durable`` is false in memory mode."""

    trouble: tuple[SpoolTrouble, ...] = ()
    durable: bool = True
    stream: str = ""


class SpoolSettings(Protocol):
    """The settings that the spool reads; `lamppost.agent.config` provides them."""

    @property
    def path(self) -> Path: ...  # noqa: D102
    @property
    def max_mb(self) -> float: ...  # noqa: D102
    @property
    def alarms_mb(self) -> float: ...  # noqa: D102
    @property
    def events_mb(self) -> float: ...  # noqa: D102
    @property
    def evidence_mb(self) -> float: ...  # noqa: D102
    @property
    def telemetry_mb(self) -> float: ...  # noqa: D102
    @property
    def alarms_days(self) -> float: ...  # noqa: D102
    @property
    def events_days(self) -> float: ...  # noqa: D102
    @property
    def evidence_days(self) -> float: ...  # noqa: D102
    @property
    def telemetry_days(self) -> float: ...  # noqa: D102
    @property
    def commit_ms(self) -> float: ...  # noqa: D102


MB = 1 << 20
DAY_S = 86_400.0


class Limits(NamedTuple):
    """Bounds of one database: bytes in all, and bytes and age per lane."""

    whole: int
    lane_bytes: Mapping[Lane, int]
    lane_s: Mapping[Lane, float]

    @classmethod
    def of(cls, settings: SpoolSettings) -> Limits:
        """Take the limits from the configuration."""
        return cls(
            int(settings.max_mb * MB),
            {
                Lane.ALARMS: int(settings.alarms_mb * MB),
                Lane.EVENTS: int(settings.events_mb * MB),
                Lane.EVIDENCE: int(settings.evidence_mb * MB),
                Lane.TELEMETRY: int(settings.telemetry_mb * MB),
            },
            {
                Lane.ALARMS: settings.alarms_days * DAY_S,
                Lane.EVENTS: settings.events_days * DAY_S,
                Lane.EVIDENCE: settings.evidence_days * DAY_S,
                Lane.TELEMETRY: settings.telemetry_days * DAY_S,
            },
        )

    def within(self, whole: int) -> Limits:
        """Return the same ages with every lane inside ``whole`` bytes: limits of the memory store."""
        return self._replace(whole=whole, lane_bytes={k: min(v, whole) for k, v in self.lane_bytes.items()})

    def expires(self, lane: Lane, created: float) -> float | None:
        """Return when a message is too old to keep, if its age can be known."""
        return created + self.lane_s[lane] if created >= PLAUSIBLE else None
