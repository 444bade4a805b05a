"""Cameras for tests: an MJPEG server with faults, videos of known content, and what a driver emits."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
from contextlib import asynccontextmanager
from pathlib import Path

import cv2
import numpy as np
from driving import Emitted
from waiting import until

from lamppost.drivers.api import DriverError, Frame, Reading
from lamppost.drivers.camera import Camera


def picture(number, width=320, height=180):
    """Return a street-like picture that says its number: a block of that brightness at the top left."""
    rng = np.random.default_rng(7)
    image = cv2.resize(
        rng.integers(40, 200, (18, 32, 3), np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
    )
    noise = np.random.default_rng(number).integers(0, 12, image.shape, np.uint8)
    image = cv2.add(image, noise)
    image[:40, :40] = (number * 8) % 256
    return image


def jpeg(image):
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def number_of(image):
    """Return the number of a `picture` below 32."""
    return round(float(image[8:32, 8:32].mean()) / 8)


def write_video(path: Path, pictures, fps=10.0, code="mp4v"):
    pictures = list(pictures)
    height, width = pictures[0].shape[:2]
    out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), fps, (width, height))
    assert out.isOpened()
    for image in pictures:
        out.write(image)
    out.release()
    return path


class MjpegServer:
    """An HTTP camera. ``mode`` is looked at before each picture and each request."""

    def __init__(self):
        self.mode = "ok"
        self.fps = 25.0
        self.port = 0
        self.login = None
        self.head = "multipart/x-mixed-replace; boundary=frame"
        self.lengths = True
        self.sent = 0
        self.pictures = [jpeg(picture(n)) for n in range(32)]
        self.requests = 0
        self.open = set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/video"

    async def _serve(self, reader, writer):
        self.open.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests += 1
            await self._answer(request, writer)
        self.open.discard(writer)
        writer.close()

    async def _answer(self, request, writer):
        if self.login and f"Basic {base64.b64encode(self.login.encode()).decode()}" not in request:
            writer.write(
                b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="c"\r\nContent-Length: 0\r\n\r\n'
            )
        elif self.mode == "missing":
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        elif self.mode == "html":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>")
        elif self.mode == "silent":
            await writer.wait_closed()
        elif self.mode == "snapshot":
            data = self.pictures[self.requests % 32]
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data)
                + data
            )
        else:
            writer.write(f"HTTP/1.0 200 OK\r\nContent-Type: {self.head}\r\n\r\n".encode())
            await self._stream(writer)
        await writer.drain()

    async def _stream(self, writer):
        loop = asyncio.get_running_loop()
        begun, first = loop.time(), self.sent
        while self.mode != "close":
            if self.mode == "stall":
                await asyncio.sleep(0.05)
                continue
            data = self.pictures[self.sent % len(self.pictures)]
            if self.mode == "garbage":
                data = os.urandom(5000)
            if self.mode == "cut":
                data = data[: len(data) // 2]
            if self.mode == "huge":
                writer.write(b"--frame\r\nContent-Length: 3000000000\r\n\r\n" + os.urandom(100000))
                await writer.drain()
                continue
            length = f"Content-Length: {len(data)}\r\n" if self.lengths else ""
            writer.write(f"--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n".encode() + data + b"\r\n")
            await writer.drain()
            self.sent += 1
            await asyncio.sleep(max(0.0, begun + (self.sent - first) / self.fps - loop.time()))


@asynccontextmanager
async def mjpeg_server(**settings):
    camera = MjpegServer()
    for key, value in settings.items():
        setattr(camera, key, value)
    server = await asyncio.start_server(camera._serve, "127.0.0.1", 0)
    camera.port = server.sockets[0].getsockname()[1]
    try:
        yield camera
    finally:
        server.close()
        camera.mode = "close"
        for writer in list(camera.open):
            writer.transport.abort()
        await until(lambda: not camera.open)


def camera(source, **settings):
    return Camera(
        name="cam",
        source=str(source),
        **{"open_timeout_s": 5.0, "read_timeout_s": 1.0, "fps": 20.0, **settings},
    )


class Seen(Emitted):
    """What a camera emitted, by kind."""

    @property
    def samples(self):
        return [sample for poll in self.polls for sample in poll]

    @property
    def frames(self):
        return [sample for sample in self.samples if isinstance(sample, Frame)]

    @property
    def states(self):
        readings = [sample for sample in self.samples if isinstance(sample, Reading)]
        return [reading.value for reading in readings if reading.quantity == "picture"]


@asynccontextmanager
async def watching(driver):
    seen = Seen()
    task = asyncio.create_task(driver.run(seen))
    seen.task = task
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.wait({task})


async def failure(driver, within_s=20.0):
    """Run a driver until it fails; return what it said and what it emitted."""
    async with watching(driver) as seen:
        await asyncio.wait({seen.task}, timeout=within_s)
        assert seen.task.done(), "the driver did not fail"
        error = seen.task.exception()
        assert isinstance(error, DriverError)
        return error, seen


def children(pid=None):
    """Return the processes that a process has started, by number; zombies too."""
    own = pid or os.getpid()
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == own:
                found.append(int(stat.parent.name))
    return found


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))
