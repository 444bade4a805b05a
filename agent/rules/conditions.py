"""What a threshold rule looks for in a series of values: a level, a standstill, a rate of change."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from itertools import combinations
from math import ulp
from statistics import median

from lamppost.agent.event import Measure
from lamppost.agent.rules.api import Json


class Verdict(Enum):
    """What one value says of a condition."""

    HOLDS = "it is met"
    BETWEEN = "neither met nor over: inside the hysteresis, or not known yet"
    OVER = "it is over"
    ANEW = "what was is over, and something new of the kind begins with this value"


def _slack(*terms: float) -> float:
    """Return what rounding may do to decimals: 3 * 0.1 is not above 0.3, and 0.2 is back by 0.1 from it."""
    return 1e-12 * max(map(abs, terms))


class Condition:
    """One condition. ``figure`` is what is held against ``limit``; the extreme is taken of it."""

    kind: str
    limit: float
    for_s: float = 0.0
    clear_s: float = 0.0

    def __init__(self) -> None:
        self.figure = 0.0

    def judge(self, value: float, at: datetime) -> Verdict:
        """Take the next value; times never go back."""
        raise NotImplementedError

    def worst(self, one: float, other: float) -> float:
        """Return the one that is further beyond the limit."""
        return max(one, other)

    def extra(self) -> dict[str, Measure]:
        """Return measures beside value, limit and extreme."""
        return {}

    def forget(self, *, is_open: bool) -> None:
        """Begin anew after a long pause; what is told as open must still be judged."""

    def shift(self, seconds: float) -> None:
        """Move the remembered times with the clock."""

    def save(self) -> Json:
        """Return what is remembered as JSON values."""
        return {"figure": self.figure}

    def restore(self, saved: Json) -> None:
        """Take it back. Raises KeyError, TypeError or ValueError if it is not that."""
        self.figure = float(saved["figure"])


class Above(Condition):
    """The value is above a limit, until it is ``hysteresis`` below it or further."""

    kind = "threshold.above"

    def __init__(self, limit: float, hysteresis: float) -> None:
        super().__init__()
        self.limit = limit
        self._beyond = limit + _slack(limit)
        self._clear = limit - hysteresis + _slack(limit, hysteresis)

    def judge(self, value: float, at: datetime) -> Verdict:  # noqa: ARG002
        """Compare."""
        self.figure = value
        if value > self._beyond:
            return Verdict.HOLDS
        return Verdict.OVER if value <= self._clear else Verdict.BETWEEN


class Below(Condition):
    """The value is below a limit, until it is ``hysteresis`` above it or further."""

    kind = "threshold.below"

    def __init__(self, limit: float, hysteresis: float) -> None:
        super().__init__()
        self.limit = limit
        self._beyond = limit - _slack(limit)
        self._clear = limit + hysteresis - _slack(limit, hysteresis)

    def judge(self, value: float, at: datetime) -> Verdict:  # noqa: ARG002
        """Compare."""
        self.figure = value
        if value < self._beyond:
            return Verdict.HOLDS
        return Verdict.OVER if value >= self._clear else Verdict.BETWEEN

    def worst(self, one: float, other: float) -> float:
        """Return the lower one."""
        return min(one, other)


class Flat(Condition):
    """The values stay within a span of ``limit``. The figure is the span that they took."""

    kind = "sensor.stuck"

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.limit = limit
        self._low: float | None = None
        self._high: float = 0.0

    def judge(self, value: float, at: datetime) -> Verdict:  # noqa: ARG002
        """Widen the span by the value, or begin a new one with it."""
        if self._low is not None:
            low, high = min(self._low, value), max(self._high, value)
            if high - low <= self.limit + (self.limit and 4 * ulp(max(abs(low), abs(high)))):
                self._low, self._high, self.figure = low, high, high - low
                return Verdict.HOLDS
        self._low = self._high = value
        self.figure = 0.0
        return Verdict.ANEW

    def forget(self, *, is_open: bool) -> None:
        """Forget the span, but not that of a sensor that is known to be stuck."""
        if not is_open:
            self._low = None

    def save(self) -> Json:
        """Return the span."""
        return {"figure": self.figure, "low": self._low, "high": self._high}

    def restore(self, saved: Json) -> None:
        """Take the span back."""
        super().restore(saved)
        self._low = None if saved["low"] is None else float(saved["low"])
        self._high = float(saved["high"])


class Rate(Condition):
    """The value changes faster than ``limit`` per minute, upwards or (``sign`` -1) downwards.

    The rate is the median of the slopes between all pairs of points in the last ``over_s`` seconds
    (Theil 1950, Sen 1968): one wild reading among many does not move it, as it would move a line by
    least squares, and the difference between first and last even more. A point is the mean of a
    twelfth of the window, so that a fast sensor costs no more memory than a slow one. Nothing is
    said before the points span the whole window.
    """

    _PARTS = 12

    def __init__(self, limit: float, over_s: float, sign: int) -> None:
        super().__init__()
        self.kind = "threshold.rising" if sign > 0 else "threshold.falling"
        self.limit = limit
        self._sign = sign
        self._over_s = over_s
        self._points: list[_Point] = []

    def judge(self, value: float, at: datetime) -> Verdict:
        """Add the value to the window; compare the rate."""
        points = self._points
        if points and (at - points[-1].begun).total_seconds() < self._over_s / self._PARTS:
            points[-1].add(at, value)
        else:
            points.append(_Point(at, at, value, 1))
        while len(points) > 2 and (at - points[1].at).total_seconds() >= self._over_s:
            del points[0]
        if len(points) < 2 or (at - points[0].at).total_seconds() < self._over_s:
            return Verdict.BETWEEN
        slopes = [(b.value - a.value) / (b.at - a.at).total_seconds() for a, b in combinations(points, 2)]
        self.figure = self._sign * 60 * median(slopes)
        return Verdict.HOLDS if self.figure > self.limit + _slack(self.limit) else Verdict.OVER

    def extra(self) -> dict[str, Measure]:
        """Return the rate, which is not the value."""
        return {"rate_per_min": self.figure}

    def forget(self, *, is_open: bool) -> None:  # noqa: ARG002
        """Forget the window: a slope across a pause says nothing of either side."""
        self._points.clear()

    def shift(self, seconds: float) -> None:
        """Move the points with the clock."""
        for point in self._points:
            point.begun += timedelta(seconds=seconds)
            point.at += timedelta(seconds=seconds)

    def save(self) -> Json:
        """Return the points."""
        points = [[p.begun.isoformat(), p.at.isoformat(), p.value, p.count] for p in self._points]
        return {"figure": self.figure, "points": points}

    def restore(self, saved: Json) -> None:
        """Take the points back."""
        super().restore(saved)
        self._points = [
            _Point(datetime.fromisoformat(begun), datetime.fromisoformat(at), float(value), int(count))
            for begun, at, value, count in saved["points"]
        ]


class _Point:
    """The mean of some readings: their time and value."""

    __slots__ = ("at", "begun", "count", "value")

    def __init__(self, begun: datetime, at: datetime, value: float, count: int) -> None:
        self.begun = begun
        self.at = at
        self.value = value
        self.count = count

    def add(self, at: datetime, value: float) -> None:
        """Take one more reading into the mean."""
        self.count += 1
        self.at += (at - self.at) / self.count
        self.value += (value - self.value) / self.count
