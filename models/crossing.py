"""Who crosses a line, and in which direction: once for each time, however the boxes tremble."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot
from typing import NamedTuple

import numpy as np

from lamppost.models.geometry import Point, iou_matrix
from lamppost.models.tracks import Box, Track

#: A thing is on a side of the line when it stands further from it than this share of its size; between, it
#: is on neither, and may tremble there as long as it likes.
CLEAR = 0.12
#: It has crossed when it is seen on the other side again after so long, or never again.
SURE_S = 0.4
#: Both edges of the box must have moved by this share of the way of its contact point: a lower edge that
#: something else covers jumps alone.
WHOLE = 0.25
#: Two boxes of one kind that overlap like this and cross within so many seconds are one thing, seen twice.
TWICE, TWICE_S = 0.6, 1.5


class Crossing(NamedTuple):
    """A track has crossed: ``forward`` is from left to right, as seen from the line's first point."""

    track: Track
    forward: bool


@dataclass(slots=True)
class _Side:
    """Where a track was last clear of the line; and where and since when it has been so on the other side."""

    right: bool
    box: Box
    over: Box | None = None
    over_at: float = 0.0


class Gate:
    """One line, from its first point to its second, in 0..1 of the picture."""

    def __init__(self, line: Sequence[Point]) -> None:
        (self._ax, self._ay), (bx, by) = line
        length = hypot(bx - self._ax, by - self._ay)
        self._length = length
        #: Along the line, and to its right (y points down).
        self._along = ((bx - self._ax) / length, (by - self._ay) / length)
        self._normal = (-self._along[1], self._along[0])
        self._sides: dict[int, _Side] = {}
        self._crossed: list[tuple[float, Crossing]] = []

    def look(self, now: float, seen: Iterable[Track], ended: Iterable[Track]) -> list[Crossing]:
        """Take the tracks seen now and those that ended, as `Tracks.update` gives them."""
        self._crossed = [(at, crossing) for at, crossing in self._crossed if now - at <= TWICE_S]
        found = []
        gone = [self._last(track) for track in ended]
        for crossing in (*gone, *(self._judge(track, now) for track in seen)):
            if crossing is not None and not self._is_seen_twice(crossing):
                self._crossed.append((now, crossing))
                found.append(crossing)
        return found

    def shift(self, seconds: float) -> None:
        """Move every remembered time with the clock."""
        self._crossed = [(at + seconds, crossing) for at, crossing in self._crossed]
        for side in self._sides.values():
            side.over_at += seconds

    def _last(self, track: Track) -> Crossing | None:
        """Return the crossing of a track that was never seen again after it."""
        side = self._sides.pop(track.number, None)
        if side is None or side.over is None or not self._is_through(side.box, side.over):
            return None
        return Crossing(track, not side.right)

    def _judge(self, track: Track, now: float) -> Crossing | None:
        off, _ = self._place(track.box)
        x1, y1, x2, y2 = track.box
        clear = CLEAR * (abs(self._normal[0]) * (x2 - x1) + abs(self._normal[1]) * (y2 - y1))
        if abs(off) <= clear:
            return None
        right = off > 0
        side = self._sides.get(track.number)
        if side is None or side.right == right:
            self._sides[track.number] = _Side(right, track.box)
            return None
        if not self._moved_whole(side.box, track.box):
            return None
        if side.over is None:
            side.over, side.over_at = track.box, now
        if now - side.over_at < SURE_S:
            return None
        self._sides[track.number] = _Side(right, track.box)
        return Crossing(track, right) if self._is_through(side.box, side.over) else None

    def _place(self, box: Box) -> tuple[float, float]:
        """Return how far right of the line a box stands, and how far along it."""
        dx, dy = (box[0] + box[2]) / 2 - self._ax, box[3] - self._ay
        return (
            dx * self._normal[0] + dy * self._normal[1],
            dx * self._along[0] + dy * self._along[1],
        )

    def _is_through(self, before: Box, after: Box) -> bool:
        """Say whether the way between two places cuts the line and does not pass its ends."""
        (off_1, along_1), (off_2, along_2) = self._place(before), self._place(after)
        cut = along_1 + (along_2 - along_1) * off_1 / (off_1 - off_2)
        return 0 <= cut <= self._length

    def _moved_whole(self, before: Box, after: Box) -> bool:
        """Say whether both edges of a box went over the line, not the nearer one alone."""
        axis = 0 if abs(self._normal[0]) > abs(self._normal[1]) else 1
        near, far = after[axis] - before[axis], after[axis + 2] - before[axis + 2]
        way = far if axis == 1 else (near + far) / 2
        return near * way > 0 and far * way > 0 and min(abs(near), abs(far)) >= WHOLE * abs(way)

    def _is_seen_twice(self, crossing: Crossing) -> bool:
        """Say whether the same thing has just crossed under another number."""
        others = [
            other.track.box
            for _, other in self._crossed
            if other.track.number != crossing.track.number
            and other.forward == crossing.forward
            and other.track.aside == crossing.track.aside
        ]
        if not others:
            return False
        own = np.array([crossing.track.box], np.float32)
        return bool((iou_matrix(own, np.array(others, np.float32)) > TWICE).any())
