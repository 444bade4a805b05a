"""The simulated camera itself: a scene, a lens and an HTTP port, at a steady pace."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Self

from lamppost.simulators.camera.faults import CameraFault
from lamppost.simulators.camera.lens import Lens
from lamppost.simulators.camera.mjpeg import MjpegServer
from lamppost.simulators.camera.scene import Scene
from lamppost.simulators.camera.settings import CameraSettings
from lamppost.simulators.street.compose import Seen


class Camera:
    """Serves the simulated street. As an async context manager it runs. Raises LookupError, OSError."""

    def __init__(
        self, settings: CameraSettings, host: str = "127.0.0.1", port: int = 0, *, speed: float = 1.0
    ) -> None:
        login = None if settings.username is None else (settings.username, settings.password or "")
        self.settings = settings
        self.scene = Scene(settings, speed)
        self.server = MjpegServer(host, port, login=login)
        self.faults: dict[CameraFault, float] = {}
        self.seen: tuple[Seen, ...] = ()
        self._lens = Lens()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.server.open()
        self._task = asyncio.create_task(self._run(), name="camera")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        await self.server.close()

    @property
    def url(self) -> str:
        """Where its pictures are; the login is not in it."""
        return f"http://{self.server.host}:{self.server.port}/stream"

    def check(self) -> None:
        """Raise what ended the pictures, if anything has."""
        if self._task is not None and self._task.done():
            self._task.result()

    async def fail(self, fault: CameraFault, number: float = 0.0) -> None:
        """Let something go wrong, besides what is wrong already."""
        self.faults[fault] = number
        await self._apply()

    async def mend(self) -> None:
        """End all faults. Raises OSError if the port is taken meanwhile."""
        self.faults.clear()
        await self._apply()

    async def _apply(self) -> None:
        server = self.server
        server.wrong_type = CameraFault.WRONG_TYPE in self.faults
        server.refused = CameraFault.REFUSE in self.faults
        server.stall(CameraFault.STALL in self.faults)
        await (server.close() if CameraFault.CLOSE in self.faults else server.open())

    async def _run(self) -> None:
        loop_time, interval = time.monotonic, 1 / self.settings.fps
        last = due = loop_time()
        while True:
            now = loop_time()
            self.scene.advance(now - last)
            last = now
            if self.server.clients:
                picture = self.scene.picture()
                self.seen = picture.vehicles
                await self.server.publish(self._lens.jpeg(picture.image, self.faults))
            due = max(due + interval, loop_time())
            await asyncio.sleep(due - loop_time())
