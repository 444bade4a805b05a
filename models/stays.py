"""What stands: stays are anchored to a place and its look, not to a tracker's number.

A tracker loses a parked car at each gap in its detections and counts it anew. Here a stay lives as long
as its place gives evidence: a box that has not moved, or the look of the place. An occluder in front
suspends judgement; an empty place, or another vehicle in it, ends the stay.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from numpy.typing import NDArray

from lamppost.models.appearance import likeness, patch
from lamppost.models.geometry import Floats, areas, iou_matrix, overlaps

#: Overlap (IoU) that makes a box belong to a stay; and that of a box that has not moved.
MATCH, MATCH_OLD, STILL = 0.5, 0.35, 0.72
#: Overlap of two stays that are one vehicle, if the place of the older one looks as it did.
ONE = 0.45
#: Overlap of two boxes in a row of something that has come to rest.
SETTLED = 0.8
#: Likeness of a place that is unchanged.
SAME = 0.60
#: A median of three boxes that is this far from the anchor, at about its size, has moved.
MOVED, SIZE = 0.2, 0.25
#: Likeness that a vehicle must have to go on with a stay that gave no evidence for so long.
RESUMED, INTERRUPTED_S = 0.45, 1.2
#: Overlap that makes a box in front of a vehicle one through which it was seen, after so long; how many.
VEIL, VEIL_S, VEILS = 0.5, 3.0, 6
YOUNG_S, PROVEN_S = 3.0, 1.0
FORGET_YOUNG_S = 1.6
CLEAR_S = 3.0
#: So long must a vehicle look otherwise to be another: one in about the same box, and in just the same.
OTHER_S, ALIKE_S, ALIKE = 3.0, 6.0, 0.85
#: After so long in another light, the look is learnt anew.
RELEARN_S = 15.0
HIDDEN_S = 120.0
#: Time between two sights that counts as watched; a stalled stream is not.
LONGEST_STEP_S = 2.0
#: How often a seen place's look is compared and learnt.
LEARN_S = 0.9
#: Share of the new look in the one that is remembered, for each of these.
NEWEST = 0.1
#: One that has stood for so long, and still does, is compared this much more seldom.
SETTLED_S, SELDOM = 15.0, 4


@dataclass(eq=False)
class Stay:
    """One vehicle (or person) that stands. Times are seconds on the caller's clock.

    ``anchor`` is its box (4,) in 0..1 of the reference view. ``since`` is when it came to rest;
    ``still_s`` the time with evidence of its own since then; ``score`` the median of its detections.
    """

    number: int
    anchor: Floats
    since: float
    seen_at: float
    label: str = ""
    still_s: float = 0.0
    scores: deque[float] = field(default_factory=lambda: deque(maxlen=40))
    recent: deque[Floats] = field(default_factory=lambda: deque(maxlen=3))
    template: Floats | None = None
    learnt_at: float = 0.0
    look: float = 1.0
    gone_since: float | None = None
    other_since: float | None = None
    odd_since: float | None = None
    limbo_since: float | None = None
    #: Whether its newest box lay elsewhere while its place looked otherwise: it may be moving.
    astray: bool = False
    #: Whether its newest box was where it stands.
    steady: bool = False
    #: When the vehicle that stood here before was last seen.
    left_at: float = 0.0
    #: When the newest of its boxes was seen.
    seen_box_at: float = 0.0
    #: Boxes in front of it through which it was seen, each with the time from which on.
    veils: list[tuple[Floats, float]] = field(default_factory=list)
    _place: tuple[NDArray[np.uint8], Floats, Floats | None] | None = None

    @property
    def score(self) -> float:
        """Median of its newest scores."""
        return median(self.scores) if self.scores else 0.0

    def begin(self, box: Floats, now: float) -> None:
        """Begin to stand at ``box``."""
        self.left_at = self.seen_at
        self.anchor = box.copy()
        self.since = self.seen_at = self.seen_box_at = now
        self.still_s = 0.0
        self.recent.clear()
        self.recent.append(box)
        self.template = None
        self.learnt_at = float("-inf")
        self.look = 1.0
        self.steady = False
        self.gone_since = self.other_since = self.odd_since = self.limbo_since = None

    def place(self, grey: NDArray[np.uint8]) -> Floats | None:
        """Return what its place looks like in ``grey``, made once for each picture and anchor."""
        if self._place is None or self._place[0] is not grey or self._place[1] is not self.anchor:
            self._place = grey, self.anchor, patch(grey, self.anchor)
        return self._place[2]

    def is_young(self, now: float) -> bool:
        """Say whether it may still be something that passes, or a chance."""
        return now - self.since < YOUNG_S or self.still_s < PROVEN_S

    def is_due(self, now: float) -> bool:
        """Say whether it is time to compare its place, though it was seen standing all the time."""
        seldom = SELDOM if now - self.since > SETTLED_S else 1
        return now - self.learnt_at >= seldom * LEARN_S

    def is_veiled(self, fronts: Floats, now: float, *, seen: bool) -> bool:
        """Say whether one of ``fronts`` (M, 4) hides it: none through which it has long been seen."""
        best, nearest = [0.0] * len(fronts), [0] * len(fronts)
        if self.veils:
            fit = iou_matrix(np.array([box for box, _ in self.veils]), fronts)
            best, nearest = fit.max(axis=0).tolist(), fit.argmax(axis=0).tolist()
        hides = False
        for box, most, known in zip(fronts, best, nearest, strict=True):
            if most < VEIL:
                hides = True
                if seen:
                    self.veils = [*self.veils[-(VEILS - 1) :], (box, now)]
            else:
                hides |= now - self.veils[known][1] < VEIL_S
        return hides

    def adopt(self, other: Stay) -> None:
        """Go on with the box and look of another stay of the same vehicle."""
        self.anchor, self.template, self.label = other.anchor, other.template, other.label
        self.scores, self.recent, self.look = other.scores, other.recent, other.look
        self.seen_at = max(self.seen_at, other.seen_at)
        self.still_s = max(self.still_s, other.still_s)
        self.gone_since, self.other_since = other.gone_since, other.other_since


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
        kept = ~_explained(boxes, scores)
        boxes, scores = boxes[kept], scores[kept]
        names = [label for label, keep in zip(labels, kept, strict=True) if keep]
        anchors = self._anchors()
        fit = iou_matrix(anchors, boxes)
        pairs = self._pairs(fit, now)
        fronts = _in_front(anchors, others)
        covered = np.asarray(fronts.any(axis=1))
        ended = []
        for index, stay in enumerate(self.all):
            j = pairs.get(index)
            seen = None if j is None else (boxes[j], float(scores[j]), float(fit[index, j]))
            still = seen is not None and seen[2] >= STILL
            due = not (still and stay.steady) or stay.is_due(now)
            hidden = due and bool(covered[index])
            hidden = hidden and stay.is_veiled(others[fronts[index]], now, seen=still)
            if not self._goes_on(stay, now, step_s, seen, hidden=hidden, due=due, grey=grey):
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
            stay.since += seconds
            stay.seen_at += seconds
            stay.seen_box_at += seconds
            stay.left_at += seconds
            stay.learnt_at += seconds
            stay.gone_since = None if stay.gone_since is None else stay.gone_since + seconds
            stay.other_since = None if stay.other_since is None else stay.other_since + seconds
            stay.odd_since = None if stay.odd_since is None else stay.odd_since + seconds
            stay.limbo_since = None if stay.limbo_since is None else stay.limbo_since + seconds
            stay.veils = [(box, since + seconds) for box, since in stay.veils]

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

    def _goes_on(
        self,
        stay: Stay,
        now: float,
        step_s: float,
        seen: tuple[Floats, float, float] | None,
        *,
        hidden: bool,
        due: bool,
        grey: NDArray[np.uint8],
    ) -> bool:
        """Judge one stay by its box (box, score, overlap), if there is one, and by the look of its place."""
        still = seen is not None and seen[2] >= STILL
        young = stay.is_young(now)
        if due and not young:
            stay.look = likeness(stay.template, stay.place(grey))
        stay.astray = seen is not None and not still and stay.look < SAME
        if seen is None:
            stay.limbo_since = None
        elif _begins_anew(stay, now, seen, still=still, hidden=hidden):
            return True
        if still or (stay.look >= SAME and not young):
            stay.gone_since = None
            if still and due and seen is not None and not hidden and not young:
                self._same_vehicle(stay, now, seen[2], grey)
            if stay.other_since is None:
                stay.seen_at = now
                stay.still_s += step_s if still else 0.5 * step_s
                if still and due:
                    _learn(stay, now, grey, young=young)
            return True
        if young:
            return now - stay.seen_at <= max(FORGET_YOUNG_S, 2.2 * step_s)
        if hidden:
            stay.gone_since = None
            return now - stay.seen_at <= HIDDEN_S
        stay.gone_since = now if stay.gone_since is None else stay.gone_since
        return now - stay.gone_since < CLEAR_S

    def _same_vehicle(self, stay: Stay, now: float, fit: float, grey: NDArray[np.uint8]) -> None:
        """Judge a vehicle whose place looks otherwise than remembered: the light, or another vehicle.

        One that was seen all the time is the same in another light. After an interruption another one
        has taken its place if it goes on to look otherwise, all the sooner if its box differs.
        """
        if stay.look >= RESUMED:
            stay.other_since = stay.odd_since = None
        elif stay.other_since is not None:
            if now - stay.other_since >= (OTHER_S if fit < ALIKE else ALIKE_S):
                began = stay.other_since
                stay.begin(stay.anchor, now)
                stay.since = began
        elif stay.odd_since is None:
            stay.odd_since = now
        elif now - stay.odd_since >= RELEARN_S:
            stay.template, stay.odd_since = stay.place(grey), None

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
        place, fit = _same_place(anchors, boxes)
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
            near, fit = _same_place(anchors, anchors)
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
    if together and _area(newer) > _area(older):
        older.adopt(newer)
    return [newer]


def _area(stay: Stay) -> float:
    x1, y1, x2, y2 = stay.anchor
    return float((x2 - x1) * (y2 - y1))


def _explained(boxes: Floats, scores: Floats) -> NDArray[np.bool_]:
    """Say which boxes are nothing but pieces of surer ones: part of one, or around several."""
    count = len(boxes)
    if count < 2:
        return np.zeros(count, bool)
    shared = overlaps(boxes, boxes)
    area = np.maximum(areas(boxes), 1e-9)
    surer = (scores > scores[:, None]) & ~np.eye(count, dtype=bool)
    height = boxes[:, 3] - boxes[:, 1]
    level = np.abs(boxes[:, None, 3] - boxes[:, 3]) < 0.25 * height
    part = (surer & level & (shared / area[:, None] > 0.7)).any(axis=1)
    around = (surer & (shared / area > 0.7)).sum(axis=1) >= 2
    weak = (surer & (scores - scores[:, None] > 0.05)) * shared
    # Surer boxes overlap each other seldom: their shares may be added up.
    patchwork = (weak.sum(axis=1) / area > 0.85) & ((weak > 0).sum(axis=1) >= 2)
    return np.asarray(part | around | patchwork)


def _in_front(anchors: Floats, others: Floats) -> NDArray[np.bool_]:
    """Say which boxes (M) cover which places (N) and are nearer: (N, M)."""
    if not len(anchors) or not len(others):
        return np.zeros((len(anchors), len(others)), bool)
    height = anchors[:, 3] - anchors[:, 1]
    covered = overlaps(anchors, others) / np.maximum(areas(anchors), 1e-9)[:, None] > 0.25
    nearer = others[:, 3] > (anchors[:, 3] + 0.04 * height)[:, None]
    return np.asarray(covered & nearer)


def _same_place(anchors: Floats, boxes: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Say which boxes (M) lie in the place of which anchors (N), and return their IoU: (N, M) each."""
    shared = overlaps(anchors, boxes)
    place, size = np.maximum(areas(anchors), 1e-9)[:, None], np.maximum(areas(boxes), 1e-9)
    fit = np.asarray(shared / np.maximum(place + size - shared, 1e-12), np.float32)
    height = (anchors[:, 3] - anchors[:, 1])[:, None]
    level = np.abs(anchors[:, None, 3] - boxes[:, 3]) < 0.25 * height
    inside = shared / size > 0.7
    around = (shared / place > 0.8) & (fit > 0.3)
    return np.asarray((fit > 0.4) | (inside & level) | around), fit


def _moved(stay: Stay) -> bool:
    """Say whether the newest boxes agree on another place; a box of another size is a hidden part."""
    if len(stay.recent) < 3:
        return False
    x1, y1, x2, y2 = map(median, zip(*(box.tolist() for box in stay.recent), strict=True))
    a1, b1, a2, b2 = stay.anchor.tolist()
    width, height = a2 - a1, b2 - b1
    off = max(abs(x1 + x2 - a1 - a2) / (2 * width), abs(y1 + y2 - b1 - b2) / (2 * height))
    return bool(off > MOVED and abs((x2 - x1) / width - 1) < SIZE and abs((y2 - y1) / height - 1) < SIZE)


def _begins_anew(
    stay: Stay,
    now: float,
    seen: tuple[Floats, float, float],
    *,
    still: bool,
    hidden: bool,
) -> bool:
    """Take a stay's box; begin the stay anew if it shows a vehicle that came to rest only now."""
    box, score, _ = seen
    young = stay.is_young(now)
    stay.scores.append(score)
    stay.recent.append(box)
    if not (still or hidden) and _moved(stay):
        stay.begin(box, now)
        return True
    if young and not still and _settled(stay):
        stopped_at = stay.seen_box_at
        stay.begin(box, now)
        stay.since = stopped_at
        return True
    stay.seen_box_at = now
    if still and young:
        share = 1 / min(len(stay.scores), 8)
        stay.anchor = (stay.anchor * (1 - share) + box * share).astype(np.float32)
    if still or hidden or stay.look >= SAME:
        stay.limbo_since = None
    elif stay.limbo_since is None:
        stay.limbo_since = now
    elif now - stay.limbo_since >= OTHER_S:
        # Long enough something else in the same place: it has its own time.
        began = stay.limbo_since
        stay.begin(box, now)
        stay.since = began
        return True
    if still and not young and stay.look < RESUMED and now - stay.seen_at > INTERRUPTED_S:
        # Something stands here again after a while without evidence, and it may be another.
        stay.other_since = stay.other_since or now
    return False


def _settled(stay: Stay) -> bool:
    """Say whether the two newest boxes are one: a vehicle that rolled on has come to rest."""
    if len(stay.recent) < 2:
        return False
    return bool(iou_matrix(stay.recent[-1][None], stay.recent[-2][None])[0, 0] >= SETTLED)


def _learn(stay: Stay, now: float, grey: NDArray[np.uint8], *, young: bool) -> None:
    """Let the remembered look follow the light, but not another vehicle."""
    if not stay.is_due(now):
        return
    newest = min(1.0, NEWEST * (now - stay.learnt_at) / LEARN_S)
    stay.learnt_at = now
    seen = stay.place(grey)
    if seen is None or not (young or stay.look > 0.7):
        return
    if young or stay.template is None:
        stay.template = seen
    else:
        stay.template = stay.template * (1 - newest) + seen * newest
