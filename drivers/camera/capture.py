"""The process that reads one camera: ``python -m lamppost.drivers.camera.capture MEMORY PARENT``.

MEMORY is the number of the descriptor of the shared memory, PARENT the process that started it; all else
comes by pipe (see `job`), so that no list of processes shows a password. This process imports OpenCV and
numpy and nothing else of weight. It may hang in a driver or a socket at any time: its parent kills it.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import sys
import threading
import time
from typing import Any, Final

import cv2

from lamppost.drivers.camera.gst import die_with_parent
from lamppost.drivers.camera.job import Job, fitting
from lamppost.drivers.camera.picture import PictureWatch, small_grey
from lamppost.drivers.camera.streams import Stream, StreamError, open_stream

_PICTURE_EVERY_S: Final = 10.0
_MEMORY_EVERY_S: Final = 60.0


class Voice:
    """Speaks to the driver in lines."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def say(self, what: str, **rest: Any) -> None:
        """Write a line. The driver always listens; if it is gone, so is this process."""
        line = json.dumps({"say": what, **rest}).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._fd, line) :]
        except OSError:
            os._exit(0)


def listen(wanted: threading.Event) -> None:
    """Hear the driver ask; its end, however it came about, is the end of this process."""
    while os.read(0, 64):
        wanted.set()
    os._exit(0)


class Reader:
    """Reads a stream and gives a picture whenever the driver wants one."""

    def __init__(self, job: Job, memory: int, voice: Voice, wanted: threading.Event) -> None:
        self._job = job
        self._memory = memory
        self._voice = voice
        self._wanted = wanted
        self._watch = PictureWatch(job.frozen_s, base64.b64decode(job.memory))
        self._corrupt_since: float | None = None
        self._told = -_PICTURE_EVERY_S
        self._kept = time.monotonic()

    def read(self, stream: Stream) -> None:
        """Read for ever. Raises StreamError."""
        stream.grab()
        at = time.time()
        self._voice.say("opened", **stream.info()._asdict())
        for seq in itertools.count():
            if stream.on_demand:
                self._wanted.wait()
            if seq:
                stream.grab()
                at = time.time()
            if self._wanted.is_set():
                self._give(stream.retrieve(), seq, at)

    def _give(self, image: Any, seq: int, at: float) -> None:
        if image is None or image.ndim != 3 or not image.size:
            now = time.monotonic()
            since = self._corrupt_since = self._corrupt_since or now
            self._voice.say("fault", kind="corrupt", detail=f"picture {seq} cannot be decoded")
            if now - since >= self._job.read_timeout_s:
                lasted = f"{self._job.read_timeout_s:g} s"
                raise StreamError("corrupt", f"for {lasted} no picture could be decoded; is it a video?")
            return
        self._corrupt_since = None
        height, width = image.shape[:2]
        size = fitting(width, height, self._job.max_width, self._job.max_height)
        if size != (width, height):
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        self._wanted.clear()  # before the answer: the next wish may follow at once
        self._write(memoryview(image).cast("B"))
        self._voice.say("frame", width=size[0], height=size[1], seq=seq, at=at)
        self._judge(image, at)

    def _write(self, data: memoryview) -> None:
        done = 0
        while done < len(data):
            done += os.pwrite(self._memory, data[done:], done)

    def _judge(self, image: Any, at: float) -> None:
        now = time.monotonic()
        before = self._watch.state
        state = self._watch.look(small_grey(image), now)
        if state != before or now - self._kept >= _MEMORY_EVERY_S:
            self._kept = now  # before the state: who saves what is told saves what belongs to it
            self._voice.say("memory", data=base64.b64encode(self._watch.remember()).decode())
        if state != before or now - self._told >= _PICTURE_EVERY_S:
            self._told = now
            detail, sure = self._watch.why, self._watch.sure
            self._voice.say("picture", state=state, detail=detail, sure=sure, at=at)


def main() -> None:
    """Read the camera until the driver is gone or the stream is at its end."""
    memory, parent = int(sys.argv[1]), int(sys.argv[2])
    die_with_parent()
    if os.getppid() != parent:
        os._exit(0)  # it was gone before it could be watched
    voice = Voice(os.dup(1))
    os.dup2(2, 1)  # what a library prints is no line of ours
    job = Job.read(_first_line())
    cv2.setNumThreads(1)
    wanted = threading.Event()
    voice.say("started")
    try:
        stream = open_stream(job)
        threading.Thread(target=listen, args=(wanted,), daemon=True).start()
        Reader(job, memory, voice, wanted).read(stream)
    except StreamError as error:
        voice.say("error", kind=error.kind, detail=str(error), retry=error.retry)
    except cv2.error as error:
        voice.say("error", kind="corrupt", detail=f"OpenCV: {str(error).strip()[:500]}", retry=True)
    sys.stderr.flush()
    os._exit(0)  # a hung stream would not let itself be closed


def _first_line() -> bytes:
    """Read the job; the driver asks for nothing before the stream is open."""
    line = bytearray()
    while not line.endswith(b"\n"):
        more = os.read(0, 1 << 16)
        if not more:
            os._exit(0)
        line += more
    return bytes(line)


if __name__ == "__main__":
    main()
