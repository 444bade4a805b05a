"""The threshold rule: a level out of bounds, a stuck sensor, a value that changes too fast."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from math import isfinite
from typing import Annotated, Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from lamppost.agent.event import Event, Measure, Phase, Severity
from lamppost.agent.rules.api import Json, Rule
from lamppost.agent.rules.conditions import Above, Below, Condition, Flat, Rate
from lamppost.agent.rules.occurrence import Occurrence, restored
from lamppost.agent.rules.watch import Pace, Watch
from lamppost.drivers.api import Quality, Reading, Sample

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]

_LEVELS = ("above", "below")
_RATES = ("rise_per_min", "fall_per_min")
_CONDITIONS = (*_LEVELS, "flat_s", *_RATES)
#: Which conditions a key needs: it would do nothing without one of them.
_NEEDS = {
    "hysteresis": _LEVELS,
    "for_s": (*_LEVELS, *_RATES),
    "clear_s": (*_LEVELS, *_RATES),
    "flat_delta": ("flat_s",),
    "over_s": _RATES,
}
_KIND = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")
_LONGEST_KIND = 100
#: Times of readings that go back by more than this: the clock was set, and we were not told.
_SET_BACK_S = 2.0


class Threshold(Rule):
    """Watches one quantity of one device; docs/rules.md tells each key's meaning."""

    device: str = Field(min_length=1, description="Name of the device.")
    quantity: str = Field(min_length=1, description="Quantity of the device, as its profile names it.")
    above: Number | None = Field(None, description="Open an event when the value is above this.")
    below: Number | None = Field(None, description="Open an event when the value is below this.")
    flat_s: Number | None = Field(
        None, gt=0, description="Open an event when the value has not moved for this many seconds."
    )
    rise_per_min: Number | None = Field(
        None, gt=0, description="Open an event when the value rises faster than this per minute."
    )
    fall_per_min: Number | None = Field(
        None, gt=0, description="Open an event when the value falls faster than this per minute."
    )
    hysteresis: Number = Field(
        0.0, ge=0, description="A level counts as back when it is this far inside its limit."
    )
    for_s: Number = Field(
        0.0, ge=0, description="A level or rate must be out of bounds for so many seconds to open an event."
    )
    clear_s: Number = Field(0.0, ge=0, description="It must be back for so many seconds to close the event.")
    flat_delta: Number = Field(0.0, ge=0, description="A stuck value may still move by this much.")
    over_s: Number = Field(60.0, ge=1, description="Seconds over which a rate of change is measured.")
    event: str | None = Field(
        None,
        description="Kind of the event, such as 'water.high', in place of threshold.above and the like.",
    )
    severity: Severity = Field(Severity.ALARM, description="How urgent the events are.")
    update_s: Number = Field(
        0.0, ge=0, description="While an event is open, tell news at most so often; 0 is never."
    )
    zone: str = Field("", max_length=100, description="Zone that the events name.")

    @field_validator("below")
    @classmethod
    def _is_under_above(cls, below: float | None, info: ValidationInfo) -> float | None:
        above = info.data.get("above")
        if below is not None and above is not None and below >= above:
            raise ValueError(
                f"below ({below:g}) must be less than above ({above:g}): "
                "an event opens outside of them, not between them"
            )
        return below

    @field_validator(*_NEEDS)
    @classmethod
    def _is_of_use(cls, value: float, info: ValidationInfo) -> float:
        name = info.field_name or ""
        needs = _NEEDS[name]
        if value != cls.model_fields[name].default and all(
            key in info.data and info.data[key] is None for key in needs
        ):
            raise ValueError(f"{name} does nothing without {_or(needs)}")
        return value

    @field_validator("hysteresis")
    @classmethod
    def _fits_the_band(cls, hysteresis: float, info: ValidationInfo) -> float:
        above, below = info.data.get("above"), info.data.get("below")
        if above is not None and below is not None and hysteresis > above - below:
            raise ValueError(
                f"hysteresis ({hysteresis:g}) must not be more than the band from below ({below:g}) "
                f"to above ({above:g}): no value would be back inside"
            )
        return hysteresis

    @field_validator("event")
    @classmethod
    def _can_be_a_topic(cls, event: str | None) -> str | None:
        if event is not None and not (_KIND.fullmatch(event) and len(event) <= _LONGEST_KIND):
            raise ValueError(
                f"event ({event!r}) must be words of a-z, 0-9, '-' and '_' joined by dots, like 'water.high'"
            )
        return event

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if all(getattr(self, key) is None for key in _CONDITIONS):
            raise ValueError(f"the rule looks for nothing: give at least one of {_or(_CONDITIONS)}")
        return self

    def watches(self) -> Iterable[tuple[str, str]]:
        """Return the one quantity."""
        return [(self.device, self.quantity)]

    def start(self, saved: Json | None) -> ThresholdState:
        """Return a state: new, or as saved."""
        state = ThresholdState(self)
        if saved is not None:
            try:
                state.restore(saved)
            except (AttributeError, IndexError, KeyError, TypeError, ValueError):
                return ThresholdState(self)
        return state

    def conditions(self) -> dict[str, Condition]:
        """Return what is looked for, each under a label that stays the same through restarts."""
        found: dict[str, Condition] = {}
        if self.above is not None:
            found["above"] = Above(self.above, self.hysteresis)
        if self.below is not None:
            found["below"] = Below(self.below, self.hysteresis)
        if self.rise_per_min is not None:
            found["rising"] = Rate(self.rise_per_min, self.over_s, 1)
        if self.fall_per_min is not None:
            found["falling"] = Rate(self.fall_per_min, self.over_s, -1)
        for condition in found.values():
            condition.for_s, condition.clear_s = self.for_s, self.clear_s
        if self.flat_s is not None:
            found["flat"] = Flat(self.flat_delta)
            found["flat"].for_s = self.flat_s
        if self.event:
            levels = [found[label] for label in _LEVELS if label in found]
            for condition in levels or found.values():
                condition.kind = self.event
        return found

    def begin(self, kind: str, since: datetime) -> Occurrence:
        """Return a new occurrence."""
        return Occurrence(kind, self.name, since, self.device, self.zone, self.severity)


class ThresholdState:
    """What a threshold rule remembers. Times are those of the readings, and never go back."""

    def __init__(self, rule: Threshold) -> None:
        self._rule = rule
        self._pace = Pace()
        self._value: float | None = None
        self._about: dict[str, Measure] = {"quantity": rule.quantity}
        self._watches = {
            label: Watch(condition, rule.begin, rule.update_s)
            for label, condition in rule.conditions().items()
        }
        self._orphans: list[Occurrence] = []

    def step(self, sample: Sample, now: datetime) -> list[Event]:
        """Take a reading; one of bad quality, or that is no number, changes nothing."""
        events = self._leave_orphans(now)
        value = self._number(sample)
        if value is None:
            return events
        at = self._in_order(sample.at)
        worth, seconds = self._pace.take(at)
        self._value = value
        for watch in self._watches.values():
            watch.pause(worth, seconds)
            if event := watch.step(value, at, self._about):
                events.append(event)
        return sorted(events, key=lambda event: event.phase is not Phase.CLOSE)

    def tick(self, now: datetime) -> list[Event]:
        """Return updates that have become due, and the end of what is no longer looked for."""
        events = self._leave_orphans(now)
        if self._value is not None:
            due = [watch.tick(self._value, now, self._about) for watch in self._watches.values()]
            events += [event for event in due if event is not None]
        return events

    def _number(self, sample: Sample) -> float | None:
        """Return the value of a good reading of our quantity; an open switch is 0, a closed one 1."""
        rule = self._rule
        if (
            not isinstance(sample, Reading)
            or sample.device != rule.device
            or sample.quantity != rule.quantity
        ):
            return None
        value = sample.value
        if sample.quality is not Quality.GOOD or not isinstance(value, int | float):
            return None
        try:
            if not isfinite(value):
                return None
        except OverflowError:  # an integer beyond all floats
            return None
        if sample.unit:
            self._about["unit"] = sample.unit
        return int(value) if isinstance(value, bool) else value

    def _in_order(self, at: datetime) -> datetime:
        """Return a time not before the newest; where the clock was set back unseen, let it stand still."""
        newest = self._pace.newest
        if newest is None or at >= newest:
            return at
        back_s = (newest - at).total_seconds()
        if back_s <= _SET_BACK_S:
            return newest
        self.shift(-back_s)
        return at

    def _leave_orphans(self, now: datetime) -> list[Event]:
        orphans, self._orphans = self._orphans, []
        return [orphan.close(now) for orphan in orphans]

    def shift(self, seconds: float) -> None:
        """Move every remembered time with the clock."""
        self._pace.shift(seconds)
        for watch in self._watches.values():
            watch.shift(seconds)
        for orphan in self._orphans:
            orphan.shift(seconds)

    def save(self) -> Json:
        """Return the state as JSON values."""
        watched = {label: watch.occurrence for label, watch in self._watches.items()}
        orphans = {f"gone.{number}": orphan for number, orphan in enumerate(self._orphans)}
        return {
            "of": [self._rule.device, self._rule.quantity],
            "value": self._value,
            "about": self._about,
            "pace": self._pace.save(),
            "open": {label: one.save() for label, one in (watched | orphans).items() if one is not None},
            "watches": {label: watch.save() for label, watch in self._watches.items()},
        }

    def restore(self, saved: Json) -> None:
        """Take the state back; what is open but no longer looked for is closed with the next call.

        Raises AttributeError, KeyError, TypeError, ValueError or IndexError if it is not ours.
        """
        opened: dict[str, Any] = dict(saved["open"])
        if saved["of"] == [self._rule.device, self._rule.quantity]:
            self._value = saved["value"]
            self._about = dict(saved["about"])
            self._pace.restore(saved["pace"])
            for label, watch in self._watches.items():
                if label in saved["watches"]:
                    watch.restore(saved["watches"][label], opened.pop(label, None))
        self._orphans = [restored(one) for one in opened.values()]


def _or(keys: Iterable[str]) -> str:
    *first, last = keys
    return f"{', '.join(first)} or {last}" if first else last
