"""Watches how a camera's picture is, and keeps what the camera has learnt, through restarts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from lamppost.agent.event import Event, Measure, Severity
from lamppost.agent.health import DOWN, DeviceHealth
from lamppost.agent.rules.api import Json
from lamppost.agent.rules.occurrence import Occurrence, restored
from lamppost.drivers.api import Driver, JudgesPicture, Learns, Reading, Sample

#: Kind of the event.
CAMERA_PICTURE: Final = "camera.picture"
PICTURE: Final = "picture"
CONFIDENCE: Final = "picture-confidence"
OK: Final = "ok"
#: A picture must be good for so long to close the event: a camera that starts is not judged at once.
CLEAR_S: Final = 5.0
#: A change of the state is told at most so often: headlights at night come and go.
UPDATE_S: Final = 10.0
#: What was learnt is saved with each change of the state, else so often: it is some 20 kB.
SAVE_LEARNT_S: Final = 600.0


class CameraWatch:
    """The state of a rule that watches the quantity ``picture`` of one camera."""

    def __init__(self, health: DeviceHealth, driver: Driver, saved: Json | None = None) -> None:
        self._health = health
        self._driver = driver
        self._after_s = driver.picture_after_s if isinstance(driver, JudgesPicture) else 0.0
        self._state = OK
        self._confidence = 1.0
        #: Since when the picture is wrong, and since when it is good while an event is open.
        self._since: datetime | None = None
        self._good_since: datetime | None = None
        self._open: Occurrence | None = None
        self._told = OK
        self._learnt = ""
        self._learnt_in = OK
        self._learnt_at: datetime | None = None
        try:
            if saved is not None:
                self._restore(saved)
        except (KeyError, TypeError, ValueError):
            self._open = None

    def watches(self) -> list[tuple[str, str]]:
        """Return what `step` wants."""
        return [(self._health.device, quantity) for quantity in (CONFIDENCE, PICTURE)]

    def step(self, sample: Sample, now: datetime) -> Iterable[Event]:
        """Take a reading of the picture or of how sure it is."""
        if not isinstance(sample, Reading) or sample.value is None:
            return ()
        if sample.quantity == CONFIDENCE:
            self._confidence = float(sample.value)
            return ()
        self._state = str(sample.value)
        if self._state == OK:
            self._good_since = self._good_since or sample.at
            if self._open is None:
                self._since = None
        else:
            self._good_since = None
            self._since = self._since or sample.at
        return self.tick(now)

    def tick(self, now: datetime) -> list[Event]:
        """Return what the picture has made happen by ``now``."""
        self._keep_learnt(now)
        if self._health.state in DOWN:
            self._good_since = None
            return []  # nobody knows; `device.down` tells of it
        if self._open is None:
            return self._opened(now)
        if self._state == OK:
            return self._closed(now)
        told_at = self._open.told_at
        if self._state != self._told and told_at and (now - told_at).total_seconds() >= UPDATE_S:
            self._told = self._state
            update = self._open.update(now, self._measures(), UPDATE_S)
            return [replace(update, confidence=self._confidence)] if update else []
        return []

    def _opened(self, now: datetime) -> list[Event]:
        if self._since is None or self._state == OK:
            return []
        if (now - self._since).total_seconds() < self._after_s:
            return []
        self._open = Occurrence(
            CAMERA_PICTURE,
            rule="health",
            since=min(self._since, now),
            device=self._health.device,
            severity=Severity.NOTICE,
        )
        self._told = self._state
        return [replace(self._open.open(now, self._measures()), confidence=self._confidence)]

    def _closed(self, now: datetime) -> list[Event]:
        assert self._open is not None
        if self._good_since is None or (now - self._good_since).total_seconds() < CLEAR_S:
            return []
        closing = self._open.close(now)
        self._open = self._since = None
        return [closing]

    def _measures(self) -> dict[str, Measure]:
        fault = self._health.faults.get(self._state)
        return {
            "state": self._state,
            "confidence": self._confidence,
            "detail": fault.detail if fault is not None else self._state,
        }

    def _keep_learnt(self, now: datetime) -> None:
        if not isinstance(self._driver, Learns):
            return
        due = self._learnt_at is None or (now - self._learnt_at).total_seconds() >= SAVE_LEARNT_S
        if not due and self._learnt_in == self._state:
            return
        learnt = self._driver.remember()
        if learnt != self._learnt:
            self._learnt, self._learnt_in, self._learnt_at = learnt, self._state, now

    def save(self) -> Json:
        """Return the state as JSON values."""
        return {
            "told": self._told,
            "confidence": self._confidence,
            "open": {} if self._open is None else {PICTURE: self._open.save()},
            "learnt": self._learnt,
        }

    def _restore(self, saved: Json) -> None:
        if isinstance(self._driver, Learns):
            self._learnt = str(saved["learnt"])
            self._driver.recall(self._learnt)
        if saved["open"]:
            self._confidence = float(saved["confidence"])
            self._state = self._told = str(saved["told"])
            self._open = restored(saved["open"][PICTURE])

    def shift(self, seconds: float) -> None:
        """Move every remembered time with the clock."""
        by = timedelta(seconds=seconds)
        for name in ("_since", "_good_since", "_learnt_at"):
            if (at := getattr(self, name)) is not None:
                setattr(self, name, at + by)
        if self._open is not None:
            self._open.shift(seconds)
