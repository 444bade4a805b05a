"""A threshold rule to feed with values, and to restart as a box would."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from lamppost.agent.event import Event
from lamppost.agent.rules.threshold import Threshold
from lamppost.drivers.api import Quality, Reading

START = datetime(2026, 5, 1, tzinfo=UTC)


def rule(**settings) -> Threshold:
    return Threshold.model_validate({"name": "flood", "device": "gauge", "quantity": "level", **settings})


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def reading(value: object, seconds: float) -> Reading:
    quality = Quality.BAD if value is None else Quality.GOOD
    return Reading("gauge", "level", value, "m", at(seconds), quality)


class Box:
    """A rule that runs, and can be restarted as a box would."""

    def __init__(self, **settings) -> None:
        self.rule = rule(**settings)
        self.state = self.rule.start(None)
        self.events: list[Event] = []

    def feed(self, *values: object, start: float = 0, every_s: float = 1) -> list[Event]:
        """Feed values at even times; return what they made happen."""
        new = []
        for number, value in enumerate(values):
            seconds = start + number * every_s
            new += self.state.step(reading(value, seconds), at(seconds))
        self.events += new
        return new

    def tick(self, seconds: float) -> list[Event]:
        new = list(self.state.tick(at(seconds)))
        self.events += new
        return new

    def restart(self, **changes) -> None:
        self.rule = Threshold.model_validate({**self.rule.model_dump(exclude_unset=True), **changes})
        self.state = self.rule.start(json.loads(json.dumps(self.state.save())))


def told(events: list[Event]) -> list[tuple[str, str, float]]:
    """Return kind, phase and seconds of each."""
    return [(e.kind, e.phase.value, (e.at - START).total_seconds()) for e in events]
