"""Why an RTSP address gives no video, asked once more by hand: FFmpeg says nothing of what it cannot use.

RFC 2326; the description of a stream is SDP, RFC 8866.
"""

from __future__ import annotations

import re
import socket
from typing import Final
from urllib.parse import urlsplit

from lamppost.drivers.camera.reasons import CLOSED, Reason, network

_PORT: Final = 554
_LONGEST: Final = 1 << 16
_CODEC = re.compile(r"^a=rtpmap:\d+ ([^/\s]+)/", re.MULTILINE)


def diagnose(url: str, timeout_s: float) -> Reason | None:
    """Return what the camera answers, None if that explains nothing. Blocks for at most ``timeout_s``."""
    parts = urlsplit(url)
    if parts.scheme != "rtsp" or not parts.hostname:
        return None
    try:
        with socket.create_connection((parts.hostname, parts.port or _PORT), timeout_s) as connection:
            connection.settimeout(timeout_s)
            wanted = f"DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"
            connection.sendall(wanted.encode())
            answer = _read(connection)
    except OSError as error:
        return network(error)
    return judge(answer)


def judge(answer: str) -> Reason | None:
    """Return what an answer to DESCRIBE means, None if it holds a video like any other."""
    if not answer:
        return CLOSED
    if not answer.startswith("RTSP/"):
        what = "HTTP" if answer.startswith("HTTP/") else "something else"
        return Reason(f"the port speaks {what}, not RTSP; check the port", retry=False)
    head, _, description = answer.partition("\r\n\r\n")
    if head.split(" ", 2)[1:2] != ["200"]:
        return None  # with a login it may be another; FFmpeg has told of it
    kind, _, media = description.partition("m=video")
    if not media:
        what = "the stream has only sound" if "m=audio" in kind else "the stream has no video"
        return Reason(f"{what}; check the path", retry=False)
    codec = _CODEC.search(media.partition("\nm=")[0])
    return Reason(f"the codec cannot be decoded here ({codec[1]})", retry=False) if codec else None


def _read(connection: socket.socket) -> str:
    """Read head and body of one answer, or what comes of it."""
    data = b""
    while len(data) < _LONGEST:
        head, end, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"^content-length:\s*(\d+)", head, re.IGNORECASE | re.MULTILINE)
        if end and len(body) >= (int(length[1]) if length else 0):
            break
        if data and not data.startswith(b"RTSP/"):
            break
        more = connection.recv(4096)
        if not more:
            break
        data += more
    return data.decode("utf-8", "replace")
