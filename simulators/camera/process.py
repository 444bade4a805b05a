"""The simulated camera in a process of its own, so that drawing delays nobody."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Self

from lamppost.simulators.camera.settings import CameraSettings
from lamppost.simulators.child import Child, ChildError

#: Starting Python, OpenCV and reading the pictures, on a busy machine.
_START_S = 60.0
_ANSWER_S = 20.0


class CameraError(Exception):
    """A simulated camera did not start, or was told something that it cannot do."""


class CameraProcess:
    """A camera. As an async context manager it serves ``url``; its messages go to ``log``.

    With ``speed`` all before it happens so much faster.
    """

    def __init__(self, settings: CameraSettings, log: Path, *, speed: float = 1.0) -> None:
        self.settings = settings
        self.url = ""
        command = [sys.executable, "-m", "lamppost.simulators.camera", settings.model_dump_json(), str(speed)]
        self._child = Child(command, log, spoken=True)
        self._one_at_a_time = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self._child.start()
        try:
            self.url = await self._first_words()
        except BaseException:
            await self._child.end()
            raise
        return self

    async def _first_words(self) -> str:
        said = await self._child.hear(_START_S)
        if not said.startswith("serving "):
            raise CameraError(f"the simulated camera did not start: {self._child.logged(800).strip()}")
        return said.removeprefix("serving ")

    async def __aexit__(self, *_: object) -> None:
        await self._child.end()

    async def tell(self, *words: object) -> str:
        """Give a command of `standalone` and return the answer. Raises CameraError."""
        async with self._one_at_a_time:
            try:
                await self._child.say(" ".join(map(str, words)))
                answer = await self._child.hear(_ANSWER_S)
            except (ChildError, ConnectionError) as error:
                raise CameraError(f"the simulated camera does not answer: {error}") from None
        if answer.endswith("; type help for the commands"):
            raise CameraError(answer.partition("; type help")[0])
        return answer
