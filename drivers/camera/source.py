"""What `source` of a camera may be, and what of it may be shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit, urlunsplit

NOTATION: Final = (
    "rtsp://HOST/PATH, http://HOST/PATH (MJPEG, or a single picture), /dev/videoN or v4l2:PATH, "
    "a file or file:PATH, gst:PIPELINE"
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_NETWORK = {"rtsp": "rtsp", "rtsps": "rtsp", "http": "http", "https": "http"}
#: A scheme without its slashes, or an address without its scheme: no file is called so.
_ALMOST_URL = re.compile(
    r"(?:rtsps?|https?):|(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?:/|$)|[a-z0-9.-]+:\d+/", re.IGNORECASE
)
_IN_PIPELINE = re.compile(r"://[^\s/@]*:[^\s/@]*@|(?:^|\s)(?:user-pw|proxy-pw|password)\s*=", re.IGNORECASE)
_ANY_USER = re.compile(r"(?<=://)[^\s/?#@]*@")


class Source(NamedTuple):
    """Where the pictures come from. Holds no credentials: ``address`` may be shown anywhere."""

    kind: str  # rtsp, http, v4l2, file or gst
    address: str

    @property
    def is_network(self) -> bool:
        """Say whether another machine sends the pictures."""
        return self.kind in {"rtsp", "http"}


class Login(NamedTuple):
    """What stood before the @ of a URL."""

    username: str
    password: str


def split_login(text: str) -> tuple[str, Login | None]:
    """Return a network URL without its credentials, and the credentials, percent-decoded."""
    scheme = _SCHEME.match(text)
    if scheme is None or scheme[1].lower() not in _NETWORK:
        return text, None
    parts = urlsplit(text)
    user_info, at, host = parts.netloc.rpartition("@")
    if not at:
        return text, None
    username, _, password = user_info.partition(":")
    return urlunsplit(parts._replace(netloc=host)), Login(unquote(username), unquote(password))


def with_login(url: str, username: str | None, password: str | None) -> str:
    """Return ``url`` with credentials in it: for the library that opens it, never for a person."""
    if username is None:
        return url
    parts = urlsplit(url)
    user_info = quote(username, safe="") + ":" + quote(password or "", safe="")
    return urlunsplit(parts._replace(netloc=f"{user_info}@{parts.netloc}"))


def parse(text: str, base: Path | None = None) -> Source:
    """Read a source without credentials; relative files belong to ``base``. Raises ValueError."""
    if not text.strip():
        raise ValueError(f"is empty; expected {NOTATION}")
    if "\0" in text or "\n" in text:
        raise ValueError("has a line break or a zero byte in it")
    if text.startswith("gst:"):
        return Source("gst", _pipeline(text[4:].strip()))
    if text.startswith("v4l2:"):
        return Source("v4l2", text[5:].removeprefix("//"))
    if text.startswith(("/dev/video", "/dev/v4l/")):
        return Source("v4l2", text)
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() != "file":
        return _network(text, scheme[1].lower())
    if _ALMOST_URL.match(text):
        raise ValueError("is neither a URL nor a file; expected rtsp://HOST/PATH or http://HOST/PATH")
    path = Path(text.removeprefix("file:").removeprefix("//")).expanduser()
    return Source("file", str(base / path if base is not None else path))


def _network(text: str, scheme: str) -> Source:
    if scheme not in _NETWORK:
        raise ValueError(f"{scheme}:// is no source of a camera; expected {NOTATION}")
    parts = urlsplit(text)
    try:
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"has no valid port: {error}") from None
    if not host:
        raise ValueError(f"names no host; expected {scheme}://HOST/PATH")
    return Source(_NETWORK[scheme], text)


def _pipeline(text: str) -> str:
    if _IN_PIPELINE.search(text):
        raise ValueError(
            "a password in a gst: pipeline would show in the list of processes; "
            "use an rtsp:// or http:// source with username and password"
        )
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"the pipeline's quotes do not match: {error}") from None
    if not words:
        raise ValueError("gst: needs a pipeline, as gst:v4l2src device=/dev/video0 ! videoconvert")
    if words[-1] == "!" or "fdsink" in words:
        raise ValueError("the pipeline ends with raw video; the end (! fdsink) is added by the driver")
    return text


def conceal(text: str, *secrets: str | None) -> str:
    """Return ``text`` of a foreign library without these secrets and without logins of URLs."""
    for secret in secrets:
        for form in {secret, quote(secret, safe=""), quote(secret)} if secret else ():
            text = text.replace(form, "********")
    return _ANY_USER.sub("********@", text)
