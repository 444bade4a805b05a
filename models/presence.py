"""Who is in a zone, and since when: the time belongs to the one in the zone, not to a tracker's number.

A tracker loses people behind each other and behind poles, and counts them anew. Here somebody who is lost
within the zone is waited for, and who then appears about there goes on with the time. Who walked out is gone;
who comes from outside begins at nought; and where one has stood, who passes by takes no time along.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import hypot, inf
from statistics import median

import numpy as np

from lamppost.models.geometry import Floats, Point, encloses, overlaps
from lamppost.models.tracks import KEEP_S, Box, Track, Tracks

#: Time between two looks that counts as watched, so that a stalled stream is nobody's absence; and the pause
#: after which nothing is known any more.
LONGEST_STEP_S, LONGEST_GAP_S = 2.0, 60.0
#: How far somebody who was lost may appear again, in heights: at once, for each second, and at most.
REACH, REACH_PER_S, FURTHEST = 0.5, 0.4, 2.0
#: Who walks is faster than this, in heights a second, and is thought to walk on for so long after being lost.
WALKING, WALKS_ON_S = 0.2, 1.5
#: Who was lost while walking is waited for only so long: another who walks there is soon nearer.
WAVER_S = 3.0
#: Who is lost so near the picture's edge on the way out has left.
EDGE = 0.02
#: Where somebody has stood for so long, by this overlap (IoU), is a home; who seems to have left it, while a
#: newcomer stands there within so many seconds, has been mistaken for the newcomer.
HOME_S, HOME, HOME_LEFT_S = 4.0, 0.5, 2.5
#: A box of which so much lies in another, at nearly its foot, is another sight of the same one.
WITHIN, LEVEL = 0.7, 0.12


@dataclass(eq=False)
class Presence:
    """One who is in the zone, or was a moment ago. Times are seconds on the caller's clock.

    ``since`` is when it came in, ``seen_at`` when it was last seen inside, ``seen_s`` for how long it was
    seen there, ``absent_s`` for how long it has been outside or lost, in watched time. ``home`` is where it
    has been standing, from ``home_since`` to ``home_at``.
    """

    number: int
    since: float
    seen_at: float
    box: Box
    label: str
    track: Track | None = None
    seen_s: float = 0.0
    absent_s: float = 0.0
    scores: deque[float] = field(default_factory=lambda: deque(maxlen=40))
    home: Box = (0.0, 0.0, 0.0, 0.0)
    home_since: float = 0.0
    home_at: float = 0.0

    @property
    def score(self) -> float:
        """Median of the newest scores."""
        return median(self.scores) if self.scores else 0.0

    def is_lost(self, now: float) -> bool:
        """Say whether its track has ended."""
        return self.absent_s > WAVER_S and self.track is not None and now - self.track.seen_at > WAVER_S

    def has_left_home(self, now: float) -> bool:
        """Say whether it is no longer where it had been standing until a moment ago."""
        return 0 < now - self.home_at <= HOME_LEFT_S and self.home_at - self.home_since >= HOME_S

    @property
    def there(self) -> bool:
        """Whether it was seen in the zone at the newest look."""
        return self.absent_s == 0.0


class Presences:
    """All who are in one zone. ``leave_s`` is how long one may be outside or lost and still be the same."""

    def __init__(self, leave_s: float, *, sure: float) -> None:
        self.all: list[Presence] = []
        self._leave_s = leave_s
        self._tracks = Tracks(sure=sure)
        self._number = 0
        self._last: float | None = None

    def update(
        self,
        now: float,
        boxes: Floats,
        scores: Floats,
        labels: Sequence[str],
        zone: Sequence[Point],
        aspect: float,
    ) -> list[Presence]:
        """Take what was seen at ``now``; return who has left.

        ``boxes`` (N, 4), ``scores`` and ``labels`` as in `Detections`; ``zone`` is a polygon in 0..1,
        ``aspect`` the picture's width by its height.
        """
        gap_s = 0.0 if self._last is None else now - self._last
        self._last = now
        ended, self.all = (self.all, []) if gap_s > LONGEST_GAP_S else ([], self.all)
        step_s = min(gap_s, LONGEST_STEP_S)
        seen, _ = self._tracks.update(now, boxes, scores, labels)
        inside = [encloses(zone, _foot(track.box)) for track in seen]
        followed = {one.track.number: one for one in self.all if one.track is not None}
        for presence in self.all:
            presence.absent_s += step_s
        for track, is_in in zip(seen, inside, strict=True):
            known = followed.get(track.number) or self._resumed(track, now, zone, aspect)
            if known is None and is_in and not self._is_known(track):
                self._come(track, now)
            elif known is not None and is_in:
                _stay(known, track, now, step_s)
            # Who stands inside may be hidden for long, or seen so badly that no track would begin anew.
            is_waited_for = is_in and not _is_walking(track, aspect)
            track.keep_s = max(KEEP_S, self._leave_s) if is_waited_for else KEEP_S
        self._note_twins(step_s)
        return ended + self._leave(now, zone, aspect)

    def _come(self, track: Track, now: float) -> None:
        self._number += 1
        presence = Presence(self._number, now, now, track.box, track.label, track)
        presence.scores.append(track.score)
        self.all.append(presence)

    def _resumed(self, track: Track, now: float, zone: Sequence[Point], aspect: float) -> Presence | None:
        """Return the lost one that a track which begins now goes on with: the nearest within reach."""
        if track.sights > 1:
            return None
        best: Presence | None = None
        nearest = 1.0
        for one in self.all:
            if one.track is not None and one.track.seen_at == now:
                continue  # it is somewhere else
            off = _off(one, track, aspect)
            if off < nearest and (one.absent_s <= WAVER_S or not _has_gone(one.track, zone, aspect)):
                best, nearest = one, off
        if best is not None:
            best.track = track
        return best

    def _is_known(self, track: Track) -> bool:
        """Say whether a track is a second box around one that is there."""
        return any(
            one.track is not None
            and one.track is not track
            and one.track.seen_at == track.seen_at
            and _is_twice(one.box, track.box)
            for one in self.all
        )

    def _note_twins(self, step_s: float) -> None:
        """Count nothing for a second sight of the same one."""
        there = [one for one in self.all if one.there]
        if len(there) < 2:
            return
        boxes = np.array([one.box for one in there], np.float32)
        for i, j in np.argwhere(np.triu(overlaps(boxes, boxes), 1)).tolist():
            if _is_twice(there[i].box, there[j].box):
                there[j].seen_s -= step_s  # the younger: they stand in the order of their coming

    def _leave(self, now: float, zone: Sequence[Point], aspect: float) -> list[Presence]:
        for one in self.all:
            if one.has_left_home(now) and (other := self._at_home_of(one)) is not None:
                _exchange(one, other)
        left = [
            one
            for one in self.all
            if one.absent_s > self._leave_s or (one.is_lost(now) and _has_gone(one.track, zone, aspect))
        ]
        if left:
            self.all = [one for one in self.all if one not in left]
        return left

    def _at_home_of(self, one: Presence) -> Presence | None:
        """Return the newcomer who stands where one has stood until now.

        It was rather the newcomer who passed on, under the other's number.
        """
        for other in self.all:
            if other.there and other.since > one.since and _overlap(other.box, one.home) >= HOME:
                return other
        return None

    def add(self, presence: Presence) -> None:
        """Take back one that was saved."""
        self.all.append(presence)
        self._number = max(self._number, presence.number)
        self._last = max(self._last or presence.seen_at, presence.seen_at)

    def shift(self, seconds: float) -> None:
        """Move every remembered time with the clock."""
        self._tracks.shift(seconds)
        if self._last is not None:
            self._last += seconds
        alive = {track.number for track in self._tracks.all}
        for one in self.all:
            one.since += seconds
            one.seen_at += seconds
            one.home_since += seconds
            one.home_at += seconds
            if one.track is not None and one.track.number not in alive:
                one.track.seen_at += seconds


def _foot(box: Box) -> Point:
    return (box[0] + box[2]) / 2, box[3]


def _is_twice(a: Box, b: Box) -> bool:
    """Say whether two boxes are two sights of one thing."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0 or abs(a[3] - b[3]) > LEVEL * max(a[3] - a[1], b[3] - b[1]):
        return False
    return wide * high > WITHIN * min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


def _stay(presence: Presence, track: Track, now: float, step_s: float) -> None:
    presence.seen_at, presence.absent_s = now, 0.0
    presence.seen_s += step_s
    presence.box, presence.label = track.box, track.label
    presence.scores.append(track.score)
    if _overlap(track.box, presence.home) >= HOME:
        presence.home_at = now
    elif now - presence.home_at > HOME_LEFT_S:
        presence.home, presence.home_since, presence.home_at = track.box, now, now


def _overlap(a: Box, b: Box) -> float:
    """Return intersection over union."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def _exchange(one: Presence, other: Presence) -> None:
    """Let two presences go on with each other's tracks."""
    for name in ("track", "box", "seen_at", "absent_s", "scores"):
        mine, theirs = getattr(one, name), getattr(other, name)
        setattr(one, name, theirs)
        setattr(other, name, mine)
    one.home_at = one.seen_at
    other.home, other.home_since, other.home_at = other.box, other.seen_at, other.seen_at


def _is_walking(track: Track, aspect: float) -> bool:
    return hypot(track.vx * aspect, track.vy) >= WALKING * (track.box[3] - track.box[1])


def _has_gone(track: Track | None, zone: Sequence[Point], aspect: float) -> bool:
    """Say whether a lost track was walking, or had left by the picture's edge."""
    if track is None:
        return False
    x1, _, x2, y2 = track.box
    at_edge = x1 < EDGE or max(x2, y2) > 1 - EDGE
    return _is_walking(track, aspect) or (at_edge and not encloses(zone, _foot(track.box)))


def _off(one: Presence, track: Track, aspect: float) -> float:
    """Return how far a new track begins from where a lost one may be, as share of its reach."""
    high, new_high = one.box[3] - one.box[1], track.box[3] - track.box[1]
    if not 0.5 <= new_high / max(high, 1e-6) <= 2:
        return inf
    places = [_foot(one.box)]
    if one.track is not None:
        if one.track.aside != track.aside:
            return inf
        on_s = min(one.absent_s, WALKS_ON_S)
        places = [_foot(one.track.box), _foot(one.track.expected(one.track.seen_at + on_s))]
    new_x, new_y = _foot(track.box)
    reach = min(FURTHEST, REACH + REACH_PER_S * one.absent_s) * max(high, new_high)
    return min(hypot((new_x - x) * aspect, new_y - y) for x, y in places) / reach
