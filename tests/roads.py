"""A toy street for tests of stays and parking: textured cars on a textured road, boxes with jitter."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from lamppost.agent.rules.parking import Parking
from lamppost.agent.sight.scene import Scene
from lamppost.models.detections import Detections
from lamppost.models.view import Shift

WIDTH, HEIGHT = 320, 180
START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
WHOLE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]


def texture(seed: int, height: int, width: int, low: int, high: int) -> np.ndarray:
    rough = np.random.default_rng(seed).uniform(low, high, (max(2, height // 6), max(2, width // 6)))
    return cv2.resize(rough.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)


@dataclass
class Car:
    """A car: where (middle x, lower edge y in 0..1), how big, which texture, how sure the detector is."""

    x: float
    y: float = 0.7
    width: float = 0.2
    height: float = 0.18
    look: int = 1
    score: float = 0.7
    label: str = "car"

    @property
    def box(self) -> np.ndarray:
        return np.array(
            [self.x - self.width / 2, self.y - self.height, self.x + self.width / 2, self.y], np.float32
        )


class Street:
    """Makes scenes. ``jitter`` is the detector's, as share of the picture."""

    def __init__(self, seed: int = 0, jitter: float = 0.004) -> None:
        self._rng = np.random.default_rng(seed)
        self._road = texture(1000 + seed, HEIGHT, WIDTH, 60, 140)
        self._jitter = jitter
        self._seq = 0

    def scene(
        self, at_s: float, cars: list[Car], *, seen: bool | list[bool] = True, light: float = 1.0
    ) -> Scene:
        """Return what a camera sees at ``at_s`` seconds; cars further down the list are nearer."""
        picture = self._road.copy()
        for car in cars:
            x1, y1, x2, y2 = (car.box * [WIDTH, HEIGHT, WIDTH, HEIGHT]).round().astype(int)
            body = texture(car.look, y2 - y1, x2 - x1, 10, 240)
            a, b, c, d = max(0, x1), min(WIDTH, x2), max(0, y1), min(HEIGHT, y2)
            if a < b and c < d:
                picture[c:d, a:b] = body[c - y1 : d - y1, a - x1 : b - x1]
        grey = np.clip(picture * light + self._rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
        shown = [seen] * len(cars) if isinstance(seen, bool) else seen
        found = sorted((c for c, s in zip(cars, shown, strict=True) if s), key=lambda c: -c.score)
        boxes = np.array([c.box + self._rng.normal(0, self._jitter, 4) for c in found], np.float32).reshape(
            -1, 4
        )
        scores = np.array([c.score + self._rng.normal(0, 0.02) for c in found], np.float32)
        self._seq += 1
        detections = Detections(boxes, scores, tuple(c.label for c in found))
        return Scene(
            "kerb", START + timedelta(seconds=at_s), self._seq, grey, grey, detections,
            {"all": WHOLE, "left": [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]}, Shift(0.0, 0.0, 1.0),
        )  # fmt: skip


class Watch:
    """A parking rule on a street; what it told, as (second, phase)."""

    def __init__(self, street: Street, **settings: object) -> None:
        self.rule = Parking(**{"name": "r", "camera": "kerb", "zone": "all", "dwell_s": 20.0, **settings})
        self.state = self.rule.start(None)
        self.street = street
        self.events = []
        self.now_s = 0.0

    def pass_time(self, seconds: float, cars, *, fps: float = 2.0, **how) -> None:
        """Let time pass; ``cars`` is a list, or a function of the second that returns one."""
        end = self.now_s + seconds
        while self.now_s < end - 1e-6:
            now = list(cars(self.now_s)) if callable(cars) else cars
            options = {k: v(self.now_s) if callable(v) else v for k, v in how.items()}
            scene = self.street.scene(self.now_s, now, **options)
            self.events += self.state.step(scene, scene.at)
            self.now_s = round(self.now_s + 1 / fps, 3)

    def restart(self, away_s: float) -> None:
        """End the agent and start it again: only what JSON can hold survives."""
        saved = json.loads(json.dumps(self.state.save()))
        self.state = self.rule.start(saved)
        self.now_s += away_s

    @property
    def told(self) -> list[tuple[float, str]]:
        return [((e.at - START).total_seconds(), e.phase.value) for e in self.events]

    def since(self) -> list[float]:
        return [(e.since - START).total_seconds() for e in self.events if e.phase.value == "open"]
