"""A set of integers that are mostly neighbours, kept as ranges."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator


class IdRanges:
    """Ids as sorted, disjoint, inclusive ranges: a million neighbours cost two numbers."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self.count = 0

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._firsts, self._lasts, strict=True)

    def end(self, value: int) -> int | None:
        """Return the last id of the range that holds ``value``, or None."""
        at = bisect_right(self._firsts, value) - 1
        return self._lasts[at] if at >= 0 and self._lasts[at] >= value else None

    def add(self, value: int) -> None:
        """Put one id in; a second time changes nothing."""
        if self.end(value) is not None:
            return
        self.count += 1
        at = bisect_right(self._firsts, value)
        joins_left = at > 0 and self._lasts[at - 1] == value - 1
        joins_right = at < len(self._firsts) and self._firsts[at] == value + 1
        if joins_left and joins_right:
            self._lasts[at - 1] = self._lasts.pop(at)
            del self._firsts[at]
        elif joins_left:
            self._lasts[at - 1] = value
        elif joins_right:
            self._firsts[at] = value
        else:
            self._firsts.insert(at, value)
            self._lasts.insert(at, value)

    def clear(self) -> None:
        """Forget all."""
        self._firsts.clear()
        self._lasts.clear()
        self.count = 0


def runs(ids: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the runs of neighbours in an ascending list as (first, last)."""
    start = 0
    for at in range(1, len(ids) + 1):
        if at == len(ids) or ids[at] != ids[at - 1] + 1:
            yield ids[start], ids[at - 1]
            start = at
