"""A GStreamer pipeline in a child process: CSI cameras and hardware decoders.

The pip wheel of OpenCV knows no GStreamer. The pipeline's end is added here: planar YUV as YUV4MPEG2,
which says its own size and costs half of what BGR would on the way.
"""

from __future__ import annotations

import ctypes
import fcntl
import math
import os
import select
import shlex
import signal
import subprocess
import time
from typing import Any

import cv2
import numpy as np

from lamppost.drivers.camera.job import Job
from lamppost.drivers.camera.streams import Info, StreamError

_PR_SET_PDEATHSIG = 1
_F_SETPIPE_SZ = 1031
_LONGEST_HEADER = 4096
_libc = ctypes.CDLL(None)


def die_with_parent() -> None:
    """Let the kernel end this process as soon as the thread that started it is gone."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def command(pipeline: str, fps: float) -> list[str]:
    """Return the whole command. Of the pictures nobody wants the most are dropped before the pipe."""
    rate = max(1, math.ceil(3 * fps))
    tail = f"! videorate drop-only=true max-rate={rate} ! videoconvert ! video/x-raw,format=I420 ! y4menc"
    return [
        "gst-launch-1.0",
        "-q",
        *shlex.split(pipeline),
        *tail.split(),
        "!",
        "fdsink",
        "fd=1",
        "sync=false",
    ]


def read_header(line: bytes) -> tuple[int, int, float]:
    """Return width, height and frames per second of a YUV4MPEG2 header. Raises ValueError."""
    words = line.decode("ascii", "replace").split()
    if not words or words[0] != "YUV4MPEG2":
        raise ValueError("the pipeline does not deliver raw video")
    found = {word[0]: word[1:] for word in words[1:]}
    width, height = int(found["W"]), int(found["H"])
    above, _, below = found.get("F", "0:1").partition(":")
    if not (0 < width <= 16384 and 0 < height <= 16384) or width % 2 or height % 2:
        raise ValueError(f"a picture of {width}x{height}: width and height must be even, up to 16384")
    return width, height, int(above) / (int(below) or 1)


class Pipeline:
    """A running pipeline."""

    on_demand = False

    def __init__(self, job: Job) -> None:
        self._read_timeout_s = job.read_timeout_s
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the configuration is trusted to run it
                command(job.address, job.fps),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has no other thread yet
                bufsize=0,
            )
        except FileNotFoundError:
            advice = "apt-get install gstreamer1.0-tools"
            raise StreamError("refused", f"gst-launch-1.0 is not installed: {advice}", retry=False) from None
        assert self._process.stdout is not None
        self._fd = self._process.stdout.fileno()
        self._rest = bytearray()
        try:
            header = self._line(time.monotonic() + job.open_timeout_s)
            self._width, self._height, self._fps = read_header(header)
        except (ValueError, KeyError) as error:
            self.close()
            raise StreamError("refused", str(error), retry=False) from None
        self._planes = np.empty((self._height * 3 // 2, self._width), np.uint8)
        self._widen()

    def _widen(self) -> None:
        """Take a wider pipe: fewer wake-ups per picture."""
        try:
            fcntl.fcntl(self._fd, _F_SETPIPE_SZ, 1 << 20)
        except OSError:
            return  # more than the limit of an unprivileged user; works without

    def _wait(self, deadline: float) -> None:
        left_s = max(0.0, deadline - time.monotonic())
        if not select.select([self._fd], [], [], left_s)[0]:
            raise StreamError("stall", f"no picture for {self._read_timeout_s:g} s")

    def _ended(self) -> StreamError:
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            code = 0
        if code == 0:
            return StreamError("end", "the pipeline ended")
        return StreamError("open", f"gst-launch-1.0 ended with code {code}")

    def _line(self, deadline: float) -> bytes:
        while (end := self._rest.find(b"\n")) < 0:
            if len(self._rest) > _LONGEST_HEADER:
                raise ValueError("the pipeline does not deliver raw video")
            self._wait(deadline)
            more = os.read(self._fd, 256 if self._rest else 16)
            if not more:
                raise self._ended()
            self._rest += more
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return line

    def grab(self) -> None:
        """Read one picture. Raises StreamError."""
        deadline = time.monotonic() + self._read_timeout_s
        try:
            marker = self._line(deadline)
        except ValueError as error:
            raise StreamError("corrupt", str(error)) from None
        if not marker.startswith(b"FRAME"):
            raise StreamError("corrupt", "the pipeline lost its step")
        view = self._planes.data.cast("B")
        done = min(len(self._rest), len(view))
        view[:done] = self._rest[:done]
        del self._rest[:done]
        while done < len(view):
            self._wait(deadline)
            count = os.readv(self._fd, [view[done:]])
            if not count:
                raise self._ended()
            done += count

    def retrieve(self) -> Any:
        """Return the picture."""
        return cv2.cvtColor(self._planes, cv2.COLOR_YUV2BGR_I420)

    def info(self) -> Info:
        """Return what the pipeline says of itself."""
        return Info(self._width, self._height, self._fps, "raw")

    def close(self) -> None:
        """End the pipeline."""
        self._process.kill()
        self._process.wait()
