"""Pictures over HTTP, read without FFmpeg: an MJPEG stream, or an address that gives one picture a time."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.error
import urllib.request
from email.message import Message
from typing import Any

import cv2
import numpy as np

from lamppost.drivers.camera.job import Job
from lamppost.drivers.camera.multipart import LARGEST, Multipart, MultipartError
from lamppost.drivers.camera.reasons import network
from lamppost.drivers.camera.streams import Info, StreamError

_CHUNK = 1 << 16
#: Markers of JPEG (ITU-T T.81, table B.1): start, where coded data begins (no marker can stand in it), end.
_START, _SCAN, _END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
_WORDS = {
    401: "the camera refused username or password",
    403: "the camera refuses this user",
    404: "the camera has no such stream; check the path",
}


def open_http(job: Job) -> Mjpeg | Snapshots | None:
    """Open what the address gives; None if it is a video that FFmpeg has to read. Raises StreamError."""
    response = _request(job)
    kind = response.headers.get_content_type()
    if kind == "multipart/x-mixed-replace":
        return Mjpeg(job, response)
    if kind in {"image/jpeg", "image/png"}:
        return Snapshots(job, response)
    response.close()
    if kind.startswith("text/"):
        detail = f"not a video: the server sends {kind}; check the path"
        raise StreamError("refused", detail, retry=False)
    return None


def _request(job: Job) -> Any:
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if job.username is not None:
        keys = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        keys.add_password(None, job.address, job.username, job.password or "")
        handlers += [
            urllib.request.HTTPDigestAuthHandler(keys),
            urllib.request.HTTPBasicAuthHandler(keys),
        ]
    # One time-out serves connecting and reading; the whole of opening is watched by the driver.
    timeout_s = min(job.open_timeout_s, job.read_timeout_s)
    try:
        return urllib.request.build_opener(*handlers).open(job.address, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        error.close()
        words = _WORDS.get(error.code, f"the camera answers {error.code} {error.reason}")
        raise StreamError("refused", words, retry=error.code not in {401, 403}) from None
    except urllib.error.URLError as error:
        raise StreamError("open", _reason(error.reason)) from None
    except ValueError as error:
        # What urllib says of an unknown way to log in.
        raise StreamError("refused", f"the camera asks for a login that is not known: {error}") from None
    except (OSError, http.client.HTTPException) as error:
        raise StreamError("open", _reason(error)) from None


def _reason(error: object) -> str:
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if isinstance(error, OSError):
        return network(error).words
    return f"the camera does not speak HTTP ({type(error).__name__})"


class _Pictures:
    """The JPEG that came last, decoded when somebody wants it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._jpeg = b""
        self._size = (0, 0)
        self._marks_ends = False

    def retrieve(self) -> Any:
        """Return the picture, or None if it is none, or was cut off: the rest of it would be grey."""
        if self._jpeg.startswith(_START):
            ends = self._jpeg.rfind(_END) > self._jpeg.rfind(_SCAN)
            if self._marks_ends and not ends:
                return None
            self._marks_ends = ends  # some cameras never mark it
        try:
            image = cv2.imdecode(np.frombuffer(self._jpeg, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:  # larger than OPENCV_IO_MAX_IMAGE_PIXELS
            return None
        if image is not None:
            self._size = (image.shape[1], image.shape[0])
        return image

    def info(self) -> Info:
        """Return the size of the newest picture: HTTP says nothing."""
        if self._size == (0, 0):
            self.retrieve()
        return Info(*self._size, 0.0, "jpeg")

    def _stalled(self) -> StreamError:
        return StreamError("stall", f"no picture for {self._job.read_timeout_s:g} s")


class Mjpeg(_Pictures):
    """A stream of JPEG pictures."""

    on_demand = False

    def __init__(self, job: Job, response: Any) -> None:
        super().__init__(job)
        self._response = response
        headers: Message = response.headers
        boundary = headers.get_param("boundary") or ""
        if not isinstance(boundary, str) or not boundary.strip('"- '):
            raise StreamError("refused", "the stream names no boundary")
        self._parts = Multipart(boundary)

    def grab(self) -> None:
        """Wait for a picture; of several that have come it is the newest."""
        deadline = time.monotonic() + self._job.read_timeout_s
        while True:
            try:
                data = self._response.read1(_CHUNK)
                parts = self._parts.feed(data)
            except TimeoutError:
                raise self._stalled() from None
            except MultipartError as error:
                raise StreamError("corrupt", str(error)) from None
            except (OSError, http.client.HTTPException) as error:
                raise StreamError("end", f"the stream broke off: {_reason(error)}") from None
            if parts:
                self._jpeg = parts[-1]
                return
            if not data:
                raise StreamError("end", "the camera ended the stream")
            if time.monotonic() > deadline:
                raise self._stalled()

    def close(self) -> None:
        """Hang up."""
        self._response.close()


class Snapshots(_Pictures):
    """An address that gives one picture at a time, asked when the driver wants one."""

    on_demand = True

    def __init__(self, job: Job, response: Any) -> None:
        super().__init__(job)
        self._response: Any = response

    def grab(self) -> None:
        """Ask for a picture."""
        response, self._response = self._response or _request(self._job), None
        try:
            self._jpeg = response.read(LARGEST)
        except TimeoutError:
            raise self._stalled() from None
        except (OSError, http.client.HTTPException) as error:
            raise StreamError("end", f"the picture broke off: {_reason(error)}") from None
        finally:
            response.close()

    def close(self) -> None:
        """Nothing stays open between two pictures."""
        if self._response is not None:
            self._response.close()
