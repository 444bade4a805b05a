"""What a counting rule remembers: who is on the way, and how many have crossed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lamppost.agent.rules.api import Json
from lamppost.agent.sight.scene import Scene
from lamppost.drivers.api import Quality, Reading
from lamppost.models.crossing import Gate
from lamppost.models.tracks import WEAK, Tracks

if TYPE_CHECKING:
    from lamppost.agent.rules.counting import Counting

#: A pause between two looks is watched up to this long.
LONGEST_STEP_S = 2.0
#: A flow needs this share of its interval watched; from the second on nothing was missed.
WATCHED, ALL = 0.5, 0.9


class CountingState:
    """Pure: looks at scenes, counts. Totals go on through restarts; who is just crossing does not."""

    def __init__(self, rule: Counting) -> None:
        self._rule = rule
        self._tracks = Tracks(sure=rule.min_score)
        self._line: Any = None
        self._gate: Gate | None = None
        self._totals: list[dict[str, int]] = [dict.fromkeys(rule.classes, 0) for _ in rule.directions]
        self._before = [dict(totals) for totals in self._totals]
        self._interval: int | None = None
        self._looked_at: float | None = None
        self._watched_s = 0.0

    def step(self, sample: Any, now: datetime) -> list[Reading]:
        """Take one scene; return the counters that went up, and what an ended interval brought."""
        if not isinstance(sample, Scene):
            return []  # readings of the camera, our own among them
        told = self.tick(now)
        at = sample.at.timestamp()
        if self._looked_at is not None:
            self._watched_s += min(max(0.0, at - self._looked_at), LONGEST_STEP_S)
        self._looked_at = at
        gate = self._gate_of(sample)
        if gate is None:
            return told
        found = sample.detections
        mine = [
            label in self._rule.classes and score >= WEAK
            for label, score in zip(found.labels, found.scores, strict=True)
        ]
        keep = np.array(mine, bool)
        labels = [label for label, wanted in zip(found.labels, mine, strict=True) if wanted]
        seen, ended = self._tracks.update(at, found.boxes[keep], found.scores[keep], labels)
        for crossing in gate.look(at, seen, ended):
            direction, label = 0 if crossing.forward else 1, crossing.track.label
            self._totals[direction][label] += 1
            told.append(self._counter(direction, label, sample.at))
        return told

    def tick(self, now: datetime) -> list[Reading]:
        """Return all counters and flows at the end of an interval, and the counters at the beginning."""
        interval = int(now.timestamp() // self._rule.every_s)
        if interval == self._interval:
            return []
        known, self._interval = self._interval is not None, interval
        at = datetime.fromtimestamp(interval * self._rule.every_s, UTC) if known else now
        readings = list(self._all(at, flows=known))
        self._before = [dict(totals) for totals in self._totals]
        self._watched_s = 0.0
        return readings

    def _all(self, at: datetime, *, flows: bool) -> Iterator[Reading]:
        for direction, totals in enumerate(self._totals):
            for label in totals:
                yield self._counter(direction, label, at)
                if flows:
                    yield self._flow(direction, label, at)

    def _counter(self, direction: int, label: str, at: datetime) -> Reading:
        count = self._totals[direction][label]
        return Reading(self._rule.camera, self._name(direction, label), count, "count", at)

    def _flow(self, direction: int, label: str, at: datetime) -> Reading:
        """Return how many crossed a minute; bad where the camera was hardly looked at."""
        name = f"{self._name(direction, label)}.flow"
        every_s, watched_s = self._rule.every_s, self._watched_s
        if watched_s < WATCHED * every_s:
            return Reading(self._rule.camera, name, None, "1/min", at, Quality.BAD)
        count = self._totals[direction][label] - self._before[direction][label]
        per_min = round(60 * count / (every_s if watched_s >= ALL * every_s else watched_s), 2)
        return Reading(self._rule.camera, name, per_min, "1/min", at)

    def _name(self, direction: int, label: str) -> str:
        return f"{self._rule.name}.{self._rule.directions[direction]}.{label.replace(' ', '_')}"

    def _gate_of(self, scene: Scene) -> Gate | None:
        line = scene.lines.get(self._rule.line)
        if line is not self._line:
            self._line, self._gate = line, None if line is None else Gate(line)
        return self._gate

    def save(self) -> Json:
        """Return the totals as JSON values."""
        return {"of": [self._rule.camera, self._rule.line], "totals": self._totals}

    def restore(self, saved: Json) -> None:
        """Go on with the totals of the same line. Raises as `Counting.start` expects if they are none."""
        if saved["of"] != [self._rule.camera, self._rule.line]:
            return
        for totals, known in zip(self._totals, saved["totals"], strict=True):
            totals.update({label: int(known[label]) for label in totals if label in known})
        self._before = [dict(totals) for totals in self._totals]

    def shift(self, seconds: float) -> None:
        """Move every remembered time with the clock; the interval begins anew."""
        self._tracks.shift(seconds)
        self._interval = None
        if self._looked_at is not None:
            self._looked_at += seconds
        if self._gate is not None:
            self._gate.shift(seconds)
