"""What the tests of waterlogging share: a toy road whose water is painted, a gauge, a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from lamppost.agent.rules.waterlogging import Waterlogging
from lamppost.agent.sight.scene import Scene
from lamppost.agent.sight.water import Water
from lamppost.drivers.api import Quality, Reading
from lamppost.models.detections import Detections
from lamppost.models.view import Shift

T0 = datetime(2026, 6, 1, 12, tzinfo=UTC)
ROAD = [(0.0, 0.25), (1.0, 0.25), (1.0, 1.0), (0.0, 1.0)]
NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())
DRY = np.zeros((48, 80), np.uint8)
GAUGE = {"device": "gutter", "mounting_height_mm": 2500, "window_s": 5, "at": (0.2, 0.9), "reach": 0.2}


def rule(**settings) -> Waterlogging:
    given = {"name": "water", "camera": "cam", "zone": "road", "persist_s": 20, "clear_s": 60, **settings}
    return Waterlogging.model_validate(given)


def pond(share: float, side: str = "bottom") -> np.ndarray:
    """A map with water on so much of the road, from its bottom or its right."""
    wet = DRY.copy()
    if side == "bottom":
        wet[round(48 - 36 * share) :] = 230
    else:
        wet[12:, round(80 - 80 * share) :] = 230
    return wet


class Street:
    """A running rule, and what it told; `run` lets time pass with two looks a second or fewer."""

    def __init__(self, **settings) -> None:
        self.rule = rule(**settings)
        self.state = self.rule.start(None)
        self.now = T0
        self.events = []
        self.dry = DRY
        self.light = "day"
        self.detections = NOTHING

    def restart(self) -> None:
        self.state = self.rule.start(self.state.save())

    def look(self, wet, seq: int = 0) -> None:
        water = None if wet is None else Water(wet, 128, self.light, self.dry)
        image, grey = np.zeros((90, 160, 3), np.uint8), np.zeros((90, 160), np.uint8)
        scene = Scene(
            "cam", self.now, seq, image, grey, self.detections, {"road": ROAD}, Shift(0, 0, 1), {}, water
        )
        self._tell(self.state.step(scene, self.now))

    def read(self, quantity: str, value, device: str = "gutter", unit: str = "mm") -> None:
        quality = Quality.BAD if value is None else Quality.GOOD
        self._tell(self.state.step(Reading(device, quantity, value, unit, self.now, quality), self.now))

    def run(self, seconds: float, wet=None, level=None, every_s: float = 2.0) -> list:
        """Let it go on so; ``wet`` is a map or a function of the step, ``level`` mm or the like."""
        begin = len(self.events)
        for step in range(round(seconds / every_s)):
            self.now += timedelta(seconds=every_s)
            if wet is not None:
                self.look(wet(step) if callable(wet) else wet)
            if level is not None:
                mm = level(step) if callable(level) else level
                self.read("distance", None if mm is None else 2500 - mm)
            self._tell(self.state.tick(self.now))
        return self.events[begin:]

    def _tell(self, told) -> None:
        self.events += list(told)


def brief(events) -> list:
    return [(e.kind, e.phase.value, e.measures.get("state"), e.measures.get("level")) for e in events]
