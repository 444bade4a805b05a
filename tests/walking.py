"""Scenes without pictures, for rules that go by boxes alone: things that walk, stand and are missed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from lamppost.agent.event import Event
from lamppost.agent.sight.scene import Scene
from lamppost.models.detections import Detections
from lamppost.models.view import Shift

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
ZONES = {"square": [(0.3, 0.3), (0.7, 0.3), (0.7, 0.9), (0.3, 0.9)]}
LINES = {"gate": [(0.2, 0.6), (0.8, 0.6)], "door": [(0.5, 0.9), (0.5, 0.3)]}


@dataclass
class Thing:
    """What is seen: middle x and lower edge y in 0..1."""

    x: float
    y: float
    width: float = 0.04
    height: float = 0.16
    label: str = "person"
    score: float = 0.6
    covered: float = 0.0

    @property
    def box(self):
        lower = self.y - self.covered * self.height
        return [self.x - self.width / 2, self.y - self.height, self.x + self.width / 2, lower]


def car(x, y, **how):
    return Thing(x, y, **{"width": 0.16, "height": 0.14, "label": "car", "score": 0.7, **how})


class Walk:
    """A rule and what it told, while time passes."""

    def __init__(self, rule, *, seed=0, jitter=0.004):
        self.rule = rule
        self.state = rule.start(None)
        self.now_s = 0.0
        self.told = []
        self._rng = np.random.default_rng(seed)
        self._jitter = jitter

    def at(self, second):
        return START + timedelta(seconds=second)

    def scene(self, things):
        things = sorted(things, key=lambda thing: -thing.score)
        boxes = np.array([thing.box for thing in things], np.float32).reshape(-1, 4)
        boxes += self._rng.normal(0, self._jitter, boxes.shape).astype(np.float32)
        grey = np.zeros((180, 320), np.uint8)
        found = Detections(
            boxes,
            np.array([thing.score for thing in things], np.float32),
            tuple(thing.label for thing in things),
        )
        return Scene("cam", self.at(self.now_s), 0, grey, grey, found, ZONES, Shift(0.0, 0.0, 1.0), LINES)

    def pass_time(self, seconds, things, *, fps=2.0, missed=0.0):
        """Let time pass; ``things`` is a list or a function of the seconds since; some looks miss a thing."""
        begun, end = self.now_s, self.now_s + seconds
        while self.now_s < end - 1e-6:
            now = list(things(self.now_s - begun)) if callable(things) else things
            scene = self.scene([thing for thing in now if self._rng.random() >= missed])
            self.told += self.state.step(scene, scene.at)
            self.now_s = round(self.now_s + 1 / fps, 4)

    def restart(self, away_s):
        saved = json.loads(json.dumps(self.state.save()))
        self.state = self.rule.start(saved)
        self.now_s += away_s

    @property
    def events(self):
        return [one for one in self.told if isinstance(one, Event)]

    @property
    def phases(self):
        return [(round((one.at - START).total_seconds(), 1), one.phase.value) for one in self.events]
