"""A recording through the same eye and the same rules as a live camera, as fast as it goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamppost.agent.engine import Raised
from lamppost.agent.event import Event
from lamppost.agent.evidence.album import Album
from lamppost.agent.rules.api import Rule, RuleState, Witness
from lamppost.agent.sight.commission import BY
from lamppost.agent.sight.dry import reference
from lamppost.agent.sight.scene import Eye, Lines, Scene, Zones
from lamppost.agent.sight.water import Light
from lamppost.agent.sight.water_turns import WaterTurns
from lamppost.drivers.api import Frame, Reading

#: Second 0 of a recording. Any day will do that no schedule excludes by itself.
START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
#: What drawing the pictures of an event may take.
DRAWN_S = 30.0


class Seen(NamedTuple):
    """One look of a replay: where in the file, what was seen, and what came of it.

    ``pictures`` are (event id, number, JPEG), ``readings`` what rules counted.
    """

    at_s: float
    scene: Scene
    events: list[Event]
    pictures: list[tuple[str, int, bytes]]
    readings: list[Reading]


def replay(
    pictures: Iterable[tuple[float, Any]],
    *,
    device: str,
    zones: Zones,
    fps: float,
    rules: Sequence[Rule],
    detect: Any,
    start: datetime = START,
    album: Album | None = None,
    lines: Lines | None = None,
    water: WaterTurns | None = None,
    dry_until_s: float = 0.0,
) -> Iterator[Seen]:
    """Look at ``pictures`` (seconds in the file, image HxWx3) ``fps`` times a second of the file's own time.

    ``start`` is the moment that the file's second 0 stands for. With an ``album``, events have evidence.
    The road is dry for certain until ``dry_until_s``.
    """
    look = _Look(Eye(detect, zones, lines), water, dry_until_s)
    states = {rule.name: rule.start(None) for rule in rules}
    due_s: float | None = None
    for seq, (at_s, image) in enumerate(pictures):
        if due_s is not None and at_s < due_s - 1e-3:
            continue
        # Looks keep their pace where the file has pictures for it; after a gap they begin anew.
        due_s = at_s + 1 / fps if due_s is None or at_s > due_s + 1 / fps else due_s + 1 / fps
        at = start + timedelta(seconds=at_s)
        scene = look(Frame(device, image, at, seq), at_s)
        told = [(name, one) for name, state in states.items() for one in state.step(scene, at)]  # type: ignore[arg-type]
        raised = [Raised(name, one) for name, one in told if isinstance(one, Event)]
        readings = [one for _, one in told if isinstance(one, Reading)]
        yield Seen(at_s, scene, *_illustrated(scene, raised, states, album), readings)


class _Look:
    """Looks as live sight does; what is dry by the user's word is learnt from the first look on."""

    def __init__(self, eye: Eye, water: WaterTurns | None, dry_until_s: float) -> None:
        self._eye = eye
        self._water = water
        self._dry_until_s = dry_until_s
        self._maps: dict[Light, list[NDArray[np.uint8]]] = {}

    def __call__(self, frame: Frame, at_s: float) -> Scene:
        if self._water is None:
            return self._eye.look(frame)
        turn = self._water.turn(frame.device, frame.at.timestamp())
        scene = self._eye.look(frame, turn)
        self._water.looked(frame.device, ())
        if turn is None or scene.water is None or at_s >= self._dry_until_s:
            return scene
        maps = self._maps.setdefault(scene.water.light, [])
        maps[:] = [np.max([*maps, scene.water.wet], axis=0)]
        turn.fit.use(scene.water.light, reference(maps, scene, BY, turn.model))
        return dataclasses.replace(scene, water=scene.water._replace(dry=maps[0]))


def _illustrated(
    scene: Scene, raised: Sequence[Raised], states: Mapping[str, RuleState], album: Album | None
) -> tuple[list[Event], list[tuple[str, int, bytes]]]:
    """Return the events as they name their pictures, and the pictures."""
    pictures: list[tuple[str, int, bytes]] = []
    if album is None:
        return [one.event for one in raised], pictures
    events = []
    witnesses = {name: state for name, state in states.items() if isinstance(state, Witness)}
    for _, event, exhibit in album.look(scene, witnesses, raised):
        if exhibit is None:
            events.append(event)
            continue
        exhibit.wait(DRAWN_S)
        told, jpegs = exhibit.complete(event)
        events.append(told)
        pictures += [(event.id, number, jpeg) for number, jpeg in jpegs]
    return events, pictures


def record(event: Event, start: datetime = START) -> dict[str, Any]:
    """Return an event as a line of a replay: seconds in the file, box in 0..1."""
    measures = dict(event.measures)
    box = [measures.pop(side, None) for side in ("x1", "y1", "x2", "y2")]
    line: dict[str, Any] = {
        "at_s": round((event.at - start).total_seconds(), 2),
        "kind": event.kind,
        "phase": event.phase.value,
        "id": event.id,
        "zone": event.zone,
        "since_s": round((event.since - start).total_seconds(), 2),
        "confidence": event.confidence,
        "rule": event.rule,
    }
    if None not in box:
        line["box"] = box
    if event.evidence:
        line["evidence"] = [
            {
                "n": picture.number,
                "moment": picture.moment,
                "at_s": round((picture.at - start).total_seconds(), 2),
                "sha256": picture.sha256,
                "bytes": picture.bytes,
            }
            for picture in event.evidence
        ]
    if event.missing:
        line["missing"] = [{"moment": one.moment, "reason": one.reason} for one in event.missing]
    return line | measures


class Counts:
    """The counters of a replay: a line whenever one goes up."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._last: dict[str, Any] = {}

    def records(self, readings: Iterable[Reading]) -> Iterator[dict[str, Any]]:
        """Yield a line for each counter that is another than before."""
        for reading in readings:
            if reading.unit != "count" or self._last.get(reading.quantity, 0) == reading.value:
                continue
            self._last[reading.quantity] = reading.value
            yield {
                "at_s": round((reading.at - self._start).total_seconds(), 2),
                "kind": "counting",
                "phase": "reading",
                "quantity": reading.quantity,
                "value": reading.value,
            }
