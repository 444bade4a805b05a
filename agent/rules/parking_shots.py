"""Which pictures a parking rule asks for: of vehicles in its zone, in full view, when each moment is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lamppost.agent.event import Event
from lamppost.agent.rules.api import Moment, Shot
from lamppost.agent.rules.witness import moment_due
from lamppost.models.geometry import Floats, in_polygon, iou_matrix
from lamppost.models.stay import SAME, STILL, Stay

if TYPE_CHECKING:
    from lamppost.agent.rules.parking import Parking

#: Where the wheels stand: so far above the lower edge of the box, as share of its height. The edge itself
#: is the nearest tyre; the middle of the footprint lies behind it in an oblique view.
CONTACT = 0.18
#: A picture that there was no room for is asked for again after so long.
ASK_AGAIN_S = 2.0


class ParkingShots:
    """The shots of one look. Pure; times are unix seconds. What it remembers only spares it work."""

    def __init__(self, rule: Parking) -> None:
        self._rule = rule
        self._asked: dict[int, tuple[float, Moment, float]] = {}
        self.all: list[Shot] = []

    def begin(self) -> None:
        """Begin another look."""
        self.all = []

    def alarm(self, stay: Stay, event: Event, now: float) -> None:
        """Ask for the picture of an event that was just opened."""
        hidden = is_hidden(stay, now) and stay.look < SAME
        self.all.append(self._shot(stay, "alarm", event.since, event.id, hidden=hidden))

    def look(self, stays: Sequence[tuple[Stay, float]], zone: Any, at: datetime) -> None:
        """Ask for the pictures due of stays that are not reported; each comes with its allowed seconds."""
        schedule = self._rule.schedule
        begins = None if schedule is None else schedule.began(at)
        if schedule is not None and begins is None:
            return
        due = self._due(stays, at.timestamp(), None if begins is None else begins.timestamp())
        if not due:
            return
        inside = in_polygon(np.array([contact(stay.anchor) for stay, _, _ in due]), zone)
        for (stay, moment, since), within in zip(due, inside, strict=True):
            if within and is_sized(stay, self._rule):
                self.all.append(self._shot(stay, moment, datetime.fromtimestamp(since, UTC)))

    def _due(
        self, stays: Sequence[tuple[Stay, float]], now: float, begins: float | None
    ) -> list[tuple[Stay, Moment, float]]:
        asked, self._asked = self._asked, {}
        due = []
        for stay, allowed_s in stays:
            began = stay.since if begins is None else max(stay.since, begins)
            moment = moment_due(now - began, allowed_s)
            if moment is None:
                continue
            before = asked.get(stay.number)
            if before is not None and before[:2] == (began, moment) and now - before[2] < ASK_AGAIN_S:
                self._asked[stay.number] = before
            elif not is_hidden(stay, now):
                self._asked[stay.number] = (began, moment, now)
                due.append((stay, moment, began))
        return due

    def _shot(
        self, stay: Stay, moment: Moment, since: datetime, event: str = "", *, hidden: bool = False
    ) -> Shot:
        x1, y1, x2, y2 = (float(v) for v in stay.anchor)
        return Shot(str(stay.number), moment, (x1, y1, x2, y2), self._rule.zone, since, event, hidden)


def is_hidden(stay: Stay, now: float) -> bool:
    """Say whether the vehicle was not found at ``now``, or only a part of it."""
    if stay.seen_box_at != now or not stay.recent:
        return True
    return bool(iou_matrix(stay.recent[-1][None], stay.anchor[None])[0, 0] < STILL)


def is_sized(stay: Stay, rule: Parking) -> bool:
    """Say whether a stay's box can be that of a vehicle."""
    return rule.min_height <= float(stay.anchor[3] - stay.anchor[1]) <= rule.max_height


def contact(box: Floats) -> tuple[float, float]:
    """Return where a vehicle's wheels stand: the middle of its footprint, in 0..1."""
    return float(box[0] + box[2]) / 2, float(box[3] - CONTACT * (box[3] - box[1]))
