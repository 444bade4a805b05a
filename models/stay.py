"""One vehicle that stands, and how it is judged from look to look."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median

import numpy as np
from numpy.typing import NDArray

from lamppost.models.appearance import likeness, patch
from lamppost.models.geometry import Floats, iou_matrix

#: Overlap (IoU) of a box with its place that says it has not moved.
STILL = 0.72
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
#: How often a seen place's look is compared and learnt.
LEARN_S = 0.9
#: Share of the new look in the one that is remembered, for each of these.
NEWEST = 0.1
#: One that has stood for so long, and still does, is compared this much more seldom.
SETTLED_S, SELDOM = 15.0, 4

_TIMES = (
    "since", "seen_at", "seen_box_at", "left_at", "learnt_at",
    "gone_since", "other_since", "odd_since", "limbo_since",
)  # fmt: skip


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

    def begin(self, box: Floats, now: float, since: float | None = None) -> None:
        """Begin to stand at ``box``, seen at ``now``: since then, or ``since`` a moment before."""
        self.left_at = self.seen_at
        self.anchor = box.copy()
        self.since = now if since is None else since
        self.seen_at = self.seen_box_at = now
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

    def shift(self, seconds: float) -> None:
        """Move every remembered time with the clock."""
        for name in _TIMES:
            at = getattr(self, name)
            setattr(self, name, None if at is None else at + seconds)
        self.veils = [(box, since + seconds) for box, since in self.veils]

    def is_young(self, now: float) -> bool:
        """Say whether it may still be something that passes, or a chance."""
        return now - self.since < YOUNG_S or self.still_s < PROVEN_S

    def is_due(self, now: float) -> bool:
        """Say whether it is time to compare its place, though it was seen standing all the time."""
        seldom = SELDOM if now - self.since > SETTLED_S else 1
        return now - self.learnt_at >= seldom * LEARN_S

    def is_veiled(self, fronts: Floats, now: float, *, seen: bool) -> bool:
        """Say whether one of ``fronts`` (M, 4) hides it: none through which it has long been seen."""
        veils = self.veils
        best, nearest = [0.0] * len(fronts), [0] * len(fronts)
        if veils:
            fit = iou_matrix(np.array([box for box, _ in veils]), fronts)
            best, nearest = fit.max(axis=0).tolist(), fit.argmax(axis=0).tolist()
        hides = False
        for box, most, known in zip(fronts, best, nearest, strict=True):
            if most < VEIL:
                hides = True
                if seen:
                    self.veils = [*self.veils[-(VEILS - 1) :], (box, now)]
            else:
                hides |= now - veils[known][1] < VEIL_S
        return hides

    def adopt(self, other: Stay) -> None:
        """Go on with the box and look of another stay of the same vehicle."""
        self.anchor, self.template, self.label = other.anchor, other.template, other.label
        self.scores, self.recent, self.look = other.scores, other.recent, other.look
        self.seen_at = max(self.seen_at, other.seen_at)
        self.still_s = max(self.still_s, other.still_s)
        self.gone_since, self.other_since = other.gone_since, other.other_since

    def goes_on(
        self,
        now: float,
        step_s: float,
        seen: tuple[Floats, float, float] | None,
        *,
        hidden: bool,
        due: bool,
        grey: NDArray[np.uint8],
    ) -> bool:
        """Judge it by its box (box, score, overlap), if there is one, and by the look of its place."""
        still = seen is not None and seen[2] >= STILL
        young = self.is_young(now)
        if due and not young:
            self.look = likeness(self.template, self.place(grey))
        self.astray = seen is not None and not still and self.look < SAME
        if seen is None:
            self.limbo_since = None
        elif self._begins_anew(now, seen, still=still, hidden=hidden):
            return True
        if still or (self.look >= SAME and not young):
            self.gone_since = None
            if still and due and seen is not None and not hidden and not young:
                self._judge_look(now, seen[2], grey)
            if self.other_since is None:
                self.seen_at = now
                self.still_s += step_s if still else 0.5 * step_s
                if still and due:
                    self._learn(now, grey, young=young)
            return True
        if young:
            return now - self.seen_at <= max(FORGET_YOUNG_S, 2.2 * step_s)
        if hidden:
            self.gone_since = None
            return now - self.seen_at <= HIDDEN_S
        self.gone_since = now if self.gone_since is None else self.gone_since
        return now - self.gone_since < CLEAR_S

    def _judge_look(self, now: float, fit: float, grey: NDArray[np.uint8]) -> None:
        """Judge a vehicle whose place looks otherwise than remembered: the light, or another vehicle.

        One that was seen all the time is the same in another light. After an interruption another one
        has taken its place if it goes on to look otherwise, all the sooner if its box differs.
        """
        if self.look >= RESUMED:
            self.other_since = self.odd_since = None
        elif self.other_since is not None:
            if now - self.other_since >= (OTHER_S if fit < ALIKE else ALIKE_S):
                self.begin(self.anchor, now, self.other_since)
        elif self.odd_since is None:
            self.odd_since = now
        elif now - self.odd_since >= RELEARN_S:
            self.template, self.odd_since = self.place(grey), None

    def _moved(self) -> bool:
        """Say whether the newest boxes agree on another place; a box of another size is a hidden part."""
        if len(self.recent) < 3:
            return False
        x1, y1, x2, y2 = map(median, zip(*(box.tolist() for box in self.recent), strict=True))
        a1, b1, a2, b2 = self.anchor.tolist()
        width, height = a2 - a1, b2 - b1
        off = max(abs(x1 + x2 - a1 - a2) / (2 * width), abs(y1 + y2 - b1 - b2) / (2 * height))
        return bool(off > MOVED and abs((x2 - x1) / width - 1) < SIZE and abs((y2 - y1) / height - 1) < SIZE)

    def _begins_anew(
        self,
        now: float,
        seen: tuple[Floats, float, float],
        *,
        still: bool,
        hidden: bool,
    ) -> bool:
        """Take its box; begin anew if that shows a vehicle that came to rest only now."""
        box, score, _ = seen
        young = self.is_young(now)
        self.scores.append(score)
        self.recent.append(box)
        if not (still or hidden) and self._moved():
            self.begin(box, now)
            return True
        if young and not still and self._settled():
            self.begin(box, now, self.seen_box_at)
            return True
        self.seen_box_at = now
        if still and young:
            share = 1 / min(len(self.scores), 8)
            self.anchor = (self.anchor * (1 - share) + box * share).astype(np.float32)
        if still or hidden or self.look >= SAME:
            self.limbo_since = None
        elif self.limbo_since is None:
            self.limbo_since = now
        elif now - self.limbo_since >= OTHER_S:
            # Long enough something else in the same place: it has its own time.
            self.begin(box, now, self.limbo_since)
            return True
        if still and not young and self.look < RESUMED and now - self.seen_at > INTERRUPTED_S:
            # Something stands here again after a while without evidence, and it may be another.
            self.other_since = self.other_since or now
        return False

    def _settled(self) -> bool:
        """Say whether the two newest boxes are one: a vehicle that rolled on has come to rest."""
        if len(self.recent) < 2:
            return False
        return bool(iou_matrix(self.recent[-1][None], self.recent[-2][None])[0, 0] >= SETTLED)

    def _learn(self, now: float, grey: NDArray[np.uint8], *, young: bool) -> None:
        """Let the remembered look follow the light, but not another vehicle."""
        if not self.is_due(now):
            return
        newest = min(1.0, NEWEST * (now - self.learnt_at) / LEARN_S)
        self.learnt_at = now
        seen = self.place(grey)
        if seen is None or not (young or self.look > 0.7):
            return
        if young or self.template is None:
            self.template = seen
        else:
            self.template = self.template * (1 - newest) + seen * newest
