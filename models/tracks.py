"""Follows moving things from look to look, by where each should be by now.

Two rounds as in ByteTrack (Zhang et al. 2022): sure boxes first, then weak ones, which keep a known track
alive but begin none. Boxes are widened before they are compared, as in C-BIoU (Yang et al. 2023), the more
the longer ago the last sight is: a camera is looked at a few times a second, and a car drives its own length
between two looks. What stands still is better kept by `models.stays`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp
from typing import TypeAlias

import numpy as np

from lamppost.models.geometry import Floats, iou_matrix

Box: TypeAlias = tuple[float, float, float, float]

#: Boxes at least so sure may begin a track; weaker ones down to this go on with one.
SURE, WEAK = 0.35, 0.2
#: A track not seen for so long has ended, unless its user wants to keep it longer.
KEEP_S = 2.0
#: Least overlap of two widened boxes of one thing.
MATCH = 0.12
#: Each side is widened by this share of the box, and by this more for each second since the last sight:
#: little where the velocity is known, much where it is not.
WIDER, WIDER_KNOWN_PER_S, WIDER_NEW_PER_S, WIDEST = 0.2, 0.6, 1.0, 0.8
#: In so many seconds a new velocity replaces about two thirds of the old one.
STEADY_S = 0.4
#: More things than these are not followed, the least sure ones first.
MOST = 200
#: Labels that a detector confuses for one thing.
ALIKE = (("car", "bus", "truck"), ("bicycle", "motorcycle"))
_FIRST = {label: group[0] for group in ALIKE for label in group}
#: Kinds are compared side by side, so far apart that no box of one reaches one of another.
_APART = 8.0


@dataclass(eq=False, slots=True)
class Track:
    """One thing on its way. Boxes are x1, y1, x2, y2 in 0..1, velocities shares of the picture per second."""

    number: int
    box: Box
    began_at: float
    seen_at: float
    score: float
    aside: float
    sights: int = 1
    vx: float = 0.0
    vy: float = 0.0
    votes: dict[str, float] = field(default_factory=dict)
    keep_s: float = KEEP_S

    @property
    def label(self) -> str:
        """What it was taken for most, weighed by the scores."""
        return max(self.votes, key=self.votes.__getitem__)

    def expected(self, now: float) -> Box:
        """Return where it should be."""
        x1, y1, x2, y2 = self.box
        dx, dy = self.vx * (now - self.seen_at), self.vy * (now - self.seen_at)
        return x1 + dx, y1 + dy, x2 + dx, y2 + dy

    def wider(self, now: float) -> float:
        """Return by which share of its size its box is widened to be found again."""
        per_s = WIDER_KNOWN_PER_S if self.sights > 1 else WIDER_NEW_PER_S
        return min(WIDEST, WIDER + per_s * (now - self.seen_at))

    def see(self, now: float, box: Box, score: float, label: str) -> None:
        """Take the next sight."""
        past_s = now - self.seen_at
        if past_s > 0:
            x1, y1, x2, y2 = self.box
            new = 1.0 if self.sights == 1 else 1 - exp(-past_s / STEADY_S)
            self.vx += new * ((box[0] + box[2] - x1 - x2) / (2 * past_s) - self.vx)
            self.vy += new * ((box[1] + box[3] - y1 - y2) / (2 * past_s) - self.vy)
        self.box, self.seen_at, self.score = box, now, score
        self.sights += 1
        self.votes[label] = self.votes.get(label, 0.0) + score


class Tracks:
    """All that moves in one camera's view. Times are seconds on the caller's clock."""

    def __init__(self, *, sure: float = SURE, weak: float = WEAK) -> None:
        self.all: list[Track] = []
        self._sure = sure
        self._weak = weak
        self._number = 0
        self._aside: dict[str, float] = {}

    def update(
        self, now: float, boxes: Floats, scores: Floats, labels: Sequence[str]
    ) -> tuple[list[Track], list[Track]]:
        """Take what was seen at ``now``; return the tracks that were seen, and those that have ended.

        ``boxes`` (N, 4), ``scores`` and ``labels`` as in `Detections`, best score first.
        """
        found = [
            (box, score, label)
            for box, score, label in zip(boxes[:MOST].tolist(), scores[:MOST].tolist(), labels, strict=False)
            if score >= self._weak
        ]
        seen: list[Track] = []
        free = list(self.all)
        sure = [one for one in found if one[1] >= self._sure]
        left = self._assign(now, free, sure, seen)
        self._assign(now, [track for track in free if track.sights > 1], found[len(sure) :], seen)
        for box, score, label in left:
            self._number += 1
            track = Track(self._number, _box(box), now, now, score, self._kind(label), votes={label: score})
            self.all.append(track)
            seen.append(track)
        return seen, self._end(now)

    def _assign(
        self, now: float, free: list[Track], found: list[tuple[list[float], float, str]], seen: list[Track]
    ) -> list[tuple[list[float], float, str]]:
        """Give each free track at most one box, best overlap first; move it from ``free`` to ``seen``.

        Returns the boxes that are nobody's.
        """
        if not free or not found:
            return found
        shares = [track.wider(now) for track in free]
        least = min(shares)
        expected = [_widened(t.expected(now), share, t.aside) for t, share in zip(free, shares, strict=True)]
        boxes = [_widened(box, least, self._kind(label)) for box, _, label in found]
        fit = iou_matrix(np.array(expected, np.float32), np.array(boxes, np.float32))
        rows, columns = np.nonzero(fit > MATCH)
        order = np.argsort(-fit[rows, columns], kind="stable")
        matched: set[int] = set()
        taken: set[int] = set()
        for i, j in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
            if i in matched or j in taken:
                continue
            matched.add(i)
            taken.add(j)
            box, score, label = found[j]
            free[i].see(now, _box(box), score, label)
            seen.append(free[i])
        free[:] = [track for i, track in enumerate(free) if i not in matched]
        return [one for j, one in enumerate(found) if j not in taken]

    def _kind(self, label: str) -> float:
        """Return how far aside things of this label are compared."""
        aside = self._aside.get(label)
        if aside is None:
            first = _FIRST.get(label, label)
            aside = self._aside[label] = self._aside.setdefault(first, _APART * len(self._aside))
        return aside

    def _end(self, now: float) -> list[Track]:
        ended = [track for track in self.all if now - track.seen_at > track.keep_s]
        if len(self.all) - len(ended) > MOST:
            newest = sorted(self.all, key=lambda track: track.seen_at)[-MOST:]
            ended = [track for track in self.all if track not in newest]
        if ended:
            gone = {track.number for track in ended}
            self.all = [track for track in self.all if track.number not in gone]
        return ended

    def shift(self, seconds: float) -> None:
        """Move every remembered time with the clock."""
        for track in self.all:
            track.began_at += seconds
            track.seen_at += seconds


def _box(values: list[float]) -> Box:
    x1, y1, x2, y2 = values
    return x1, y1, x2, y2


def _widened(box: Sequence[float], share: float, aside: float) -> Box:
    """Return a box widened on each side by a share of its size, and moved aside."""
    x1, y1, x2, y2 = box
    wide, high = share * (x2 - x1), share * (y2 - y1)
    return x1 - wide + aside, y1 - high, x2 + wide + aside, y2 + high
