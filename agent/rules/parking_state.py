"""What a parking rule remembers: the stays in the camera's view, and which of them are violations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lamppost.agent.event import Event, Phase
from lamppost.agent.rules.api import Json, Shot
from lamppost.agent.rules.occurrence import Occurrence, restored
from lamppost.agent.rules.parking_shots import ParkingShots, contact, is_sized
from lamppost.agent.sight.scene import Scene
from lamppost.models.appearance import likeness
from lamppost.models.geometry import Floats, in_polygon, iou_matrix
from lamppost.models.remembered import restore_stays, save_stays
from lamppost.models.stay import INTERRUPTED_S, SAME, Stay
from lamppost.models.stays import Stays

if TYPE_CHECKING:
    from lamppost.agent.rules.parking import Parking

#: Detections weaker than this are noise; stronger ones keep a stay alive, even below ``min_score``.
LEAST_SCORE = 0.2
OCCLUDER_SCORE = 0.25
#: Share of the dwell in which the stay must have been seen itself: one of a good score, and one below it.
EVIDENCE, GOOD_SCORE, WEAK_EVIDENCE = 0.5, 0.45, 0.6
SAME_PLACE = 0.5
#: How far around the vehicle, as share of its size, a person counts as loading.
AT_VEHICLE = 0.25


@dataclass(slots=True)
class Violation:
    """A stay that has been reported."""

    occurrence: Occurrence
    anchor: Floats
    template: Floats | None
    closed_at: float | None = None


class ParkingState:
    """Pure: looks at scenes, remembers stays. Times are unix seconds."""

    def __init__(self, rule: Parking) -> None:
        self._rule = rule
        self._stays = Stays()
        self._open: dict[int, Violation] = {}
        self._closed: list[Violation] = []
        self._loading: dict[int, float] = {}
        self._orphans: list[Occurrence] = []
        self._shots = ParkingShots(rule)

    def step(self, sample: Any, now: datetime) -> Iterable[Event]:
        """Take one scene; return what it makes happen."""
        self._shots.begin()
        if not isinstance(sample, Scene):
            return ()  # readings of the camera, about its picture
        scene = sample
        at = scene.at.timestamp()
        found = scene.detections
        wanted = np.array([label in self._rule.classes for label in found.labels], bool)
        mine = wanted & (found.scores >= LEAST_SCORE)
        ended = self._stays.update(
            at,
            found.boxes[mine],
            found.scores[mine],
            [label for label, keep in zip(found.labels, mine, strict=True) if keep],
            found.boxes[found.scores >= OCCLUDER_SCORE],
            scene.grey,
        )
        self._note_loading(scene, at)
        events = [orphan.close(now) for orphan in self._orphans]
        self._orphans = []
        events += self._close(ended, scene.at)
        zone = scene.zones.get(self._rule.zone)
        if zone is not None:
            for stay in self._stays.all:
                event = self._judge(stay, zone, scene.at)
                if event is not None:
                    events.append(event)
                    if event.phase is Phase.OPEN:
                        self._shots.alarm(stay, event, at)
            new = [stay for stay in self._stays.all if stay.number not in self._open]
            self._shots.look([(stay, self._allowed_s(stay)) for stay in new], zone, scene.at)
        self._forget(at)
        return events

    def tick(self, now: datetime) -> Iterable[Event]:
        """Return nothing: without a picture nobody knows."""
        del now
        return ()

    def shots(self) -> Sequence[Shot]:
        """Return the pictures that the last scene should give."""
        return self._shots.all

    def pending(self) -> Collection[str]:
        """Return the stays that have not been reported."""
        return {str(stay.number) for stay in self._stays.all if stay.number not in self._open}

    def _judge(self, stay: Stay, zone: Any, at: datetime) -> Event | None:
        rule, now = self._rule, at.timestamp()
        violation = self._open.get(stay.number)
        if violation is not None:
            return self._go_on(violation, stay, at)
        began = self._began(stay, at)
        allowed_s = self._allowed_s(stay)
        if began is None or now - began < allowed_s or not self._is_certain(stay, now, allowed_s):
            return None
        if not is_sized(stay, rule):
            return None
        if not in_polygon(np.array([contact(stay.anchor)]), zone)[0]:
            return None
        again = self._seen_before(stay)
        occurrence = again or self._new(began)
        self._open[stay.number] = Violation(occurrence, stay.anchor, stay.template)
        return None if again else _sure(occurrence.open(at, self._measures(stay, now)), stay)

    def _allowed_s(self, stay: Stay) -> float:
        return self._rule.dwell_s + (self._rule.grace_s if stay.number in self._loading else 0.0)

    def _go_on(self, violation: Violation, stay: Stay, at: datetime) -> Event | None:
        """Follow a vehicle that has been reported."""
        if stay.since > violation.occurrence.since.timestamp() + 1 and self._is_other(stay, violation):
            return self._end(stay.number, at, stay.left_at)
        violation.anchor, violation.template = stay.anchor, stay.template
        if not violation.occurrence.is_due(at, self._rule.update_s):
            return None
        measures = self._measures(stay, at.timestamp())
        event = violation.occurrence.update(at, measures, self._rule.update_s)
        return event and _sure(event, stay)

    def _is_other(self, stay: Stay, violation: Violation) -> bool:
        """Say whether a stay that began anew is another vehicle, or the same one elsewhere."""
        fit = float(iou_matrix(stay.anchor[None], violation.anchor[None])[0, 0])
        return fit < SAME_PLACE or likeness(stay.template, violation.template) < SAME

    def _began(self, stay: Stay, at: datetime) -> float | None:
        """Return from when the vehicle's time counts: its rest, or the schedule's beginning."""
        if self._rule.schedule is None:
            return stay.since
        began = self._rule.schedule.began(at)
        return None if began is None else max(stay.since, began.timestamp())

    def _is_certain(self, stay: Stay, now: float, allowed_s: float) -> bool:
        """Say whether the stay has given evidence of its own, and lately."""
        share = EVIDENCE if stay.score >= GOOD_SCORE else WEAK_EVIDENCE
        return (
            stay.still_s >= share * min(allowed_s, now - stay.since)
            and stay.score >= self._rule.min_score
            and stay.gone_since is None
            and stay.other_since is None
            and not stay.astray
            and now - stay.seen_at < INTERRUPTED_S
        )

    def _new(self, began: float) -> Occurrence:
        rule = self._rule
        return Occurrence(
            "parking.illegal",
            rule.name,
            datetime.fromtimestamp(began, UTC),
            rule.camera,
            rule.zone,
            rule.severity,
        )

    def _seen_before(self, stay: Stay) -> Occurrence | None:
        """Return the violation that this vehicle was reported for a moment ago, in the same place.

        Its event was closed and stays closed; nothing more is told of it.
        """
        for violation in self._closed:
            same_place = float(iou_matrix(stay.anchor[None], violation.anchor[None])[0, 0]) >= SAME_PLACE
            if same_place and likeness(stay.template, violation.template) >= SAME:
                self._closed.remove(violation)
                return violation.occurrence
        return None

    def _close(self, ended: Iterable[Stay], at: datetime) -> list[Event]:
        events = [self._end(stay.number, at, max(stay.seen_at, stay.since)) for stay in ended]
        return [event for event in events if event is not None]

    def _end(self, number: int, at: datetime, left_at: float) -> Event | None:
        violation = self._open.pop(number, None)
        self._loading.pop(number, None)
        if violation is None:
            return None
        already = violation.closed_at is not None
        violation.closed_at = at.timestamp()
        self._closed.append(violation)
        if already:
            return None
        left = datetime.fromtimestamp(left_at, UTC)
        return violation.occurrence.close(max(left, violation.occurrence.since))

    def _forget(self, now: float) -> None:
        self._closed = [v for v in self._closed if now - (v.closed_at or now) <= self._rule.repeat_s]
        known = {stay.number for stay in self._stays.all}
        self._loading = {number: at for number, at in self._loading.items() if number in known}

    def _note_loading(self, scene: Scene, now: float) -> None:
        """Remember which vehicles somebody stands at, for the grace."""
        if not self._rule.grace_s:
            return
        people = [
            b
            for b, label in zip(scene.detections.boxes, scene.detections.labels, strict=True)
            if label == "person"
        ]
        for stay in self._stays.all:
            x1, y1, x2, y2 = stay.anchor
            wide, high = AT_VEHICLE * (x2 - x1), AT_VEHICLE * (y2 - y1)
            for person in people:
                x, y = (person[0] + person[2]) / 2, person[3]
                if x1 - wide <= x <= x2 + wide and y1 <= y <= y2 + high:
                    self._loading[stay.number] = now

    def _measures(self, stay: Stay, now: float) -> dict[str, float | int | bool | str]:
        x1, y1, x2, y2 = (round(float(v), 4) for v in stay.anchor)
        return {
            "dwell_s": round(now - stay.since, 1),
            "x1": x1,
            "y1": y1,
            "x2": x2,
            "y2": y2,
            "label": stay.label,
        }

    def save(self) -> Json:
        """Return the state as JSON values."""
        return {
            "stays": save_stays(self._stays),
            "open": {str(number): violation.occurrence.save() for number, violation in self._open.items()},
        }

    def restore(self, saved: Json) -> None:
        """Take the state back. Raises KeyError, TypeError, ValueError or IndexError if it is not ours."""
        self._stays = restore_stays(saved["stays"])
        known = {stay.number: stay for stay in self._stays.all}
        for text, one in saved["open"].items():
            stay, occurrence = known.get(int(text)), restored(one)
            if stay is None or occurrence.zone != self._rule.zone:
                self._orphans.append(occurrence)
            else:
                self._open[stay.number] = Violation(occurrence, stay.anchor, stay.template)

    def shift(self, seconds: float) -> None:
        """Move every remembered time with the clock."""
        self._stays.shift(seconds)
        for violation in (*self._open.values(), *self._closed):
            violation.occurrence.shift(seconds)
            if violation.closed_at is not None:
                violation.closed_at += seconds
        self._loading = {number: at + seconds for number, at in self._loading.items()}


def _sure(event: Event, stay: Stay) -> Event:
    return replace(event, confidence=round(min(1.0, stay.score), 2))
