"""Readings of one device as a SenML pack."""

from __future__ import annotations

from collections.abc import Sequence

from lamppost.agent.wire import senml_cbor, senml_json
from lamppost.agent.wire.columns import split
from lamppost.agent.wire.compact import deflate
from lamppost.agent.wire.names import Compress, Encoding, NodeId, senml_name
from lamppost.drivers.api import Reading


def encode_telemetry(
    readings: Sequence[Reading],
    *,
    node: NodeId,
    encoding: Encoding,
    sequence: str,
    compress: Compress = "zlib",
) -> bytes:
    """Return the readings of one device, of any number of polls, as a pack (see docs/wire.md).

    Cheapest if all readings of a poll share one ``at`` object. ``sequence`` comes from `sequence_text`.
    A value that is no number (NaN, infinity) is sent as a reading of bad quality.
    """
    base_name = senml_name(f"{node.node}:{readings[0].device}:")
    codec = senml_json if encoding == "json" else senml_cbor
    pack, reach = codec.encode(split(readings), base_name, sequence)
    return deflate(pack, reach) if compress == "zlib" else pack
