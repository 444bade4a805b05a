"""Telemetry policy: which readings are worth sending, so that an unchanged value costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import inf
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
        self._epoch = datetime(1970, 1, 1, tzinfo=UTC)
        self._at: datetime | None = None
        self._now_us = 0

    def select(self, readings: Sequence[Reading]) -> list[Reading]:
        """Return those of ``readings`` that are to be sent, in their order."""
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
                        continue
            slot.quality = reading[5]
            slot.value = value
            slot.free_us = now_us + slot.interval_us
            slot.due_us = now_us + slot.beat_us
            slot.held = None
            passed.append(reading)
        return passed

    def release(self, now: datetime) -> list[Reading]:
        """Return changes that were held back and whose interval is over by ``now``.

        Only a device that reports by itself needs this: one that is polled brings the newest value
        with its next poll anyhow. Each reading keeps the time at which it was read.
        """
        now_us = (now - self._epoch) // _MICROSECOND
        passed = [slot.held for slot in self._slots.values() if slot.held and now_us >= slot.free_us]
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
