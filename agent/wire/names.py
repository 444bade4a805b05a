"""Names on the wire: topics, SenML names, content types, sequence texts."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

Encoding: TypeAlias = Literal["cbor", "json"]
Compress: TypeAlias = Literal["zlib", "none"]

_NOT_IN_SEGMENT = re.compile(r"[^A-Za-z0-9._:-]")
# RFC 8428, section 4.5.1: what a SenML name may hold, and what it may begin with.
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9._:/-]")
_NAME_START = re.compile(r"[A-Za-z0-9]")


class NodeId(NamedTuple):
    """Which box of which site."""

    site: str
    node: str

    @property
    def base(self) -> str:
        """The topic that all topics of this node begin with; ends in a slash."""
        return f"lamppost/v1/{segment(self.site)}/{segment(self.node)}/"


@lru_cache(maxsize=4096)
def segment(text: str) -> str:
    """Return ``text`` as one level of a topic: what could mean something to a broker becomes ``_``."""
    return _NOT_IN_SEGMENT.sub("_", text) or "_"


@lru_cache(maxsize=4096)
def senml_name(text: str) -> str:
    """Return ``text`` as (the beginning of) a SenML name."""
    name = _NOT_IN_NAME.sub("_", text)
    return name if _NAME_START.match(name) else f"x{name}"


@lru_cache(maxsize=4096)
def senml_part(text: str) -> str:
    """Return ``text`` as what follows the beginning of a SenML name."""
    return _NOT_IN_NAME.sub("_", text)


def event_topic(kind: str) -> str:
    """Return the topic of an event, relative to `NodeId.base`."""
    return f"event/{segment(kind)}"


def telemetry_topic(device: str) -> str:
    """Return the topic of a device's telemetry, relative to `NodeId.base`."""
    return f"telemetry/{segment(device)}"


def picture_topic(event: str, number: int) -> str:
    """Return the topic of a picture of an event, relative to `NodeId.base`."""
    return f"evidence/{segment(event)}/{number}"


STATUS_TOPIC = "status"
PICTURE_CONTENT_TYPE = "image/jpeg"


def event_content_type(encoding: Encoding) -> str:
    """Return the content type of `encode_event`'s result."""
    return f"application/cloudevents+{encoding}"


def telemetry_content_type(encoding: Encoding) -> str:
    """Return the content type of `encode_telemetry`'s result, compressed or not."""
    return f"application/senml+{encoding}"


def status_content_type(encoding: Encoding) -> str:
    """Return the content type of `encode_status`'s result."""
    return f"application/{encoding}"


def sequence_text(stream: str, lane: int, number: int) -> str:
    """Return what names a message of this node: ``{stream}:{lane}:{number}``, the lane as a digit."""
    return f"{stream}:{int(lane)}:{number}"
