"""Which numbers of a sequence have come, and which readings: to find repeats, duplicates and gaps."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from lamppost.simulators.hub.senml import Value

Span: TypeAlias = tuple[int, int]


class Numbers:
    """A set of whole numbers, kept as spans: small however many there are, if they come in order."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, number: int) -> bool:
        """Take a number; return False if it was there already."""
        starts, ends = self._starts, self._ends
        if ends and number == ends[-1] + 1:
            ends[-1] = number
            return True
        at = bisect_right(starts, number) - 1
        if at >= 0 and number <= ends[at]:
            return False
        before = at >= 0 and ends[at] == number - 1
        after = at + 1 < len(starts) and starts[at + 1] == number + 1
        if before and after:
            ends[at] = ends.pop(at + 1)
            del starts[at + 1]
        elif before:
            ends[at] = number
        elif after:
            starts[at + 1] = number
        else:
            starts.insert(at + 1, number)
            ends.insert(at + 1, number)
        return True

    @property
    def last(self) -> int:
        """The greatest number."""
        return self._ends[-1]

    def gaps(self, first: int | None = None) -> list[Span]:
        """Return the spans (both ends missing) between the least and the greatest number.

        With ``first``, numbers from there on are missed too.
        """
        found = [(end + 1, start - 1) for end, start in zip(self._ends, self._starts[1:], strict=False)]
        if first is not None and self._starts and first < self._starts[0]:
            found.insert(0, (first, self._starts[0] - 1))
        return found

    def __iter__(self) -> Iterator[Span]:
        return zip(self._starts, self._ends, strict=True)


def count(spans: Sequence[Span]) -> int:
    """Return how many numbers spans hold."""
    return sum(last - first + 1 for first, last in spans)


class Series:
    """The readings of one quantity: their times, in order, and the newest."""

    __slots__ = ("_pack", "_times", "newest_ms", "readings", "unit", "value")

    def __init__(self) -> None:
        self._times = array("q")
        self._pack = -1
        self.readings = 0
        self.newest_ms = -1
        self.value: Value | None = None
        self.unit = ""

    def add(self, at_ms: int, value: Value | None, unit: str, pack: int) -> bool:
        """Take a reading of a pack; return False if another pack had brought it before.

        A device that is asked more than a thousand times a second has readings of one time, in one
        pack or, where it ends, in two: then they differ in value.
        """
        self.readings += 1
        if at_ms > self.newest_ms:
            self._times.append(at_ms)
            self.newest_ms, self.value, self.unit, self._pack = at_ms, value, unit, pack
            return True
        if at_ms == self.newest_ms:
            if value == self.value and pack != self._pack:
                return False
            self.value, self._pack = value, pack
            return True
        at = bisect_left(self._times, at_ms)
        if at < len(self._times) and self._times[at] == at_ms:
            return False
        self._times.insert(at, at_ms)
        return True

    def forget(self, keep: int) -> None:
        """Keep only the newest ``keep`` times, to stay small in a run of days."""
        if len(self._times) > 2 * keep:
            del self._times[:-keep]
