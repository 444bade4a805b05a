"""The gauge of one road as a witness: what it says once that has lasted, and the event of its faults."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from lamppost.agent.event import Event, Measure, Severity
from lamppost.agent.rules.api import Json
from lamppost.agent.rules.gauge import ACCUSED, Gauge, GaugeSettings, Opinion, Trouble
from lamppost.agent.rules.occurrence import Occurrence, restored
from lamppost.drivers.api import Reading

if TYPE_CHECKING:
    from lamppost.agent.rules.waterlogging import Waterlogging

KIND: Final = "gauge.fault"
#: A gauge that has said dry for so long is believed by the camera's reference, too.
DRY_FOR_S = 1800.0


class GaugeWitness:
    """Times are unix seconds."""

    def __init__(self, rule: Waterlogging, settings: GaugeSettings) -> None:
        self._rule = rule
        self._settings = settings
        self._gauge = Gauge(settings)
        #: Since when it says wet.
        self.wet_since: float | None = None
        self._dry_since: float | None = None
        self._fault: Occurrence | None = None

    @property
    def trusted(self) -> bool:
        """Whether it has a vote."""
        return self._gauge.trouble is None

    def read(self, reading: Reading) -> None:
        """Take a reading of whatever the rule watches."""
        settings, warmth = self._settings, self._settings.temperature
        if warmth is not None and (reading.device, reading.quantity) == (warmth.device, warmth.quantity):
            self._gauge.warm(reading.value)
        if (reading.device, reading.quantity) != (settings.device, settings.quantity):
            return
        self._gauge.take(reading)
        now = reading.at.timestamp()
        opinion = self._gauge.opinion(now)
        self.wet_since = (self.wet_since or now) if opinion == "wet" else None
        self._dry_since = (self._dry_since or now) if opinion == "dry" else None

    def seen(self, now: float, *, water: bool) -> None:
        """Take whether the camera sees water at the gauge."""
        self._gauge.seen(now, water=water)

    def says_dry(self, now: float) -> bool:
        """Whether it says dry at this moment, however long."""
        return self._gauge.opinion(now) == "dry"

    def opinion(self, now: float, *, said_wet: bool, opened: bool) -> Opinion:
        """Return what it says once that has lasted; wet at once if it ``said_wet`` of the open event."""
        if self._gauge.opinion(now) == "unknown":
            return "unknown"
        if self.wet_since is not None:
            return "wet" if said_wet or now - self.wet_since >= self._rule.persist_s else "unknown"
        needed = self._rule.clear_s if opened else 0.0
        dry = self._dry_since is not None and now - self._dry_since >= needed
        return "dry" if dry else "unknown"

    def level_mm(self, now: float) -> float | None:
        """Return the level, None if nobody knows it."""
        return self._gauge.level_mm(now)

    def long_dry(self) -> bool:
        """Whether it is healthy and has said dry for long."""
        last = self._gauge.last_at
        sure = self._dry_since is not None and last is not None and last - self._dry_since >= DRY_FOR_S
        return sure and self.trusted

    def judge(self, at: datetime) -> Iterable[Event]:
        """Open and close the event of a gauge that lost its vote."""
        trouble = self._gauge.trouble
        if trouble is not None and self._fault is None:
            self._fault = Occurrence(
                KIND, self._rule.name, at, self._settings.device, severity=Severity.NOTICE
            )
            yield self._fault.open(at, {"reason": trouble.kind, "detail": trouble.detail})
        elif trouble is None and self._fault is not None:
            if self._gauge.opinion(at.timestamp()) == "unknown":
                return  # nobody has heard of it since a restart
            yield self._fault.close(at)
            self._fault = None

    @property
    def accused(self) -> bool:
        """Whether it lost its vote by the camera's word alone: one of the two is wrong."""
        return self._gauge.trouble is not None and self._gauge.trouble.detail == ACCUSED

    def measures(self, now: float) -> dict[str, Measure]:
        """Return level, rise and the time to the next level, as far as they are known."""
        mm = self._gauge.level_mm(now)
        if mm is None or not self.trusted:
            return {}
        measures: dict[str, Measure] = {"level_mm": round(mm)}
        rise = self._gauge.rise_mm_per_min()
        if rise is not None and mm > self._settings.dry_mm:  # what ebbed away has no rate any more
            measures["rise_mm_per_min"] = round(rise, 1)
        above = [limit for limit in self._rule.levels_mm.limits if limit > mm]
        if above and (left := self._gauge.to_level_s(above[0], now)) is not None:
            measures["to_next_s"] = round(left)
        return measures

    def remark(self, now: float) -> str:
        """Return why it has no say, empty if it has one."""
        if self._gauge.trouble is not None:
            return f"gauge not trusted: {self._gauge.trouble.kind}"
        if self._gauge.last_at is None:
            return "no value of the gauge yet"
        return "the gauge is silent" if self._gauge.level_mm(now) is None else ""

    def save(self) -> Json:
        """Return the state as JSON values; nothing in it changes while nothing happens."""
        return {
            "wet_since": self.wet_since,
            "fault": None if self._fault is None else self._fault.save(),
            "trouble": self._gauge.trouble,
        }

    def restore(self, saved: Json) -> None:
        """Take the state back. Raises if it is none."""
        self.wet_since = saved["wet_since"]
        self._fault = saved_fault(saved)
        if saved["trouble"] is not None:
            self._gauge.trouble = Trouble(*saved["trouble"])

    def shift(self, seconds: float) -> None:
        """Move what is remembered with the clock; the gauge's readings of a minute bring back the rest."""
        self._gauge.forget()
        self._dry_since = None
        if self.wet_since is not None:
            self.wet_since += seconds
        if self._fault is not None:
            self._fault.shift(seconds)


def saved_fault(saved: Json | None) -> Occurrence | None:
    """Return the open event of a saved witness, if it had one. Raises if it is none."""
    return None if saved is None or saved["fault"] is None else restored(saved["fault"])
