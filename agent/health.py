"""How each device does, and the event that is opened when one stays down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, cast

from lamppost.agent.event import Event, Measure, Severity
from lamppost.agent.rules.api import Json
from lamppost.agent.rules.occurrence import Occurrence, restored, restored_time, saved_time
from lamppost.drivers.api import Quality, Reading, Sample

#: Kind of the event that `DownWatch` opens.
DEVICE_DOWN: Final = "device.down"
#: So long after its newest fault a device that delivers counts as degraded.
FAULT_MEMORY_S: Final = 60.0
#: What a driver may count by; more kinds than these go under one.
_MOST_KINDS = 50
_OTHER_KINDS = "other"
_LONGEST_TEXT = 500
_BAD = Quality.BAD  # looking it up in the enumeration costs more than comparing with it


class State(StrEnum):
    """How a device does. ``failing`` and ``stalled`` last until it delivers samples again."""

    STARTING = "starting"
    OK = "ok"
    DEGRADED = "degraded"
    STALLED = "stalled"
    FAILING = "failing"


DOWN = frozenset({State.STALLED, State.FAILING})


@dataclass(slots=True)
class Fault:
    """Faults of one kind that a driver survived: how many, and what the newest was."""

    count: int
    detail: str
    at: datetime


def _now() -> datetime:
    return datetime.now(UTC)


class DeviceHealth:
    """What the supervisor learns of one device; the app shows it and `DownWatch` judges it.

    ``now`` is the box's clock. The attributes are for reading only.
    """

    def __init__(
        self,
        device: str,
        now: Callable[[], datetime] = _now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.device = device
        self.state = State.STARTING
        self.since = now()
        self.samples = 0
        self.late_samples = 0
        self.restarts = 0
        self.abandoned_runs = 0
        self.faults: dict[str, Fault] = {}
        self.bad: set[str] = set()
        self.last_error: str | None = None
        self.last_error_at: datetime | None = None
        self.last_sample_at: datetime | None = None
        self.last_good_at: datetime | None = None
        self.next_try_at: datetime | None = None
        self._now = now
        self._monotonic = monotonic
        self._faulted = -FAULT_MEMORY_S

    @property
    def error(self) -> str | None:
        """Why the device is down; None when it is not."""
        return self.last_error if self.state in DOWN else None

    def took(self, samples: Sequence[Sample]) -> bool:
        """Note what came from the device, at least one sample; say whether the state changed."""
        self.samples += len(samples)
        newest = samples[-1].at
        self.last_sample_at = newest
        readings = cast("Sequence[Reading]", samples)
        try:
            bad = [reading[1] for reading in readings if reading[5] is _BAD]
        except TypeError:  # pictures among them
            readings = [sample for sample in samples if isinstance(sample, Reading)]
            bad = [reading[1] for reading in readings if reading[5] is _BAD]
        if len(bad) < len(samples):
            self.last_good_at = newest
        if bad or self.bad:
            suspects = self.bad.union(bad)
            last = {reading[1]: reading[5] for reading in readings if reading[1] in suspects}
            self.bad = {quantity for quantity in suspects if last.get(quantity, _BAD) is _BAD}
        elif self.state is State.OK:
            return False
        return self._enter(self._delivering())

    def fault(self, kind: str, detail: str) -> bool:
        """Note a fault that the driver survived; say whether the state changed."""
        if kind not in self.faults and len(self.faults) >= _MOST_KINDS:
            kind = _OTHER_KINDS
        count = self.faults[kind].count if kind in self.faults else 0
        self.faults[kind] = Fault(count + 1, detail[:_LONGEST_TEXT], self._now())
        self._faulted = self._monotonic()
        return self.refresh()

    def trying(self) -> None:
        """Note that the device is being tried now."""
        self.next_try_at = None

    def failed(self, error: str, state: State, next_try_s: float) -> bool:
        """Note that the device is down and when it is tried again; say whether the state changed."""
        self.last_error = error[:_LONGEST_TEXT]
        self.last_error_at = self._now()
        self.next_try_at = self.last_error_at + timedelta(seconds=next_try_s)
        self.restarts += 1
        return self._enter(state)

    def refresh(self) -> bool:
        """Let old faults be forgotten; say whether the state changed. To be called now and then."""
        return self.state in (State.OK, State.DEGRADED) and self._enter(self._delivering())

    def _delivering(self) -> State:
        """Return the state of a device that delivers."""
        faulty = self._monotonic() - self._faulted < FAULT_MEMORY_S
        return State.DEGRADED if self.bad or faulty else State.OK

    def _enter(self, state: State) -> bool:
        if state is self.state:
            return False
        self.state = state
        self.since = self._now()
        return True

    def shift(self, seconds: float) -> None:
        """Move every remembered time: the box's clock was set forward by so many seconds."""
        by = timedelta(seconds=seconds)
        self.since += by
        for name in ("last_error_at", "last_sample_at", "last_good_at", "next_try_at"):
            if (at := getattr(self, name)) is not None:
                setattr(self, name, at + by)
        for fault in self.faults.values():
            fault.at += by

    def as_json(self) -> Json:
        """Return all of it for the status file."""
        return {
            "state": self.state.value,
            "since": _shown(self.since),
            "error": self.error,
            "last_error": self.last_error,
            "last_error_at": _shown(self.last_error_at),
            "last_sample_at": _shown(self.last_sample_at),
            "next_try_at": _shown(self.next_try_at),
            "restarts": self.restarts,
            "samples": self.samples,
            "late_samples": self.late_samples,
            "abandoned_runs": self.abandoned_runs,
            "faults": {
                kind: {"count": fault.count, "detail": fault.detail, "at": _shown(fault.at)}
                for kind, fault in self.faults.items()
            },
            "bad": sorted(self.bad),
        }


def _shown(at: datetime | None) -> str | None:
    return (
        None if at is None else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


class DownWatch:
    """Opens a `DEVICE_DOWN` event when a device has been down for ``down_after_s``.

    Down means failing or stalled and no good sample since; the first good sample closes the event.
    It is saved, restored and ticked like the state of a rule.
    """

    def __init__(self, health: DeviceHealth, down_after_s: float, saved: Json | None = None) -> None:
        self._health = health
        self._down_after_s = down_after_s
        self._since: datetime | None = None
        self._open: Occurrence | None = None
        self._good_before = health.last_good_at
        try:
            if saved is not None:
                self._since = restored_time(saved["since"])
                self._open = restored(saved["open"]["down"]) if saved["open"] else None
        except (KeyError, TypeError, ValueError):
            self._since = self._open = None

    def tick(self, now: datetime) -> list[Event]:
        """Return what the device's state has made happen by ``now``; to be called about once a second."""
        health = self._health
        if health.last_good_at != self._good_before:
            self._good_before = health.last_good_at
            self._since = None
            if self._open is not None:
                closing = self._open.close(now)
                self._open = None
                return [closing]
        if health.state in DOWN and self._since is None:
            self._since = min(health.since, now)
        if self._open is not None or self._since is None or health.state not in DOWN:
            return []
        if (now - self._since).total_seconds() < self._down_after_s:
            return []
        self._open = Occurrence(
            DEVICE_DOWN, rule="health", since=self._since, device=health.device, severity=Severity.NOTICE
        )
        return [self._open.open(now, self._measures())]

    def _measures(self) -> dict[str, Measure]:
        return {"error": self._health.error or "", "state": self._health.state.value}

    def save(self) -> Json:
        """Return the state as JSON values, for ``saved`` after a restart."""
        return {
            "since": saved_time(self._since),
            "open": {} if self._open is None else {"down": self._open.save()},
        }

    def shift(self, seconds: float) -> None:
        """Move every remembered time with the clock."""
        if self._since is not None:
            self._since += timedelta(seconds=seconds)
        if self._open is not None:
            self._open.shift(seconds)
