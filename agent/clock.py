"""The box's clock: it may be unset at boot, and be set while we run."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

#: Before this was written no box can have run.
EARLIEST: Final = datetime(2024, 1, 1, tzinfo=UTC)
#: A smaller step changes nothing that a rule could notice.
SMALLEST_STEP_S: Final = 2.0


def _uptime() -> float:
    """Return seconds that nobody can set, and that go on while the box sleeps (Linux)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Clock:
    """Wall time, with a notice when somebody set it.

    ``last_known`` is the newest time saved before the last end of the agent: a clock that is behind
    it has lost the time. ``wall`` returns unix seconds, ``monotonic`` seconds of any origin.
    """

    def __init__(
        self,
        last_known: datetime | None = None,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = _uptime,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._earliest = max(EARLIEST, last_known or EARLIEST)
        self._offset_s = wall() - monotonic()

    def now(self) -> datetime:
        """Return the time as aware UTC, right or wrong; see `plausible`."""
        return datetime.fromtimestamp(self._wall(), UTC)

    def check(self) -> float | None:
        """Return by how many seconds the clock was set since the last call, None if it was not.

        To be called about once a second, and before samples are judged: what `RuleState.shift` moves
        must be moved before the first time on the new scale comes. Slewing, as a time server does
        it, is no step.
        """
        offset_s = self._wall() - self._monotonic()
        step_s = offset_s - self._offset_s
        self._offset_s = offset_s
        if abs(step_s) <= SMALLEST_STEP_S:
            return None
        if self.now() >= EARLIEST:
            # Somebody knows the time now, and better than a file that may be from a wrong future.
            self._earliest = EARLIEST
        return step_s

    @property
    def plausible(self) -> bool:
        """False while the clock shows a time that cannot be: before 2024, or before ``last_known``."""
        return self.now() >= self._earliest
