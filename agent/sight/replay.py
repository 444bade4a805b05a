"""A recording through the same eye and the same rules as a live camera, as fast as it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from lamppost.agent.event import Event
from lamppost.agent.rules.api import Rule
from lamppost.agent.sight.scene import Eye, Scene, Zones
from lamppost.drivers.api import Frame

#: Second 0 of a recording. Any day will do that no schedule excludes by itself.
START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


class Seen(NamedTuple):
    """One look of a replay: where in the file, what was seen, and what came of it."""

    at_s: float
    scene: Scene
    events: list[Event]


def replay(
    pictures: Iterable[tuple[float, Any]],
    *,
    device: str,
    zones: Zones,
    fps: float,
    rules: Sequence[Rule],
    detect: Any,
    start: datetime = START,
) -> Iterator[Seen]:
    """Look at ``pictures`` (seconds in the file, image HxWx3) ``fps`` times a second of the file's own time.

    ``start`` is the moment that the file's second 0 stands for.
    """
    eye = Eye(detect, zones)
    states = [rule.start(None) for rule in rules]
    due_s: float | None = None
    for seq, (at_s, image) in enumerate(pictures):
        if due_s is not None and at_s < due_s - 1e-3:
            continue
        # Looks keep their pace where the file has pictures for it; after a gap they begin anew.
        due_s = at_s + 1 / fps if due_s is None or at_s > due_s + 1 / fps else due_s + 1 / fps
        at = start + timedelta(seconds=at_s)
        scene = eye.look(Frame(device, image, at, seq))
        events = [event for state in states for event in state.step(scene, at)]  # type: ignore[arg-type]
        yield Seen(at_s, scene, events)


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
    return line | measures
