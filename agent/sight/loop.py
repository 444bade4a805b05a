"""Looks at the newest frame of the camera that has waited longest, one after the other, off the event loop.

There is no queue: a frame that is not looked at before the next comes is forgotten. When the box cannot
keep up, all cameras are looked at less often, in turn, and the rate shows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lamppost.agent.log import get_logger
from lamppost.drivers.api import Frame

if TYPE_CHECKING:
    from lamppost.agent.sight.scene import Eye, Lines, Scene, Zones
    from lamppost.agent.sight.water_turns import WaterTurns

log = get_logger()

#: A detector that could not be loaded is tried again after so long: somebody may have put it there.
RETRY_S = 60.0
#: Share of the newest look in the running figures.
NEWEST = 0.1


@dataclass
class Looks:
    """Figures of one camera: how many looks, how long one takes, how many frames were passed over."""

    count: int = 0
    skipped: int = 0
    look_s: float = 0.0
    every_s: float = 0.0
    at: float = field(default=float("-inf"))


class Sight:
    """Turns frames into scenes.

    ``deliver`` gets each scene on the event loop; ``recall`` returns a camera's view as it was saved;
    ``water`` says which looks see water, too.
    """

    def __init__(
        self,
        load: Callable[[], Any],
        deliver: Callable[[Scene], None],
        recall: Callable[[str], dict[str, Any] | None] = lambda _: None,
        water: WaterTurns | None = None,
    ) -> None:
        self._load = load
        self._deliver = deliver
        self._recall = recall
        self.water = water
        self._detect: Any = None
        self._zones: dict[str, Zones] = {}
        self._lines: dict[str, Lines] = {}
        self._eyes: dict[str, Eye] = {}
        self._newest: dict[str, Frame] = {}
        self._wake = asyncio.Event()
        #: Figures by camera.
        self.looks: dict[str, Looks] = {}
        #: Why there is no detector; empty if there is one.
        self.problem = ""

    def add(self, device: str, zones: Zones, lines: Lines | None = None) -> None:
        """Begin to look at a camera."""
        self._zones[device] = zones
        self._lines[device] = lines or {}
        self.looks[device] = Looks()

    def remove(self, device: str) -> None:
        """Stop looking at a camera."""
        for known in (self._zones, self._lines, self._eyes, self._newest, self.looks):
            known.pop(device, None)
        if self.water is not None:
            self.water.remove(device)

    def view(self, device: str) -> dict[str, Any] | None:
        """Return a camera's reference view, for ``recall`` after a restart."""
        eye = self._eyes.get(device)
        return None if eye is None else eye.save()

    def offer(self, frame: Frame) -> None:
        """Take a camera's newest frame; the one before it is forgotten."""
        looks = self.looks.get(frame.device)
        if looks is None:
            return
        looks.skipped += frame.device in self._newest
        self._newest[frame.device] = frame
        self._wake.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._detect is None and not await self._ready():
                continue
            while self._newest:
                device = min(self._newest, key=lambda name: self.looks[name].at)
                await self._look(self._newest.pop(device))

    async def _ready(self) -> bool:
        try:
            self._detect = await asyncio.to_thread(self._load)
        except Exception as error:  # noqa: BLE001 - whatever the model does, the rest of the box runs on
            if self.problem != str(error):
                self.problem = str(error)
                log.error("no detector", reason=self.problem)
            self._newest.clear()
            await asyncio.sleep(RETRY_S)
            return False
        self.problem = ""
        return True

    async def _look(self, frame: Frame) -> None:
        from lamppost.agent.sight.scene import Eye  # noqa: PLC0415 - numpy and OpenCV only with a camera

        eye = self._eyes.get(frame.device)
        if eye is None:
            eye = Eye(self._detect, self._zones[frame.device], self._lines[frame.device])
            if (saved := self._recall(frame.device)) is not None:
                eye.restore(saved)
            self._eyes[frame.device] = eye
        began = time.monotonic()
        try:
            scene = await asyncio.to_thread(self._seen, eye, frame, tuple(self._newest))
        except Exception:  # a picture that the detector cannot take must not end the others' sight
            log.exception("look failed", device=frame.device)
            return
        finally:
            if self.water is not None:
                self.water.looked(frame.device, self._newest)
        looks = self.looks.get(frame.device)
        if looks is None:
            return  # the camera was removed meanwhile
        ended = time.monotonic()
        looks.look_s += (ended - began - looks.look_s) * (NEWEST if looks.count else 1)
        if looks.count:
            looks.every_s += (began - looks.at - looks.every_s) * (NEWEST if looks.count > 1 else 1)
        looks.count += 1
        looks.at = began
        self._deliver(scene)

    def _seen(self, eye: Eye, frame: Frame, waiting: Collection[str]) -> Scene:
        """Look; runs on a thread of its own, one at a time."""
        if self.water is None:
            return eye.look(frame)
        return eye.look(frame, self.water.turn(frame.device, frame.at.timestamp(), waiting))

    def as_json(self) -> dict[str, Any]:
        """Return the figures for the status file."""
        return {
            "problem": self.problem,
            "water": self.water.as_json() if self.water is not None and self.water.wanted else None,
            "cameras": {
                name: {
                    "looks": looks.count,
                    "skipped": looks.skipped,
                    "rested": self._eyes[name].rested if name in self._eyes else 0,
                    "look_s": round(looks.look_s, 4),
                    "per_s": round(1 / looks.every_s, 2) if looks.every_s else 0.0,
                }
                for name, looks in self.looks.items()
            },
        }
