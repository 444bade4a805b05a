"""Sight under overload: every camera its turn, the newest frame only, and nothing queued."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime

import numpy as np
from waiting import until

from lamppost.agent.sight.loop import Sight
from lamppost.drivers.api import Frame
from lamppost.models.detections import Detections

NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())
ZONES = {"all": [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]}


class Gate:
    """A detector that takes as long as the test wants: one picture for each `let`."""

    def __init__(self) -> None:
        self._turns = threading.Semaphore(0)

    def let(self) -> None:
        self._turns.release()

    def __call__(self, _picture):
        assert self._turns.acquire(timeout=20)
        return NOTHING


def frame(device: str, seq: int) -> Frame:
    # No two pictures alike, or there would be nothing to look into.
    picture = np.random.default_rng(seq).integers(0, 250, (90, 160, 1), np.uint8).repeat(3, axis=2)
    return Frame(device, picture, datetime.now(UTC), seq)


def test_cameras_take_turns_with_their_newest_frames_however_many_come():
    async def run() -> None:
        gate, seen = Gate(), []
        sight = Sight(lambda: gate, lambda scene: seen.append((scene.device, scene.seq)))
        cameras = ["a", "b", "c"]
        for name in cameras:
            sight.add(name, ZONES)
        task = asyncio.create_task(sight.run())
        for turn in range(12):
            # One camera gives ten pictures where the others give one.
            for burst in range(10):
                sight.offer(frame("a", turn * 10 + burst))
            sight.offer(frame("b", turn))
            sight.offer(frame("c", turn))
            gate.let()
            await until(lambda turn=turn: len(seen) > turn, what="a look")
        # What comes next was taken before the last frames: it is not more than one look behind.
        figures = sight.as_json()["cameras"]
        task.cancel()
        gate.let()
        await asyncio.wait({task})
        assert [sum(device == name for device, _ in seen) for name in cameras] == [4, 4, 4]
        assert all(number % 10 == 9 for device, number in seen[3:] if device == "a")
        assert {name: figures[name]["looks"] for name in cameras} == dict.fromkeys(cameras, 4)
        assert figures["a"]["skipped"] > figures["b"]["skipped"] > 0

    asyncio.run(run())


def test_a_camera_that_is_removed_is_looked_at_no_more_and_the_others_go_on():
    async def run() -> None:
        gate, seen = Gate(), []
        sight = Sight(lambda: gate, lambda scene: seen.append(scene.device))
        sight.add("a", ZONES)
        sight.add("b", ZONES)
        task = asyncio.create_task(sight.run())
        sight.offer(frame("a", 1))
        sight.offer(frame("b", 1))
        await asyncio.sleep(0)
        sight.remove("a")
        gate.let()
        gate.let()
        sight.offer(frame("a", 2))
        await until(lambda: seen == ["b"], what="the other camera")
        task.cancel()
        await asyncio.wait({task})

    asyncio.run(run())
