"""The box's clock: it may be unset at boot, be set while we run, and be told the time by satellites.

Nothing here sets the system's clock. Where that one is unset or wrong and a GNSS receiver knows better, the
agent's own clock runs ahead of it by as much, until somebody sets the system's clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from lamppost.agent.gnss import AGREE_S, EARLIEST, Series
from lamppost.drivers.api import Reading, Sample

#: A smaller step changes nothing that a rule could notice.
SMALLEST_STEP_S: Final = 2.0
#: The system's clock is followed again when it is as right as this: less than `AGREE_S`, to settle it.
RIGHT_S: Final = AGREE_S / 2
#: A reading that was longer on its way than this tells no time.
LONGEST_WAY_S: Final = 60.0

Source = Literal["system", "gnss", "unset"]

__all__ = ["EARLIEST", "RIGHT_S", "SMALLEST_STEP_S", "Clock", "Source"]


def _uptime() -> float:
    """Return seconds that nobody can set, and that go on while the box sleeps (Linux)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Clock:
    """Wall time, with a notice when somebody set it.

    ``last_known`` is the newest time saved before the last end of the agent: a clock that is behind
    it has lost the time. ``gnss_s`` is that of an earlier clock since the same boot. ``wall`` returns unix
    seconds, ``monotonic`` seconds of any origin.
    """

    def __init__(
        self,
        last_known: datetime | None = None,
        gnss_s: float | None = None,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = _uptime,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._earliest = max(EARLIEST, last_known or EARLIEST)
        self._offset_s = wall() - monotonic()
        self._series = Series()
        #: What the next check will make of what was heard; None if it will not change anything.
        self._next_ahead_s: float | None = None
        self._was_set = False
        #: Seconds by which this clock is ahead of the system's.
        self.ahead_s = 0.0
        if gnss_s is not None and abs(gnss_s - self._offset_s) > AGREE_S:
            self.ahead_s = gnss_s - self._offset_s
            self._earliest = EARLIEST

    @property
    def gnss_s(self) -> float | None:
        """How far unix time is from ``monotonic`` by GNSS; None if it is the system that is followed."""
        return self._wall() + self.ahead_s - self._monotonic() if self.ahead_s else None

    def now(self) -> datetime:
        """Return the time as aware UTC, right or wrong; see `plausible`."""
        return datetime.fromtimestamp(self._wall() + self.ahead_s, UTC)

    def check(self) -> float | None:
        """Return by how many seconds the clock was set since the last call, None if it was not.

        To be called about once a second, and before samples are judged: what `RuleState.shift` moves
        must be moved before the first time on the new scale comes. Slewing, as a time server does
        it, is no step.
        """
        before_s = self.ahead_s
        offset_s = self._wall() - self._monotonic()
        step_s = offset_s - self._offset_s
        self._offset_s = offset_s
        if abs(step_s) > SMALLEST_STEP_S:
            self._system_was_set(step_s)
        elif self._next_ahead_s is not None:
            self.ahead_s = self._next_ahead_s
            self._earliest = EARLIEST
            step_s = 0.0  # what it was slewed by is in both clocks
        self._next_ahead_s = None
        step_s += self.ahead_s - before_s
        return step_s if abs(step_s) > SMALLEST_STEP_S else None

    def hear_at(self, utc: float, at: datetime) -> None:
        """Take unix seconds that a GNSS receiver told when this clock showed ``at``, a moment ago."""
        ago_s = (self.now() - at).total_seconds()
        if 0 <= ago_s <= LONGEST_WAY_S:
            self.hear(utc, self._monotonic() - ago_s)

    def hear(self, utc: float, monotonic: float) -> None:
        """Take unix seconds that a GNSS receiver told at ``monotonic``; the next `check` acts on it."""
        self._series.hear(utc, monotonic)
        agreed_s = self._series.agreed()
        if agreed_s is None:
            self._next_ahead_s = None
            return
        wrong_s = agreed_s - (self._wall() - self._monotonic())
        if abs(wrong_s) <= RIGHT_S or (abs(wrong_s) <= AGREE_S and not self.ahead_s):
            self._next_ahead_s = 0.0 if self.ahead_s or not self.plausible else None
        elif abs(wrong_s - self.ahead_s) > AGREE_S and not self._was_set:
            self._next_ahead_s = wrong_s
        else:
            self._next_ahead_s = None

    def stamped(self, samples: Sequence[Sample]) -> Sequence[Sample]:
        """Return samples whose times are of the system's clock, with those of this one."""
        if not self.ahead_s:
            return samples
        by = timedelta(seconds=self.ahead_s)
        return [
            sample._replace(at=sample.at + by)
            if isinstance(sample, Reading)
            else replace(sample, at=sample.at + by)
            for sample in samples
        ]

    @property
    def stirred(self) -> bool:
        """Whether times of the system's clock are not, or will soon not be, those of this one."""
        return self.ahead_s != 0 or self._next_ahead_s is not None

    @property
    def plausible(self) -> bool:
        """False while the clock shows a time that cannot be: before 2024, or before ``last_known``."""
        return self.now() >= self._earliest

    @property
    def source(self) -> Source:
        """Who says what time it is."""
        if not self.plausible:
            return "unset"
        return "gnss" if self.ahead_s else "system"

    def _system_was_set(self, step_s: float) -> None:
        """Follow the system's clock again, if it shows a time that can be."""
        if self._wall() >= EARLIEST.timestamp():
            # Somebody knows the time now, and better than a file that may be from a wrong future.
            self._earliest = EARLIEST
            self._was_set = True
            self._series.forget()
            self.ahead_s = 0.0
            return
        self._was_set = False
        if self.ahead_s:
            self.ahead_s -= step_s
