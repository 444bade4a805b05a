"""Readings and events of this node as drafts for the spool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lamppost.agent.event import Event
from lamppost.agent.outbox import lane_of
from lamppost.agent.spool import Draft, Lane
from lamppost.agent.wire import (
    PICTURE_CONTENT_TYPE,
    NodeId,
    Poll,
    encode_event,
    encode_polls,
    event_content_type,
    event_topic,
    picture_topic,
    sequence_text,
    telemetry_content_type,
    telemetry_topic,
)

if TYPE_CHECKING:
    from lamppost.agent.config import Hub

#: What a poll and each of its values roughly hold in memory, for the spool's own bound.
POLL_BYTES, VALUE_BYTES = 240, 40


class NodeEncoder:
    """Makes drafts; encoding itself happens on the spool's thread, once the number is known."""

    def __init__(self, node: NodeId, hub: Hub | None) -> None:
        self._node = node
        self._encoding = hub.encoding if hub else "cbor"
        self._compress = hub.compress if hub else "zlib"

    def telemetry(self, device: str, polls: Sequence[Poll]) -> Draft:
        """Return the draft of one device's batch."""
        node, encoding, compress = self._node, self._encoding, self._compress

        def encode(stream: str, number: int) -> bytes:
            return encode_polls(
                polls,
                device=device,
                node=node,
                encoding=encoding,
                sequence=sequence_text(stream, Lane.TELEMETRY, number),
                compress=compress,
            )

        return Draft(
            Lane.TELEMETRY,
            telemetry_topic(device),
            telemetry_content_type(encoding),
            encode,
            sum([POLL_BYTES + VALUE_BYTES * len(poll.values) for poll in polls]),
        )

    def event(self, event: Event) -> Draft:
        """Return the draft of one event."""
        node, encoding, lane = self._node, self._encoding, lane_of(event.severity)

        def encode(stream: str, number: int) -> bytes:
            return encode_event(
                event, node=node, encoding=encoding, sequence=sequence_text(stream, lane, number)
            )

        return Draft(lane, event_topic(event.kind), event_content_type(encoding), encode)

    def picture(self, event: str, number: int, jpeg: bytes) -> Draft:
        """Return the draft of one picture of an event; it is sent as it is."""

        def encode(_stream: str, _number: int) -> bytes:
            return jpeg

        return Draft(
            Lane.EVIDENCE, picture_topic(event, number), PICTURE_CONTENT_TYPE, encode, max(1, len(jpeg))
        )
