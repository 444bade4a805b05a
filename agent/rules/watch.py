"""How long a condition must last before it is an event, and how long before the event is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from statistics import median
from typing import Any

from lamppost.agent.event import Event, Measure
from lamppost.agent.rules.api import Json
from lamppost.agent.rules.conditions import Condition, Verdict
from lamppost.agent.rules.occurrence import Occurrence, restored, restored_time, saved_time


class Pause(Enum):
    """What the time between two good readings is worth."""

    COUNTS = "a usual interval: what held before and after it, held during it"
    COUNTS_NOTHING = "too long to know: it adds nothing to a duration"
    BREAKS = "so long that what came before it is another story"


class Pace:
    """Knows how often good readings usually come.

    A pause counts up to three usual intervals (the median of the last five) and at least 5 s; it
    breaks beyond that and 60 s, which an agent needs to be restarted or a box to boot. Until the
    usual interval is known, both are 60 s.
    """

    _REMEMBERED = 5
    _USUAL = 3
    _COUNTS_S = 5.0
    _BREAKS_S = 60.0

    def __init__(self) -> None:
        self.newest: datetime | None = None
        self._intervals: list[float] = []

    def take(self, at: datetime) -> tuple[Pause, float]:
        """Take the time of the next good reading; return the worth and length of the pause before it."""
        newest, self.newest = self.newest, at
        if newest is None:
            return Pause.COUNTS, 0.0
        seconds = (at - newest).total_seconds()
        usual_s = median(self._intervals) if self._intervals else self._BREAKS_S / self._USUAL
        if seconds > 0:
            self._intervals = [*self._intervals, seconds][-self._REMEMBERED :]
        if seconds <= max(self._USUAL * usual_s, self._COUNTS_S):
            return Pause.COUNTS, seconds
        if seconds <= max(self._USUAL * usual_s, self._BREAKS_S):
            return Pause.COUNTS_NOTHING, seconds
        return Pause.BREAKS, seconds

    def shift(self, seconds: float) -> None:
        """Move the remembered time with the clock."""
        if self.newest is not None:
            self.newest += timedelta(seconds=seconds)

    def save(self) -> Json:
        """Return what is remembered as JSON values."""
        return {"newest": saved_time(self.newest), "intervals": self._intervals}

    def restore(self, saved: Json) -> None:
        """Take it back. Raises KeyError, TypeError or ValueError if it is not that."""
        self.newest = restored_time(saved["newest"])
        self._intervals = [float(seconds) for seconds in saved["intervals"]]


class Span:
    """A time that something has held: since when, and from when on it counts."""

    __slots__ = ("counted_from", "since")

    def __init__(self, since: datetime, counted_from: datetime | None = None) -> None:
        self.since = since
        self.counted_from = counted_from or since

    def lasted(self, at: datetime, seconds: float) -> bool:
        """Say whether ``seconds`` have been counted by ``at``."""
        return (at - self.counted_from).total_seconds() >= seconds

    def skip(self, seconds: float) -> None:
        """Leave out a pause."""
        self.counted_from += timedelta(seconds=seconds)

    def shift(self, seconds: float) -> None:
        """Move with the clock."""
        self.since += timedelta(seconds=seconds)
        self.counted_from += timedelta(seconds=seconds)

    def save(self) -> list[str]:
        """Return the span as JSON."""
        return [self.since.isoformat(), self.counted_from.isoformat()]


def _span(saved: Any) -> Span | None:
    return None if saved is None else Span(*map(datetime.fromisoformat, saved))


class Watch:
    """Watches one condition: at most one occurrence of it is open at a time.

    ``begin`` makes the occurrence from its kind and since; ``measures`` are the same in each message.
    """

    def __init__(
        self, condition: Condition, begin: Callable[[str, datetime], Occurrence], update_s: float
    ) -> None:
        self.condition = condition
        self.occurrence: Occurrence | None = None
        self._begin = begin
        self._update_s = update_s
        self._holding: Span | None = None
        self._clearing: Span | None = None
        self._extreme = 0.0

    def step(self, value: float, at: datetime, about: dict[str, Measure]) -> Event | None:
        """Take the next good value; ``about`` goes into the measures."""
        verdict = self.condition.judge(value, at)
        if self.occurrence is None:
            return self._step_to_open(verdict, value, at, about)
        if verdict in (Verdict.OVER, Verdict.ANEW):
            self._clearing = self._clearing or Span(at)
            if self._clearing.lasted(at, self.condition.clear_s):
                closing = self.occurrence.close(at, self._measures(value, about))
                self.occurrence = self._clearing = None
                self._hold(verdict, at)
                return closing
        else:
            self._clearing = None
            self._extreme = self.condition.worst(self._extreme, self.condition.figure)
        return self.tick(value, at, about)

    def _step_to_open(
        self, verdict: Verdict, value: float, at: datetime, about: dict[str, Measure]
    ) -> Event | None:
        self._hold(verdict, at)
        if self._holding is None or not self._holding.lasted(at, self.condition.for_s):
            return None
        self.occurrence = self._begin(self.condition.kind, self._holding.since)
        self._holding = None
        return self.occurrence.open(at, self._measures(value, about))

    def _hold(self, verdict: Verdict, at: datetime) -> None:
        """Go on counting, begin to, or stop."""
        if verdict is Verdict.ANEW or (verdict is Verdict.HOLDS and self._holding is None):
            self._holding = Span(at)
            self._extreme = self.condition.figure
        elif verdict is Verdict.HOLDS:
            self._extreme = self.condition.worst(self._extreme, self.condition.figure)
        else:
            self._holding = None

    def tick(self, value: float, at: datetime, about: dict[str, Measure]) -> Event | None:
        """Return the update that is due, if there is news."""
        if self.occurrence is None:
            return None
        return self.occurrence.update(at, self._measures(value, about), self._update_s)

    def _measures(self, value: float, about: dict[str, Measure]) -> dict[str, Measure]:
        return {
            "value": value,
            "limit": self.condition.limit,
            "extreme": self._extreme,
            **self.condition.extra(),
            **about,
        }

    def pause(self, worth: Pause, seconds: float) -> None:
        """Count a pause in the data for what it is worth. What is open stays open."""
        if worth is Pause.BREAKS:
            self._holding = self._clearing = None
            self.condition.forget(is_open=self.occurrence is not None)
        elif worth is Pause.COUNTS_NOTHING:
            for span in (self._holding, self._clearing):
                if span is not None:
                    span.skip(seconds)

    def shift(self, seconds: float) -> None:
        """Move the remembered times with the clock."""
        for timed in (self._holding, self._clearing, self.occurrence, self.condition):
            if timed is not None:
                timed.shift(seconds)

    def save(self) -> Json:
        """Return the state, but for the occurrence, as JSON values."""
        return {
            "limit": self.condition.limit,
            "holding": self._holding and self._holding.save(),
            "clearing": self._clearing and self._clearing.save(),
            "extreme": self._extreme,
            "condition": self.condition.save(),
        }

    def restore(self, saved: Json, occurrence: Any) -> None:
        """Take it back; with another limit only what is open. Raises as `Condition.restore` does."""
        self.occurrence = None if occurrence is None else restored(occurrence)
        self._extreme = float(saved["extreme"])
        self.condition.restore(saved["condition"])
        if saved["limit"] == self.condition.limit:
            self._holding = _span(saved["holding"])
            self._clearing = _span(saved["clearing"])
