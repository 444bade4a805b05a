"""Telemetry policy: which readings are worth sending, so that an unchanged value costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import compress
from math import inf
from operator import ne
from typing import Any, Protocol

from lamppost.drivers.api import Quality, Reading

_MICROSECOND = timedelta(microseconds=1)
_NEVER = 1 << 62
#: Without bool, and compared by class: isinstance costs as much as all the rest.
_NUMBERS = (float, int)
#: 1.1 - 1.0 is a little more than 0.1, but a step of 0.1 is not beyond a deadband of 0.1.
_ROUNDING = 1 + 1e-9
#: Readings of one poll may be this much out of order; more is a clock that was set back.
_SET_BACK_US = 2_000_000


class Policy(Protocol):
    """Settings of one quantity, as `lamppost.agent.config` has them."""

    @property
    def interval_s(self) -> float:
        """Shortest time between two that are sent for a changed value."""

    @property
    def deadband(self) -> float:
        """A change is more than this, in the unit of the quantity; 0 is not given."""

    @property
    def deadband_percent(self) -> float:
        """A change is more than this share of the value sent last; 0 is not given."""

    @property
    def heartbeat_s(self) -> float:
        """An unchanged value is sent again after this time; 0 is never."""


class _Slot:
    """What is known of one quantity. Times are microseconds on the filter's own scale."""

    __slots__ = (
        "absolute",
        "banded",
        "beat_us",
        "due_us",
        "free_us",
        "held",
        "interval_us",
        "plain",
        "quality",
        "relative",
        "value",
    )

    def __init__(self, policy: Policy) -> None:
        self.interval_us = round(policy.interval_s * 1e6)
        self.beat_us = round(policy.heartbeat_s * 1e6) or _NEVER
        self.absolute = policy.deadband * _ROUNDING or inf
        self.relative = policy.deadband_percent / 100 * _ROUNDING or inf
        self.banded = bool(policy.deadband or policy.deadband_percent)
        self.plain = not self.banded and not self.interval_us
        self.value: Any = None
        self.quality: Quality | None = None
        self.free_us = 0
        self.due_us = 0
        self.held: Reading | None = None

    def covers(self, value: Any) -> bool:
        """Say whether ``value`` lies inside the deadbands; only asked where there is one."""
        sent = self.value
        if value.__class__ not in _NUMBERS or sent.__class__ not in _NUMBERS:
            return False
        moved = abs(value - sent)  # beyond a band that is not given: never (inf, or nan at sent 0)
        return not (moved > self.absolute or moved > abs(sent) * self.relative)


class _Row:
    """The slots of a poll side by side, where every change is wanted: compared all at once.

    Most devices give the same quantities at each poll, of one time, and their qualities stay.
    """

    __slots__ = (
        "beat_us",
        "beats_us",
        "dues_us",
        "free_us",
        "names",
        "next_due_us",
        "qualities",
        "slots",
        "values",
    )

    def __init__(self, names: tuple[str, ...], slots: list[_Slot]) -> None:
        self.names = names
        self.slots = slots
        self.qualities = tuple([slot.quality for slot in slots])
        self.values: tuple[Any, ...] = tuple([slot.value for slot in slots])
        self.beats_us = [slot.beat_us for slot in slots]
        self.beat_us = min(self.beats_us)
        #: None where all were sent at ``free_us``.
        self.dues_us: list[int] | None = [slot.due_us for slot in slots]
        self.next_due_us = min(self.dues_us)
        self.free_us = max([slot.free_us for slot in slots])

    def changed(self, values: tuple[Any, ...], now_us: int) -> list[bool] | None:
        """Take a poll; return which values are others than those sent last, None if it is all of them."""
        changed = list(map(ne, values, self.values))
        if True not in changed:
            return changed
        self.values = values  # where equal, the one is as good as the other
        if False not in changed:
            self.dues_us, self.free_us, self.next_due_us = None, now_us, now_us + self.beat_us
            return None
        self.dues_us = [
            now_us + beat_us if new else due_us
            for new, beat_us, due_us in zip(changed, self.beats_us, self._dues_us(), strict=True)
        ]
        self.free_us, self.next_due_us = now_us, min(self.dues_us)
        return changed

    def _dues_us(self) -> list[int]:
        return self.dues_us or [self.free_us + beat_us for beat_us in self.beats_us]

    def settle(self) -> None:
        """Give the slots what the row has learnt."""
        for slot, value, due_us in zip(self.slots, self.values, self._dues_us(), strict=True):
            slot.value, slot.due_us, slot.free_us = value, due_us, due_us - slot.beat_us


class Filter:
    """Selects the readings of one device that become telemetry.

    A reading passes when it is the first of its quantity, when its quality is another than that of
    the one sent last, when its value is further than the deadband from the value sent last and
    ``interval_s`` has passed since then, or when ``heartbeat_s`` has passed. Both deadbands given:
    leaving either suffices; none given: any other value is a change, as it always is for text and
    booleans. Time is that of the readings, in microseconds, so nothing is lost to rounding.
    """

    def __init__(self, policy_of: Callable[[str], Policy]) -> None:
        self._policy_of = policy_of
        self._slots: dict[str, _Slot] = {}
        self._row: _Row | None = None
        self._holds = False
        self._epoch = datetime(1970, 1, 1, tzinfo=UTC)
        self._at: datetime | None = None
        self._now_us = 0

    def select(self, readings: Sequence[Reading]) -> Sequence[Reading]:
        """Return those of ``readings`` that are to be sent, in their order."""
        if not readings:
            return readings
        _, names, values, _, ats, qualities = zip(*readings, strict=True)
        together = ats.count(ats[0]) == len(ats)
        row = self._row
        if row is not None:
            now_us = self._now_us if ats[0] is self._at else self._advance(ats[0])
            if (
                together
                and names == row.names
                and qualities == row.qualities
                and row.free_us <= now_us < row.next_due_us
            ):
                changed = row.changed(values, now_us)
                return readings if changed is None else list(compress(readings, changed))
            row.settle()
            self._row = None
        passed = self._each(readings)
        if together:
            self._join(names)
        return passed

    def _each(self, readings: Sequence[Reading]) -> list[Reading]:
        passed: list[Reading] = []
        slots = self._slots
        last_at = self._at
        now_us = self._now_us
        for reading in readings:
            if (at := reading[4]) is not last_at:  # the readings of a poll share one object
                last_at = at
                now_us = self._advance(at)
            value = reading[2]
            try:
                slot = slots[reading[1]]
            except KeyError:
                slot = slots[reading[1]] = _Slot(self._policy_of(reading[1]))
            else:
                if reading[5] is slot.quality and now_us < slot.due_us:
                    if value == slot.value or (slot.banded and slot.covers(value)):
                        if slot.held is not None:
                            slot.held = None
                        continue
                    if now_us < slot.free_us:
                        slot.held = reading
                        self._holds = True
                        continue
            slot.quality = reading[5]
            slot.value = value
            slot.free_us = now_us + slot.interval_us
            slot.due_us = now_us + slot.beat_us
            slot.held = None
            passed.append(reading)
        return passed

    def _join(self, names: tuple[str, ...]) -> None:
        """Go on with a row if all quantities of the poll are plain and each is there once."""
        slots = [self._slots[name] for name in names]
        if len(set(names)) == len(names) and all(slot.plain and slot.held is None for slot in slots):
            self._row = _Row(names, slots)

    def release(self, now: datetime) -> list[Reading]:
        """Return changes that were held back and whose interval is over by ``now``.

        Only a device that reports by itself needs this: one that is polled brings the newest value
        with its next poll anyhow. Each reading keeps the time at which it was read.
        """
        if not self._holds:
            return []
        now_us = (now - self._epoch) // _MICROSECOND
        held = [slot for slot in self._slots.values() if slot.held]
        self._holds = bool(held)
        passed = [slot.held for slot in held if slot.held and now_us >= slot.free_us]
        for reading in passed:
            slot = self._slots[reading.quantity]
            slot.value, slot.held = reading.value, None
            slot.free_us = now_us + slot.interval_us
            slot.due_us = now_us + slot.beat_us
        return passed

    def _advance(self, at: datetime) -> int:
        """Go to the time of a reading; the filter's scale stands still when the clock is set back."""
        now_us = (at - self._epoch) // _MICROSECOND
        if now_us < self._now_us - _SET_BACK_US:
            self._epoch -= (self._now_us - now_us) * _MICROSECOND
            now_us = self._now_us
        self._at = at
        self._now_us = now_us
        return now_us
