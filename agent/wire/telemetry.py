"""Readings of one device as a SenML pack."""

from __future__ import annotations

from collections.abc import Sequence

from lamppost.agent.wire import senml_cbor, senml_json
from lamppost.agent.wire.columns import split
from lamppost.agent.wire.compact import deflate
from lamppost.agent.wire.names import Compress, Encoding, NodeId, senml_name
from lamppost.agent.wire.polls import Poll, polls
from lamppost.drivers.api import Reading


def encode_telemetry(
    readings: Sequence[Reading],
    *,
    node: NodeId,
    encoding: Encoding,
    sequence: str,
    compress: Compress = "zlib",
) -> bytes:
    """Return the readings of one device, of any number of polls, as a pack (see docs/wire.md)."""
    return encode_polls(
        list(polls(readings)),
        device=readings[0].device,
        node=node,
        encoding=encoding,
        sequence=sequence,
        compress=compress,
    )


def encode_polls(
    polls: Sequence[Poll],
    *,
    device: str,
    node: NodeId,
    encoding: Encoding,
    sequence: str,
    compress: Compress = "zlib",
) -> bytes:
    """Return polls of one device as a pack (see docs/wire.md). ``sequence`` comes from `sequence_text`.

    A value that is no number (NaN, infinity) is sent as a reading of bad quality.
    """
    base_name = senml_name(f"{node.node}:{device}:")
    codec = senml_json if encoding == "json" else senml_cbor
    pack, reach = codec.encode(split(polls), base_name, sequence)
    return deflate(pack, reach) if compress == "zlib" else pack
