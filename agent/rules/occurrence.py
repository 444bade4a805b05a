"""One occurrence of something, from its opening message to its closing one, through restarts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lamppost.agent.event import Event, Measure, Phase, Severity, new_id
from lamppost.agent.rules.api import Json


@dataclass(slots=True)
class Occurrence:
    """What goes on now: it makes the messages of one event id and counts them.

    All messages of an occurrence carry the kind, device, zone and severity it was opened with, even
    if the settings change while it lasts: a hub must be able to match the end with the beginning.
    """

    kind: str
    rule: str
    since: datetime
    device: str = ""
    zone: str = ""
    severity: Severity = Severity.ALARM
    id: str = field(default_factory=new_id)
    revision: int = 0
    told_at: datetime | None = None
    told: dict[str, Measure] = field(default_factory=dict)

    def open(self, at: datetime, measures: Mapping[str, Measure]) -> Event:
        """Return the first message. To be called once, before the others."""
        return self._message(Phase.OPEN, at, measures)

    def update(self, at: datetime, measures: Mapping[str, Measure], every_s: float) -> Event | None:
        """Return a message if there is news and the last one is ``every_s`` (0: endless) old."""
        if not self.is_due(at, every_s) or measures == self.told:
            return None
        return self._message(Phase.UPDATE, at, measures)

    def is_due(self, at: datetime, every_s: float) -> bool:
        """Say whether the last message is ``every_s`` (0: endless) old."""
        return bool(every_s) and self.told_at is not None and (at - self.told_at).total_seconds() >= every_s

    def close(self, at: datetime, measures: Mapping[str, Measure] | None = None) -> Event:
        """Return the last message: the measures, or those told last, and ``duration_s``."""
        duration_s = max(0.0, (at - self.since).total_seconds())
        measures = self.told if measures is None else measures
        return self._message(Phase.CLOSE, at, {**measures, "duration_s": round(duration_s, 3)})

    def _message(self, phase: Phase, at: datetime, measures: Mapping[str, Measure]) -> Event:
        if self.told_at is not None:
            at = max(at, self.told_at)  # a sample may be a little older than the tick before it
        event = Event(
            id=self.id,
            kind=self.kind,
            phase=phase,
            rule=self.rule,
            since=self.since,
            at=at,
            revision=self.revision,
            device=self.device,
            zone=self.zone,
            severity=self.severity,
            measures=dict(measures),
        )
        self.revision += 1
        self.told_at = at
        self.told = event.measures
        return event

    def shift(self, seconds: float) -> None:
        """Move the remembered times with the clock."""
        self.since += timedelta(seconds=seconds)
        if self.told_at is not None:
            self.told_at += timedelta(seconds=seconds)

    def save(self) -> Json:
        """Return the occurrence as JSON values, for `restored`."""
        return {
            "kind": self.kind,
            "rule": self.rule,
            "since": self.since.isoformat(),
            "device": self.device,
            "zone": self.zone,
            "severity": self.severity.value,
            "id": self.id,
            "revision": self.revision,
            "told_at": saved_time(self.told_at),
            "told": dict(self.told),
        }


def restored(saved: Any) -> Occurrence:
    """Return an occurrence as saved. Raises KeyError, TypeError or ValueError if it is none."""
    return Occurrence(
        kind=str(saved["kind"]),
        rule=str(saved["rule"]),
        since=datetime.fromisoformat(saved["since"]),
        device=str(saved["device"]),
        zone=str(saved["zone"]),
        severity=Severity(saved["severity"]),
        id=str(saved["id"]),
        revision=int(saved["revision"]),
        told_at=restored_time(saved["told_at"]),
        told=dict(saved["told"]),
    )


def saved_time(at: datetime | None) -> str | None:
    """Return a time as JSON."""
    return None if at is None else at.isoformat()


def restored_time(saved: str | None) -> datetime | None:
    """Return a time from JSON. Raises TypeError or ValueError."""
    return None if saved is None else datetime.fromisoformat(saved)
