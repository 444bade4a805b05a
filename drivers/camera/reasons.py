"""Why a camera cannot be read, in words: out of what FFmpeg and GStreamer print."""

from __future__ import annotations

import re
import socket
from typing import Final, NamedTuple


class Reason(NamedTuple):
    """A reason, and whether trying again can help without a person."""

    words: str
    retry: bool = True


_REFUSED: Final = Reason("connection refused; is the camera on, and the port right?")
_UNKNOWN: Final = Reason("the host's name is not known; check the name and the DNS")
_SILENT: Final = Reason("the camera does not answer")
CLOSED: Final = Reason("the camera closed the connection")
_NETWORK: Final = (
    (r"\b401\b|unauthorized|not authorized", Reason("the camera refused username or password", retry=False)),
    (r"\b403\b|forbidden", Reason("the camera refuses this user", retry=False)),
    (r"\b404\b|not found", Reason("the camera has no such stream; check the path")),
    (r"\b454\b|\b503\b", Reason("the camera is busy; does another program read it?")),
    (r"connection refused", _REFUSED),
    (r"failed to resolve|name or service not known|name resolution|could not resolve", _UNKNOWN),
    (r"no route to host|network is unreachable|host is down", Reason("the host cannot be reached")),
    (r"connection reset|broken pipe", CLOSED),
    (r"(?:connection )?timed out|timeout triggered", _SILENT),
)
_CODEC: Final = (
    r"(?:could not find|unsupported|unknown) (?:decoder|codec)(?! param)[^\n]{0,60}|no decoder[^\n]{0,60}",
    "the codec cannot be decoded here",
)
_GST: Final = (
    (r'no element "([^"]+)"', "GStreamer has no element {0}; is its plugin installed?", False),
    (r"could not link ([^\n]{1,80})", "the pipeline does not fit together: could not link {0}", False),
    (r"erroneous pipeline: ([^\n]{1,160})", "the pipeline is wrong: {0}", False),
    (r"ERROR: [^\n]*?: ([^\n]{1,160})", "GStreamer: {0}", True),
)
#: Lines that tell of damage in a stream that goes on.
DAMAGE: Final = re.compile(
    r"error while decoding|concealing \d+|invalid nal|missing picture|error splitting|corrupt|damaged"
    r"|bad cseq|rtp: missed|max delay reached|non-existing pps",
    re.IGNORECASE,
)
_PREFIX = re.compile(r"^\[[^\]]*\]\s*(?:global \S+ \S+ )?")


def explain(kind: str, printed: str) -> Reason | None:
    """Return the reason that a reader of ``kind`` printed, None if it printed none that is known."""
    if kind == "gst":
        for pattern, words, retry in _GST:
            if found := re.search(pattern, printed):
                return Reason(words.format(*found.groups()), retry)
    if found := re.search(_CODEC[0], printed, re.IGNORECASE):
        return Reason(f"{_CODEC[1]} ({found[0].strip()})", retry=False)
    if kind in {"rtsp", "http"}:
        for pattern, reason in _NETWORK:
            if re.search(pattern, printed, re.IGNORECASE):
                return reason
    return None


def network(error: OSError) -> Reason:
    """Return what an error of a socket means."""
    if isinstance(error, ConnectionRefusedError):
        return _REFUSED
    if isinstance(error, socket.gaierror):
        return _UNKNOWN
    if isinstance(error, TimeoutError):
        return _SILENT
    if isinstance(error, ConnectionError):
        return CLOSED
    return Reason(error.strerror or str(error))


def plain(line: str) -> str:
    """Return a line of FFmpeg without its own prefix."""
    return _PREFIX.sub("", line).strip()[:200]
