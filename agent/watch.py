"""The box watching itself: devices that stay down, and a spool in trouble, as events like any other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from lamppost.agent.event import Event, Measure, Severity
from lamppost.agent.health import DownWatch
from lamppost.agent.log import get_logger
from lamppost.agent.rules.api import Json
from lamppost.agent.rules.occurrence import Occurrence, restored
from lamppost.agent.spool import SpoolTrouble
from lamppost.drivers.api import Sample

log = get_logger()

if TYPE_CHECKING:
    from lamppost.agent.uplink import Removed

STORAGE = "box.storage"
REFUSED = "box.refused"
UPDATE_S = 60.0


class HealthWatch(DownWatch):
    """`DownWatch` as the state of a rule that needs no samples."""

    def step(self, sample: Sample, now: datetime) -> Iterable[Event]:
        """Take no samples: health is told by the supervisor."""
        del sample, now
        return ()


class SpoolWatch:
    """Turns what the spool and the uplink report into events.

    A trouble that lasts is open until it is over; one that is a matter of a moment (messages were
    dropped, a database was set aside) is opened and closed at once.
    """

    def __init__(self) -> None:
        self._reported: list[SpoolTrouble] = []
        self._open: dict[str, Occurrence] = {}
        self._restored: set[str] = set()

    def restore(self, saved: Json | None) -> None:
        """Take the troubles that were open when the agent last ran; those that are over are closed soon."""
        try:
            self._open = {kind: restored(one) for kind, one in (saved or {}).items()}
        except (KeyError, TypeError, ValueError):
            self._open = {}
        self._restored = set(self._open)

    def report(self, trouble: SpoolTrouble) -> None:
        """Take a report; the next tick makes events of it."""
        tell = log.info if trouble.phase == "closed" else log.error
        tell("spool", trouble=trouble.kind, phase=trouble.phase, detail=trouble.detail)
        self._reported.append(trouble)

    def refused(self, removed: Removed) -> None:
        """Take a message that the hub will never take."""
        detail = f"{removed.message.topic}: {removed.reason}"
        self._reported.append(SpoolTrouble(REFUSED, detail, {}, "once"))

    def step(self, sample: Sample, now: datetime) -> Iterable[Event]:
        """Take no samples."""
        del sample, now
        return ()

    def tick(self, now: datetime) -> Iterable[Event]:
        """Return the events of what was reported since."""
        reported, self._reported = self._reported, []
        events = [event for trouble in reported for event in self._events(trouble, now)]
        over, self._restored = self._restored - {trouble.kind for trouble in reported}, set()
        events += [self._open.pop(kind).close(now) for kind in over if kind in self._open]
        return events

    def _events(self, trouble: SpoolTrouble, now: datetime) -> Iterable[Event]:
        measures: dict[str, Measure] = {"trouble": trouble.kind, "detail": trouble.detail, **trouble.counts}
        occurrence = self._open.pop(trouble.kind, None)
        if trouble.phase == "closed":
            return [occurrence.close(now, measures)] if occurrence else []
        if occurrence is not None:
            self._open[trouble.kind] = occurrence
            update = occurrence.update(now, measures, UPDATE_S)
            return [update] if update else []
        kind = REFUSED if trouble.kind == REFUSED else STORAGE
        occurrence = Occurrence(kind, rule="spool", since=now, severity=Severity.ALARM)
        opened = occurrence.open(now, measures)
        if trouble.phase == "once":
            return [opened, occurrence.close(now, measures)]
        self._open[trouble.kind] = occurrence
        return [opened]

    def save(self) -> Json:
        """Return the open troubles."""
        return {kind: occurrence.save() for kind, occurrence in self._open.items()}

    def shift(self, seconds: float) -> None:
        """Move the open troubles with the clock."""
        for occurrence in self._open.values():
            occurrence.shift(seconds)
