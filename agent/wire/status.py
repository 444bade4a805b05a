"""The retained status of a node, and the last will that replaces it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from lamppost.agent.wire.cloudevents import dump_cbor
from lamppost.agent.wire.names import Encoding, NodeId
from lamppost.agent.wire.senml_json import dump
from lamppost.agent.wire.times import rfc3339

NodeState: TypeAlias = Literal["online", "offline"]


class DeviceState(NamedTuple):
    """A device as the status shows it: ``state`` is ok, starting, degraded, stalled or failing."""

    state: str
    error: str = ""


class LaneState(NamedTuple):
    """A lane of the spool as the status shows it, in messages."""

    depth: int
    dropped: int


def encode_status(
    state: NodeState,
    *,
    node: NodeId,
    encoding: Encoding,
    at: datetime,
    version: str,
    boot: str,
    devices: Mapping[str, DeviceState],
    spool: Mapping[str, LaneState],
) -> bytes:
    """Return the status of a node. ``boot`` names this run; ``spool`` goes by the names of the lanes."""
    status = _identity(state, node)
    status |= {
        "at": rfc3339(at),
        "version": version,
        "boot": boot,
        "devices": {
            name: {"state": device.state} | ({"error": device.error} if device.error else {})
            for name, device in devices.items()
        },
        "spool": {name: lane._asdict() for name, lane in spool.items()},
    }
    return dump(status) if encoding == "json" else dump_cbor(status)


def encode_will(*, node: NodeId, encoding: Encoding) -> bytes:
    """Return the last will: offline, without a time, because the broker sends it later."""
    status = _identity("offline", node)
    return dump(status) if encoding == "json" else dump_cbor(status)


def _identity(state: NodeState, node: NodeId) -> dict[str, Any]:
    return {"state": state, "node": node.node, "site": node.site}
