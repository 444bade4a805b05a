"""What a loitering rule remembers: who is in the zone since when, and what has been told of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lamppost.agent.event import Event, Measure, Phase
from lamppost.agent.rules.api import Json, Moment, Shot
from lamppost.agent.rules.occurrence import Occurrence, restored
from lamppost.agent.rules.witness import moment_due
from lamppost.agent.sight.scene import Scene
from lamppost.models.presence import Presence, Presences
from lamppost.models.tracks import WEAK

if TYPE_CHECKING:
    from lamppost.agent.rules.loitering import Loitering

#: Share of its time in which somebody must have been seen in the zone.
EVIDENCE = 0.3
#: Who has been in the zone for a shorter time walks through it, and is not photographed.
WALKED_THROUGH_S = 20.0


class LoiteringState:
    """Pure: looks at scenes, remembers presences. Times are unix seconds."""

    def __init__(self, rule: Loitering) -> None:
        self._rule = rule
        self._presences = Presences(rule.leave_s, sure=rule.min_score)
        self._open: dict[int, Occurrence] = {}
        self._orphans: list[Occurrence] = []
        self._closed_at: float | None = None
        self._shots: list[Shot] = []

    def step(self, sample: Any, now: datetime) -> list[Event]:
        """Take one scene; return what it makes happen."""
        self._shots = []
        if not isinstance(sample, Scene):
            return []  # readings of the camera
        events = [orphan.close(now) for orphan in self._orphans]
        self._orphans = []
        zone = sample.zones.get(self._rule.zone)
        if zone is None:
            return events
        at = sample.at.timestamp()
        found = sample.detections
        mine = [
            label in self._rule.classes and score >= WEAK
            for label, score in zip(found.labels, found.scores, strict=True)
        ]
        keep = np.array(mine, bool)
        labels = [label for label, wanted in zip(found.labels, mine, strict=True) if wanted]
        height, width = sample.grey.shape
        boxes, scores = found.boxes[keep], found.scores[keep]
        left = self._presences.update(at, boxes, scores, labels, zone, width / height)
        events += [event for one in left if (event := self._close(one)) is not None]
        there = [one for one in self._presences.all if one.there]
        events += [event for one in there if (event := self._judge(one, sample.at)) is not None]
        opened = {event.id for event in events if event.phase is Phase.OPEN}
        for one in there:
            self._ask(one, sample.at, opened)
        return events

    def tick(self, now: datetime) -> Iterable[Event]:
        """Return nothing: without a picture nobody knows."""
        del now
        return ()

    def shots(self) -> Sequence[Shot]:
        """Return the pictures that the last scene should give."""
        return self._shots

    def pending(self) -> Collection[str]:
        """Return who has not been told of."""
        return {str(one.number) for one in self._presences.all if one.number not in self._open}

    def _ask(self, one: Presence, at: datetime, opened: Collection[str]) -> None:
        """Ask for the picture that is due of one who is in sight."""
        rule, occurrence, began = self._rule, self._open.get(one.number), self._began(one, at)
        sized = rule.min_height <= one.box[3] - one.box[1] <= rule.max_height
        if began is None or not sized:
            return
        event = "" if occurrence is None else occurrence.id
        moment: Moment | None = "alarm" if event in opened else None
        if not event:
            moment = moment_due(at.timestamp() - began, rule.dwell_s, WALKED_THROUGH_S)
        if moment is not None:
            since = datetime.fromtimestamp(began, UTC)
            self._shots.append(Shot(str(one.number), moment, one.box, rule.zone, since, event))

    def _judge(self, one: Presence, at: datetime) -> Event | None:
        occurrence = self._open.get(one.number)
        if occurrence is not None:
            event = occurrence.update(at, self._measures(one, at), self._rule.update_s)
            return event and _sure(event, one)
        began = self._began(one, at)
        if began is None or not self._is_loitering(one, at.timestamp(), began):
            return None
        occurrence = self._open[one.number] = self._new(began)
        return _sure(occurrence.open(at, self._measures(one, at)), one)

    def _began(self, one: Presence, at: datetime) -> float | None:
        """Return from when the time counts: the coming, or the schedule's beginning."""
        if self._rule.schedule is None:
            return one.since
        began = self._rule.schedule.began(at)
        return None if began is None else max(one.since, began.timestamp())

    def _is_loitering(self, one: Presence, now: float, began: float) -> bool:
        rule = self._rule
        quiet = self._closed_at is not None and now - self._closed_at < rule.repeat_s
        height = one.box[3] - one.box[1]
        return (
            now - began >= rule.dwell_s
            and one.seen_s >= EVIDENCE * (now - one.since)
            and one.score >= rule.min_score
            and rule.min_height <= height <= rule.max_height
            and not quiet
        )

    def _new(self, began: float) -> Occurrence:
        rule = self._rule
        since = datetime.fromtimestamp(began, UTC)
        return Occurrence(rule.event_kind, rule.name, since, rule.camera, rule.zone, rule.severity)

    def _close(self, one: Presence) -> Event | None:
        occurrence = self._open.pop(one.number, None)
        if occurrence is None:
            return None
        self._closed_at = one.seen_at
        return _sure(occurrence.close(max(datetime.fromtimestamp(one.seen_at, UTC), occurrence.since)), one)

    def _measures(self, one: Presence, at: datetime) -> dict[str, Measure]:
        x1, y1, x2, y2 = (round(min(1.0, max(0.0, side)), 4) for side in one.box)
        dwell_s = round(at.timestamp() - one.since, 1)
        return {"dwell_s": dwell_s, "x1": x1, "y1": y1, "x2": x2, "y2": y2, "label": one.label}

    def save(self) -> Json:
        """Return the state as JSON values."""
        return {
            "of": [self._rule.camera, self._rule.zone],
            "present": [
                {
                    "number": one.number,
                    "since": one.since,
                    "seen_at": one.seen_at,
                    "box": [round(side, 5) for side in one.box],
                    "label": one.label,
                    "seen_s": round(one.seen_s, 2),
                    "scores": [round(score, 3) for score in one.scores],
                }
                for one in self._presences.all
            ],
            "open": {str(number): occurrence.save() for number, occurrence in self._open.items()},
            "closed_at": self._closed_at,
        }

    def restore(self, saved: Json) -> None:
        """Take the state back: who was there has ``leave_s`` to show up. Raises if it is not ours."""
        opened = {int(number): restored(one) for number, one in saved["open"].items()}
        if saved["of"] != [self._rule.camera, self._rule.zone]:
            self._orphans = list(opened.values())
            return
        for one in saved["present"]:
            x1, y1, x2, y2 = (float(side) for side in one["box"])
            presence = Presence(
                int(one["number"]),
                float(one["since"]),
                float(one["seen_at"]),
                (x1, y1, x2, y2),
                str(one["label"]),
            )
            presence.seen_s = float(one["seen_s"])
            presence.scores.extend(float(score) for score in one["scores"])
            self._presences.add(presence)
            if presence.number in opened:
                self._open[presence.number] = opened.pop(presence.number)
        self._orphans = list(opened.values())
        self._closed_at = None if saved["closed_at"] is None else float(saved["closed_at"])

    def shift(self, seconds: float) -> None:
        """Move every remembered time with the clock."""
        self._presences.shift(seconds)
        for occurrence in (*self._open.values(), *self._orphans):
            occurrence.shift(seconds)
        if self._closed_at is not None:
            self._closed_at += seconds


def _sure(event: Event, one: Presence) -> Event:
    return replace(event, confidence=round(min(1.0, one.score), 2))
