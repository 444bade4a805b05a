"""What a camera says of the water on a road, over time. Times are unix seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.agent.rules.gauge import Opinion
from lamppost.agent.sight.water import inside

if TYPE_CHECKING:
    from lamppost.agent.rules.waterlogging import Waterlogging
    from lamppost.agent.sight.scene import Scene

#: A pixel's belief follows what is seen with this share of `persist_s` as time constant.
BELIEF = 0.25
#: What is believed must last for this share more: belief itself takes the rest.
LASTS = 0.65
#: Of the road so much must be in sight, not behind vehicles, for the camera to say anything.
VISIBLE = 0.3
#: Without a look for so long nobody knows.
BLIND_S = 60.0
#: Without a dry reference so many times as much water is needed.
WEAKER = 1.5
#: Water does not cover half a dry road at once; rain, snow and a covered lens do: these must last twice.
SUDDEN_SHARE, SUDDEN_S = 0.5, 45.0
#: Boxes are widened by this share of their size, and downwards by more: water mirrors vehicles.
MARGIN, MIRRORED = 0.08, 0.5
HIDING = frozenset({"person", "bicycle", "car", "motorcycle", "bus", "train", "truck"})

Outline = list[list[tuple[float, float]]]


class View:
    """The road of one rule as its camera sees it."""

    def __init__(self, rule: Waterlogging) -> None:
        self._rule = rule
        self._belief: NDArray[np.float32] | None = None
        self._road: NDArray[np.bool_] | None = None
        self._near: NDArray[np.bool_] | None = None
        self._drawn: object = None
        self._looked_at: float | None = None
        self._wet_since: float | None = None
        self._dry_since: float | None = None
        self._low_at: float | None = None
        self._opinion: Opinion = "unknown"
        self._was_bad = False
        self._wet: NDArray[np.bool_] | None = None
        self.bad_picture = ""
        self.share = 0.0
        self.light = "day"
        self.referenced = False
        self.sudden = False
        #: Whether there is much new water where the gauge stands.
        self.at_gauge = False

    @property
    def wet_since(self) -> float | None:
        """Since when there has been enough water to open."""
        return self._wet_since

    @property
    def looked(self) -> bool:
        """Whether there has been a look since the start."""
        return self._looked_at is not None

    @property
    def opinion_held(self) -> Opinion:
        """What it said last, for a restart."""
        return self._opinion

    def look(self, scene: Scene, *, gauge_dry: bool) -> None:
        """Take a scene with water; with ``gauge_dry`` water near the gauge does not count."""
        water, zone = scene.water, scene.zones.get(self._rule.zone)
        self._was_bad |= bool(self.bad_picture)
        if water is None or zone is None or self.bad_picture:
            return
        now = scene.at.timestamp()
        road = self._ground(water.wet.shape, zone)
        visible = road & ~_hidden(scene, water.wet.shape)
        if visible.sum() < VISIBLE * max(1, road.sum()):
            return
        self._leave_out_blindness(now)
        # One half is the threshold: what flickers about it is believed as far as it is wet on average.
        new = np.minimum(water.wet.astype(np.float32) / (2 * water.threshold), 1)
        if water.dry is not None:
            new[water.dry >= water.threshold] = 0
        self.light, self.referenced = water.light, water.dry is not None
        self._believe(new, visible, now)
        assert self._belief is not None
        wet = (self._belief > 0.5) & road
        if self._near is not None:
            near = self._near & road
            self.at_gauge = (
                bool(near.any()) and float((wet & near).sum() / near.sum()) > self._rule.open_share
            )
            if gauge_dry:
                wet &= ~self._near
        self._wet = wet
        self.share = float(wet.sum() / max(1, road.sum()))
        self._looked_at = now
        self._time(now)

    def _leave_out_blindness(self, now: float) -> None:
        """Let the time in which nothing was seen count neither as wet nor as dry."""
        blind_s = 0.0 if self._looked_at is None else now - self._looked_at
        if blind_s <= 0 or not (self._was_bad or blind_s > BLIND_S):
            return
        self._was_bad = False
        if self._wet_since is not None and self._opinion != "wet":
            self._wet_since += blind_s
        if self._dry_since is not None:
            self._dry_since += blind_s

    def _ground(self, shape: tuple[int, ...], zone: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
        if self._road is None or self._drawn != (shape, tuple(map(tuple, zone))):
            height, width = shape[:2]
            self._road, self._drawn = inside(zone, shape), (shape, tuple(map(tuple, zone)))
            self._belief = None
            gauge = self._rule.gauge
            if gauge is not None and gauge.at is not None:
                y, x = np.mgrid[0:height, 0:width]
                # Maps are stretched: distances are of a picture of 16 to 9.
                far = np.hypot(x / width - gauge.at[0], (y / height - gauge.at[1]) * 9 / 16)
                self._near = far <= gauge.reach
        return self._road

    def _believe(self, seen: NDArray[np.float32], visible: NDArray[np.bool_], now: float) -> None:
        """Let each visible pixel's belief follow: what passes by is never believed."""
        if self._belief is None or self._looked_at is None or now < self._looked_at:
            self._belief = np.where(visible, seen, 0).astype(np.float32)
            return
        tau = max(0.5, BELIEF * self._rule.persist_s)
        follow = 1 - math.exp(-min(now - self._looked_at, 10.0) / tau)
        self._belief += np.where(visible, (seen - self._belief) * follow, 0).astype(np.float32)

    def _time(self, now: float) -> None:
        """Remember since when there is enough water, and since when next to none."""
        rule = self._rule
        needed = rule.open_share * (1.0 if self.referenced else WEAKER)
        if self.share <= rule.close_share:
            self._low_at = now
        if self.share >= needed:
            if self._wet_since is None:
                self._wet_since, self.sudden = now, False
            if self.share >= SUDDEN_SHARE and self._low_at is not None and now - self._low_at < SUDDEN_S:
                self.sudden = True
        elif self._opinion != "wet" or self.share <= rule.close_share:
            self._wet_since = None
        if self.share > rule.close_share:
            self._dry_since = None
        elif self._dry_since is None:
            self._dry_since = now
        self._conclude(now)

    def _conclude(self, now: float) -> None:
        lasts_s = self._rule.persist_s * (2.0 if self.sudden else 1.0) * LASTS
        if self._wet_since is not None and now - self._wet_since >= lasts_s:
            self._opinion = "wet"
        elif self._dry_since is not None and now - self._dry_since >= self._rule.clear_s:
            self._opinion = "dry"
        elif self._opinion == "unknown" and self._wet_since is None:
            self._opinion = "dry"  # at the beginning there is nothing to wait for

    def opinion(self, now: float) -> Opinion:
        """Return what the camera says now."""
        if self.bad_picture or self._looked_at is None or now - self._looked_at > BLIND_S:
            return "unknown"
        return self._opinion

    def outline(self) -> Outline:
        """Return the new water as polygons in 0..1, the largest first, simplified."""
        if self._wet is None:
            return []
        wet = self._wet.astype(np.uint8)
        height, width = wet.shape
        found, _ = cv2.findContours(wet, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        largest = sorted(found, key=cv2.contourArea, reverse=True)[:6]
        outlines = [cv2.approxPolyDP(one, 1.0, True)[:, 0] for one in largest if cv2.contourArea(one) >= 12]
        return [[(float(x / width), float(y / height)) for x, y in one] for one in outlines if len(one) >= 3]

    def said(self, opinion: Opinion, wet_since: float | None) -> None:
        """Take back what it said before a restart."""
        self._opinion, self._wet_since = opinion, wet_since

    def shift(self, seconds: float) -> None:
        """Move every remembered time with the clock."""
        for name in ("_looked_at", "_wet_since", "_dry_since", "_low_at"):
            at = getattr(self, name)
            setattr(self, name, None if at is None else at + seconds)


def _hidden(scene: Scene, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return where vehicles and people stand before the road, or are mirrored by it."""
    height, width = shape[:2]
    hidden = np.zeros((height, width), np.bool_)
    found = scene.detections
    for (x1, y1, x2, y2), label in zip(found.boxes.tolist(), found.labels, strict=True):
        if label not in HIDING:
            continue
        w, h = x2 - x1, y2 - y1
        left, right = x1 - MARGIN * w, x2 + MARGIN * w
        top, bottom = y1 - MARGIN * h, y2 + MIRRORED * h
        rows = slice(max(0, math.floor(top * height)), max(0, math.ceil(bottom * height)))
        hidden[rows, max(0, math.floor(left * width)) : max(0, math.ceil(right * width))] = True
    return hidden
