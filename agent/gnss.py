"""Whether what GNSS receivers say of the time can be believed. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final

from lamppost.drivers.api import Driver, Quality, Reading, TellsTime

#: Before this was written no box can have run.
EARLIEST: Final = datetime(2024, 1, 1, tzinfo=UTC)
#: A receiver that has lost count of GPS weeks is wrong by 1024 of them, so never between these two.
LATEST: Final = EARLIEST + timedelta(weeks=1024)
#: Times that differ by no more agree.
AGREE_S: Final = 2.0
#: So many sentences must agree, over so long.
LEAST_SENTENCES, LEAST_SPAN_S = 5, 10.0
#: Sentences that are remembered: all of them must agree. Of faster ones, one in so many seconds.
REMEMBERED, CLOSEST_S = 20, 0.9
#: A receiver may learn of leap seconds minutes after its first fix: so far it may correct itself.
LEAP_S: Final = 20.0
#: The worst that a box's oscillator drifts while nothing is heard.
DRIFT: Final = 2e-4


class Series:
    """What was heard of the time lately, as distance from seconds that nobody can set.

    A receiver that is of another opinion than before, by more than leap seconds, is not believed.
    """

    def __init__(self) -> None:
        self._heard: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._word: tuple[float, float] | None = None

    def hear(self, utc: float, monotonic: float) -> None:
        """Take unix seconds, and when they were heard."""
        offset = utc - monotonic
        if not EARLIEST.timestamp() <= utc < LATEST.timestamp():
            self.forget()  # who says that may say anything
        elif not self._heard or monotonic - self._heard[-1][0] >= CLOSEST_S:
            self._heard.append((monotonic, offset))
        elif abs(offset - self._heard[-1][1]) > AGREE_S:
            self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._heard.clear()

    def agreed(self) -> float | None:
        """Return how far unix time is from the seconds that nobody can set; None while that is not sure."""
        if len(self._heard) < LEAST_SENTENCES:
            return None
        newest = self._heard[-1][0]
        offsets = [offset for _, offset in self._heard]
        if newest - self._heard[0][0] < LEAST_SPAN_S or max(offsets) - min(offsets) > AGREE_S:
            return None
        offset = median(offsets)
        if self._word is not None:
            at, word = self._word
            if abs(offset - word) > LEAP_S + DRIFT * (newest - at):
                return None
        self._word = newest, offset
        return offset


def listener(
    driver: Driver, hear: Callable[[float, datetime], None]
) -> Callable[[Sequence[Reading]], None] | None:
    """Return what picks the true time out of a device's readings; None if it tells none that is of use.

    ``hear`` gets unix seconds, and the reading's own time: what the box's clock showed then.
    """
    told = driver.true_time() if isinstance(driver, TellsTime) else None
    if told is None or told.within_s > AGREE_S:
        return None
    quantity = told.quantity

    def listen(readings: Sequence[Reading]) -> None:
        for reading in readings:
            if reading.quantity == quantity and reading.quality is Quality.GOOD:
                value = reading.value
                if isinstance(value, int | float):
                    hear(float(value), reading.at)

    return listen
