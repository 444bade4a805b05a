"""Pictures of the cameras for the page: the newest, and those of the last minutes to try zones on.

A running agent shows them (`lamppost.agent.window`), so that no camera is read twice; without one the page
reads the cameras itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from lamppost.agent.config import Config, DeviceConfig
from lamppost.agent.window import EVERY_S, FOLDER, PICTURE, WANT, as_jpeg
from lamppost.drivers.api import DriverError, Frame, HasView, Sample
from lamppost.provisioning.running import last_status, running

#: How long pictures are kept, and in how many bytes for all cameras together.
KEPT_S: Final = 300.0
KEPT_BYTES: Final = 48 << 20
_LOOK_S = 0.2
_TOUCH_S = 2.0
#: Without a picture for so long something is wrong.
LATE_S: Final = 6.0
_AGAIN_S = 2.0


class Picture(NamedTuple):
    """A picture: its number counts from 1 for each camera, ``at`` is unix seconds."""

    number: int
    at: float
    jpeg: bytes


class View:
    """The pictures of one camera."""

    def __init__(self, kept_bytes: int) -> None:
        self._kept_bytes = kept_bytes
        self._pictures: deque[Picture] = deque()
        self._size = 0
        self._count = 0
        self._came = asyncio.Condition()
        self._came_at = time.monotonic()
        #: Why there is none, in words.
        self.problem = ""

    async def add(self, at: float, jpeg: bytes) -> None:
        """Take the newest picture; the oldest go."""
        async with self._came:
            self._count += 1
            self._pictures.append(Picture(self._count, at, jpeg))
            self._size += len(jpeg)
            while self._size > self._kept_bytes or abs(at - self._pictures[0].at) > KEPT_S:
                self._size -= len(self._pictures.popleft().jpeg)
            self.problem = ""
            self._came_at = time.monotonic()
            self._came.notify_all()

    async def after(self, number: int, within_s: float) -> Picture | None:
        """Return the newest picture if it is newer than ``number``; wait for one for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s), self._came:
                # A page that was open before knows a number that was never given here.
                await self._came.wait_for(lambda: self._pictures and self._count != number)
                return self._pictures[-1]
        return None

    def recent(self) -> list[Picture]:
        """Return the pictures of the last minutes, the oldest first."""
        return list(self._pictures)

    @property
    def late(self) -> bool:
        """Whether no picture has come for too long."""
        return time.monotonic() - self._came_at > LATE_S


class Views:
    """The cameras of a configuration; `run` follows them until cancelled."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._views: dict[str, View] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}

    def get(self, name: str) -> View | None:
        """Return the view of a camera."""
        return self._views.get(name)

    async def run(self) -> None:
        """Follow every camera that the configuration has, and those that it gets."""
        try:
            while True:
                self._match()
                await asyncio.sleep(_TOUCH_S / 2)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            for name in self._views:
                with contextlib.suppress(OSError):
                    self._place(name, WANT).unlink()

    def _match(self) -> None:
        cameras = _cameras(self._config())
        wanted = {(name, str(getattr(device.driver, "shown", ""))): name for name, device in cameras.items()}
        for key in self._tasks.keys() - wanted.keys():
            self._tasks.pop(key).cancel()
            self._views.pop(key[0], None)
        for key, name in wanted.items():
            if key not in self._tasks:
                self._views[name] = View(KEPT_BYTES // len(wanted))
                self._tasks[key] = asyncio.create_task(self._follow(name), name=f"view {name}")

    def _place(self, name: str, suffix: str) -> Path:
        return self._config().node.run_dir / FOLDER / f"{name}{suffix}"

    async def _follow(self, name: str) -> None:
        while True:
            view, device = self._views[name], _cameras(self._config()).get(name)
            try:
                if running(self._config().node.run_dir):
                    await self._looked_at(name, view)
                elif device is not None:
                    await self._read(device, view)
            except (DriverError, OSError) as error:
                view.problem = self._config().redact(str(error))
            await asyncio.sleep(_AGAIN_S)

    async def _looked_at(self, name: str, view: View) -> None:
        """Take what the agent shows, while it runs."""
        path, want = self._place(name, PICTURE), self._place(name, WANT)
        touched, last = 0.0, 0
        while True:
            now = time.monotonic()
            if now - touched >= _TOUCH_S:
                run_dir = self._config().node.run_dir
                if not running(run_dir):
                    return
                want.touch()
                touched = now
                if view.late:
                    view.problem = self._config().redact(_reason(last_status(run_dir), name))
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                if found.st_mtime_ns != last:
                    last = found.st_mtime_ns
                    await view.add(found.st_mtime, path.read_bytes())
            await asyncio.sleep(_LOOK_S)

    async def _read(self, device: DeviceConfig, view: View) -> None:
        """Read the camera, until an agent runs. Raises DriverError."""
        newest: asyncio.Queue[Frame] = asyncio.Queue(1)
        run_dir = self._config().node.run_dir
        reading = asyncio.create_task(device.driver.run(_Newest(newest)))
        try:
            while not running(run_dir):
                waiting = asyncio.ensure_future(newest.get())
                done, _ = await asyncio.wait(
                    {reading, waiting}, timeout=_TOUCH_S, return_when=asyncio.FIRST_COMPLETED
                )
                if waiting not in done:
                    waiting.cancel()
                else:
                    frame = waiting.result()
                    await view.add(frame.at.timestamp(), await asyncio.to_thread(as_jpeg, frame.image))
                if reading in done:
                    return reading.result()
                await asyncio.sleep(EVERY_S if waiting in done else 0)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        return None


class _Newest:
    """An emit that keeps the newest picture only."""

    def __init__(self, newest: asyncio.Queue[Frame]) -> None:
        self._newest = newest

    def __call__(self, *samples: Sample) -> None:
        for sample in samples:
            if isinstance(sample, Frame):
                with contextlib.suppress(asyncio.QueueEmpty):
                    self._newest.get_nowait()
                self._newest.put_nowait(sample)

    def fault(self, kind: str, detail: str) -> None:
        """Pictures that are damaged are not shown; the checks tell of them."""


def _cameras(config: Config) -> dict[str, DeviceConfig]:
    return {
        name: device
        for name, device in config.devices.items()
        if device.enabled and isinstance(device.driver, HasView)
    }


def _reason(status: Mapping[str, Any] | None, name: str) -> str:
    device = (status or {}).get("devices", {}).get(name, {})
    return str(device.get("error") or device.get("state") or "the agent does not know this camera yet")
