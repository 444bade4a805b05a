"""The driver's side of the process that reads a camera: starts it, asks it, and ends it without asking."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import numpy as np

from lamppost.drivers.camera.job import LONGEST_LINE, NEXT, Job

_MODULE: Final = "lamppost.drivers.camera.capture"
_REAP_S: Final = 2.0
_KEPT_LINES: Final = 40
_LONGEST_PRINTED: Final = 2000


class Ended(Exception):  # noqa: N818 - it is no error of ours
    """The process is gone without a word."""


class Child:
    """A running reader."""

    def __init__(self, process: asyncio.subprocess.Process, memory: int, job: Job) -> None:
        self._process = process
        self._memory = memory
        self._job = job
        self._printed: deque[str] = deque(maxlen=_KEPT_LINES)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def printed(self) -> str:
        """Return the newest lines that its libraries printed. May hold credentials."""
        return "\n".join(self._printed)

    def ask(self) -> None:
        """Want a picture, the newest that comes. What was given before may be overwritten from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write(NEXT)

    async def hear(self, until: float) -> dict[str, Any] | None:
        """Return what it says next, None if it says nothing until then (loop time). Raises Ended."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout_at(until):
                line = await self._process.stdout.readline()
        except TimeoutError:
            return None
        if not line.endswith(b"\n"):
            raise Ended
        message: dict[str, Any] = json.loads(line)
        return message

    def picture(self, width: int, height: int) -> Any:
        """Return a copy of the picture that was just announced: the caller's own."""
        if not (0 < width <= self._job.max_width and 0 < height <= self._job.max_height):
            raise Ended
        image = np.empty((height, width, 3), np.uint8)
        view, done = image.data.cast("B"), 0
        while done < len(view):
            count = os.preadv(self._memory, [view[done:]], done)
            if not count:
                raise Ended
            done += count
        return image

    async def listen(self, on_line: Callable[[str], None]) -> None:
        """Keep what is printed, a line at a time, none of them long."""
        assert self._process.stderr is not None
        rest = ""
        while data := await self._process.stderr.read(4096):
            *lines, rest = (rest + data.decode("utf-8", "replace")).split("\n")
            rest = rest[-_LONGEST_PRINTED:]
            for line in lines:
                if line.strip():
                    self._printed.append(line[:_LONGEST_PRINTED])
                    on_line(line)

    async def last_words(self) -> None:
        """Wait until it is gone and all that it printed was heard."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_REAP_S):
                await self._process.wait()


@asynccontextmanager
async def started(job: Job, on_line: Callable[[str], None]) -> AsyncIterator[Child]:
    """Run a reader; kill it, and all that it started, at the end."""
    memory = os.memfd_create("lamppost-camera", os.MFD_CLOEXEC)
    try:
        process = await _start(job, memory)
        child = Child(process, memory, job)
        listening = asyncio.create_task(child.listen(on_line), name=f"stderr of {process.pid}")
        try:
            assert process.stdin is not None
            process.stdin.write(job.line())
            yield child
        finally:
            await _end(process, listening)
    finally:
        os.close(memory)


async def _start(job: Job, memory: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        _MODULE,
        str(memory),
        str(os.getpid()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=(memory,),
        process_group=0,
        limit=LONGEST_LINE,
        env={
            **os.environ,
            "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp|analyzeduration;500000",
            "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": str(max(1, round(job.read_timeout_s))),
            "OPENCV_IO_MAX_IMAGE_PIXELS": str(64 << 20),
            "OPENBLAS_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
        },
    )


async def _end(process: asyncio.subprocess.Process, listening: asyncio.Task[None]) -> None:
    """Kill the group, wait for the zombie, close the pipes."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    assert process.stdin is not None
    process.stdin.close()
    try:
        with suppress(TimeoutError):  # a process in the kernel's hands dies when the kernel lets it
            async with asyncio.timeout(_REAP_S):
                await process.wait()
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
