"""Streams as the reading process sees them: grab always, retrieve only what is wanted."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2

from lamppost.drivers.camera.job import Job
from lamppost.drivers.camera.source import with_login

#: Failed grabs in a row that are still damage in the stream and not its end.
_MOST_FAILED = 5
#: The same in a recording, which has an end of its own.
_MOST_FAILED_IN_FILE = 1000


class Info(NamedTuple):
    """What a stream says of itself: ``fps`` is 0 where it does not say."""

    width: int
    height: int
    fps: float
    codec: str


class StreamError(Exception):
    """The stream cannot be read on. ``kind``: open, refused, end, stall, corrupt."""

    def __init__(self, kind: str, detail: str, *, retry: bool = True) -> None:
        super().__init__(detail)
        self.kind = kind
        self.retry = retry


class Stream(Protocol):
    """An open stream. ``on_demand``: it waits until a picture is wanted; else it runs by itself."""

    on_demand: bool

    def grab(self) -> None:
        """Wait for the next picture. Raises StreamError."""

    def retrieve(self) -> Any:
        """Return the picture that was grabbed, HxWx3 BGR, or None if it is damaged."""

    def info(self) -> Info:
        """Return what is known after the first grab."""

    def close(self) -> None:
        """Let it go."""


def open_stream(job: Job) -> Stream:
    """Open what the job names. Raises StreamError."""
    if job.kind == "http":
        from lamppost.drivers.camera.mjpeg import open_http  # noqa: PLC0415 - costs 6 MB

        return open_http(job) or Capture(job)
    if job.kind == "gst":
        from lamppost.drivers.camera.gst import Pipeline  # noqa: PLC0415

        return Pipeline(job)
    if job.kind == "file":
        return Recording(job)
    if job.kind == "v4l2":
        _check_device(job.address)
    return Capture(job)


def _check_device(path: str) -> None:
    """Find out what OpenCV would not say."""
    try:
        mode = Path(path).stat().st_mode
        if not stat.S_ISCHR(mode):
            raise StreamError("refused", f"{path} is no video device", retry=False)
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
    except FileNotFoundError:
        raise StreamError("open", f"there is no {path}; is the camera plugged in?") from None
    except PermissionError:
        advice = "add the service's user to the group video"
        raise StreamError("refused", f"{path} may not be opened; {advice}", retry=False) from None
    except OSError as error:
        raise StreamError("open", f"{path}: {error.strerror}") from None


class Capture:
    """A stream that OpenCV reads: RTSP and other network streams by FFmpeg, devices by V4L2."""

    on_demand = False

    def __init__(self, job: Job) -> None:
        self._read_timeout_s = job.read_timeout_s
        begun = time.monotonic()
        if job.kind == "v4l2":
            self._capture = cv2.VideoCapture(job.address, cv2.CAP_V4L2)
        else:
            url = with_login(job.address, job.username, job.password)
            self._capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, _parameters(job, threads=2))
        if not self._capture.isOpened():
            raise _closed(job, job.open_timeout_s - (time.monotonic() - begun))

    def grab(self) -> None:
        """Take the next picture; what takes longer than the time-out is dead, whatever it brings."""
        for _ in range(_MOST_FAILED):
            started = time.monotonic()
            good = self._capture.grab()
            if time.monotonic() - started >= 0.95 * self._read_timeout_s:
                raise StreamError("stall", f"no picture for {self._read_timeout_s:g} s")
            if good:
                return
            time.sleep(0.02)
        raise StreamError("end", "the stream ended")

    def retrieve(self) -> Any:
        """Return the picture that was grabbed."""
        return _retrieve(self._capture)

    def info(self) -> Info:
        """Return what the stream says of itself."""
        return _info(self._capture)

    def close(self) -> None:
        """Close it."""
        self._capture.release()


def _closed(job: Job, left_s: float) -> StreamError:
    """Return why a stream does not open, unless FFmpeg has printed it: the driver looks there first."""
    reason = None
    if job.kind == "rtsp" and left_s > 0.1:
        from lamppost.drivers.camera.rtsp import diagnose  # noqa: PLC0415 - only where it fails

        reason = diagnose(job.address, min(2.0, left_s))
    if reason is None:
        return StreamError("open", "cannot be opened")
    return StreamError("open", reason.words, retry=reason.retry)


class Recording:
    """A file, at its own pace or at that of the driver."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.on_demand = not job.realtime
        self._step_s = 1.0 / job.fps if self.on_demand else 0.0
        try:
            Path(job.address).open("rb").close()
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                raise StreamError("open", f"there is no {job.address}; was it moved?") from None
            raise StreamError("refused", f"{job.address}: {error.strerror}", retry=False) from None
        self._start()

    def _start(self) -> None:
        self._capture = cv2.VideoCapture(self._job.address, cv2.CAP_FFMPEG, _parameters(self._job, threads=1))
        if not self._capture.isOpened():
            raise StreamError("refused", f"{self._job.address} is not a video, or cut off", retry=False)
        self._begun = time.monotonic()
        self._first_s: float | None = None
        self._newest_s = 0.0

    def grab(self) -> None:
        """Take the next picture when its time has come; stepwise: the next that is due."""
        due_s = self._newest_s + self._step_s
        while True:
            if not self._grab_one():
                first = self._first_s
                self.close()
                if not self._job.loop or first is None:
                    raise StreamError("end", "end of the recording", retry=False)
                self._start()
                due_s = 0.0
                continue
            now_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if self._first_s is None:
                self._first_s = now_s
                break
            if now_s + 1e-3 >= due_s:
                break
        self._newest_s = now_s
        if self._job.realtime:
            wait_s = self._begun + now_s - self._first_s - time.monotonic()
            time.sleep(min(max(wait_s, 0.0), self._job.read_timeout_s))

    def _grab_one(self) -> bool:
        """Grab over damage up to the end."""
        return any(self._capture.grab() for _ in range(_MOST_FAILED_IN_FILE))

    def retrieve(self) -> Any:
        """Return the picture that was grabbed."""
        return _retrieve(self._capture)

    def info(self) -> Info:
        """Return what the file says of itself."""
        return _info(self._capture)

    def close(self) -> None:
        """Close it."""
        self._capture.release()


def _parameters(job: Job, threads: int) -> list[int]:
    return [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        round(job.open_timeout_s * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        round(job.read_timeout_s * 1000),
        cv2.CAP_PROP_N_THREADS,
        min(threads, os.cpu_count() or 1),
    ]


def _retrieve(capture: cv2.VideoCapture) -> Any:
    good, image = capture.retrieve()
    return image if good else None


def _info(capture: cv2.VideoCapture) -> Info:
    fps = capture.get(cv2.CAP_PROP_FPS)
    code = max(0, int(capture.get(cv2.CAP_PROP_FOURCC)))
    codec = code.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ").lower()
    width, height = (int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    return Info(width, height, fps if 0 < fps < 1000 else 0.0, codec or "raw")
