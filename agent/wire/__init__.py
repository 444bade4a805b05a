"""Encodings: what an event, a batch of readings and a status look like to the hub. Pure functions.

The formats are written down in docs/wire.md and, for machines, in lamppost/agent/schemas.
"""

from __future__ import annotations

from lamppost.agent.wire.cloudevents import encode_event
from lamppost.agent.wire.names import (
    PICTURE_CONTENT_TYPE,
    STATUS_TOPIC,
    Compress,
    Encoding,
    NodeId,
    event_content_type,
    event_topic,
    picture_topic,
    segment,
    sequence_text,
    status_content_type,
    telemetry_content_type,
    telemetry_topic,
)
from lamppost.agent.wire.polls import Poll, polls
from lamppost.agent.wire.status import DeviceState, LaneState, NodeState, encode_status, encode_will
from lamppost.agent.wire.telemetry import encode_polls, encode_telemetry

__all__ = [
    "PICTURE_CONTENT_TYPE",
    "STATUS_TOPIC",
    "Compress",
    "DeviceState",
    "Encoding",
    "LaneState",
    "NodeId",
    "NodeState",
    "Poll",
    "encode_event",
    "encode_polls",
    "encode_status",
    "encode_telemetry",
    "encode_will",
    "event_content_type",
    "event_topic",
    "picture_topic",
    "polls",
    "segment",
    "sequence_text",
    "status_content_type",
    "telemetry_content_type",
    "telemetry_topic",
]
