"""What stands: stays are anchored to a place and its look, not to a tracker's number.

A tracker loses a parked car at each gap in its detections and counts it anew. Here a stay lives as long
as its place gives evidence: a box that has not moved, or the look of the place. An occluder in front
suspends judgement; an empty place, or another vehicle in it, ends the stay.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lamppost.models.footing import explained, in_front, same_place
from lamppost.models.geometry import Floats, areas, iou_matrix, overlaps
from lamppost.models.stay import SAME, STILL, YOUNG_S, Stay

#: Overlap (IoU) that makes a box belong to a stay, and to one that has stood for a while.
MATCH, MATCH_OLD = 0.5, 0.35
#: Overlap of two stays that are one vehicle, if the place of the older one looks as it did.
ONE = 0.45
#: Time between two sights that counts as watched; a stalled stream is not.
LONGEST_STEP_S = 2.0


class Stays:
    """All stays in one camera's view."""

    def __init__(self) -> None:
        self.all: list[Stay] = []
        self._number = 0
        self._last: float | None = None

    def update(
        self,
        now: float,
        boxes: Floats,
        scores: Floats,
        labels: Iterable[str],
        others: Floats,
        grey: NDArray[np.uint8],
    ) -> list[Stay]:
        """Take what was seen at ``now``; return the stays that ended.

        ``boxes`` (N, 4), ``scores`` and ``labels`` are the vehicles; ``others`` (M, 4) the boxes of
        everything that could hide them, vehicles included; ``grey`` the picture (H, W), any size, in
        the same view as the boxes. Cost is linear in stays; the matrices are stays x boxes.
        """
        step_s = 0.0 if self._last is None else min(now - self._last, LONGEST_STEP_S)
        self._last = now
        kept = ~explained(boxes, scores)
        boxes, scores = boxes[kept], scores[kept]
        names = [label for label, keep in zip(labels, kept, strict=True) if keep]
        anchors = self._anchors()
        fit = iou_matrix(anchors, boxes)
        pairs = self._pairs(fit, now)
        fronts = in_front(anchors, others)
        covered = np.asarray(fronts.any(axis=1))
        ended = []
        for index, stay in enumerate(self.all):
            j = pairs.get(index)
            seen = None if j is None else (boxes[j], float(scores[j]), float(fit[index, j]))
            still = seen is not None and seen[2] >= STILL
            due = not (still and stay.steady) or stay.is_due(now)
            hidden = due and bool(covered[index])
            hidden = hidden and stay.is_veiled(others[fronts[index]], now, seen=still)
            if not stay.goes_on(now, step_s, seen, hidden=hidden, due=due, grey=grey):
                ended.append(stay)
            stay.steady = still
        if ended:
            self.all = [stay for stay in self.all if stay not in ended]
        self._begin_new(now, boxes, scores, names, set(pairs.values()))
        return ended + self._merge()

    def add(self, stay: Stay) -> None:
        """Take back a stay that was saved."""
        self.all.append(stay)
        self._number = max(self._number, stay.number)

    def shift(self, seconds: float) -> None:
        """Move every remembered time with the clock."""
        if self._last is not None:
            self._last += seconds
        for stay in self.all:
            stay.shift(seconds)

    def _anchors(self) -> Floats:
        if not self.all:
            return np.zeros((0, 4), np.float32)
        return np.stack([stay.anchor for stay in self.all])

    def _pairs(self, fit: Floats, now: float) -> dict[int, int]:
        """Give each stay at most one box and each box to at most one stay, best overlap first."""
        pairs: dict[int, int] = {}
        taken: set[int] = set()
        rows, columns = np.nonzero(fit >= MATCH_OLD)
        for k in np.argsort(-fit[rows, columns]):
            i, j = int(rows[k]), int(columns[k])
            if i in pairs or j in taken:
                continue
            if fit[i, j] < MATCH and self.all[i].is_young(now):
                continue
            pairs[i] = j
            taken.add(j)
        return pairs

    def _begin_new(
        self,
        now: float,
        boxes: Floats,
        scores: Floats,
        labels: list[str],
        taken: set[int],
    ) -> None:
        free = [j for j in range(len(boxes)) if j not in taken]
        if not free:
            return
        known = self._known(boxes[free], scores[free], now)
        for j in (j for j, is_known in zip(free, known, strict=True) if not is_known):
            self._number += 1
            stay = Stay(self._number, boxes[j], now, now, labels[j])
            stay.begin(boxes[j], now)
            stay.scores.append(float(scores[j]))
            self.all.append(stay)

    def _known(self, boxes: Floats, scores: Floats, now: float) -> NDArray[np.bool_]:
        """Say which boxes show a stay again: one as sure, or one whose place looks as it did."""
        old = [s for s in self.all if not s.is_young(now)]
        if not old:
            return np.zeros(len(boxes), bool)
        anchors = np.stack([stay.anchor for stay in old])
        sure = np.array([stay.score for stay in old])[:, None] > scores.astype(np.float64) - 0.1
        same = np.array([stay.look >= SAME and stay.gone_since is None for stay in old])[:, None]
        place, fit = same_place(anchors, boxes)
        return np.asarray(((place & sure) | ((fit > ONE) & same)).any(axis=0))

    def _merge(self) -> list[Stay]:
        """Keep one stay of each vehicle: a detector sees some twice, or in parts, or two as one."""
        anchors = self._anchors()
        size = areas(anchors)
        shared = overlaps(anchors, anchors)
        np.fill_diagonal(shared, 0.0)
        if not (shared > 0.2 * size).any():
            return []
        ghosts = self._ghosts(shared, size)
        dropped = [stay for stay, ghost in zip(self.all, ghosts, strict=True) if ghost]
        rest = [stay for stay in self.all if stay not in dropped and stay.still_s >= 1.0]
        if len(rest) > 1:
            anchors = np.stack([stay.anchor for stay in rest])
            near, fit = same_place(anchors, anchors)
            for i, j in zip(*np.nonzero(np.triu(near | near.T, 1)), strict=True):
                one, other = rest[int(i)], rest[int(j)]
                if one not in dropped and other not in dropped:
                    dropped += _weaker(one, other, float(fit[i, j]))
        if dropped:
            self.all = [stay for stay in self.all if stay not in dropped]
        return dropped

    def _ghosts(self, shared: Floats, size: Floats) -> NDArray[np.bool_]:
        """Say which stays are boxes around parts of two surer vehicles."""
        score = np.array([stay.score for stay in self.all])
        real = np.array([stay.still_s >= 1.0 for stay in self.all])
        surer = (score > score[:, None] + 0.1) & real
        shares = shared * surer / np.maximum(size, 1e-9)[:, None]
        return np.asarray((shares.sum(axis=1) > 0.65) & ((shares > 0.2).sum(axis=1) >= 2))


def _weaker(one: Stay, other: Stay, fit: float) -> list[Stay]:
    """Return which of two stays in one place to drop, if they are one vehicle."""
    older, newer = (one, other) if one.since <= other.since else (other, one)
    together = newer.since - older.since < YOUNG_S
    gap = newer.score - older.score
    if fit > ONE:
        if not together and (older.look < SAME or older.gone_since is not None):
            return []  # another vehicle in front of it
        if gap > 0.08:
            older.adopt(newer)
        return [newer]
    if abs(gap) > 0.08:
        return [older if gap > 0 else newer]
    if together and areas(newer.anchor[None])[0] > areas(older.anchor[None])[0]:
        older.adopt(newer)
    return [newer]
