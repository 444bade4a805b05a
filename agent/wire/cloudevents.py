"""Events as CloudEvents 1.0 in structured mode: one object with the event in ``data``."""

from __future__ import annotations

import math
from typing import Any

import cbor2

from lamppost.agent.event import Event, Picture
from lamppost.agent.wire.names import Encoding, NodeId, segment
from lamppost.agent.wire.senml_json import dump
from lamppost.agent.wire.times import rfc3339


def encode_event(event: Event, *, node: NodeId, encoding: Encoding, sequence: str) -> bytes:
    """Return one message of an event. ``sequence`` comes from `sequence_text`."""
    envelope: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"{event.id}.{event.revision}",
        "source": f"/lamppost/{segment(node.site)}/{segment(node.node)}",
        "type": f"lamppost.{event.kind}",
        "time": rfc3339(event.at),
        "datacontenttype": "application/json",
        "sequence": sequence,
        "data": _data(event),
    }
    if event.device:
        envelope["subject"] = event.device
    return dump(envelope) if encoding == "json" else dump_cbor(envelope)


def _data(event: Event) -> dict[str, Any]:
    data: dict[str, Any] = {
        "event": event.id,
        "phase": str(event.phase),
        "revision": event.revision,
        "rule": event.rule,
        "severity": str(event.severity),
        "since": rfc3339(event.since),
        "at": rfc3339(event.at),
        "confidence": event.confidence,
        # JSON knows no NaN and no infinity; a measure that is no number is left out.
        "measures": {
            name: value
            for name, value in event.measures.items()
            if not isinstance(value, float) or math.isfinite(value)
        },
        "evidence": [_picture(picture) for picture in event.evidence],
    }
    if event.missing:
        data["missing"] = [
            {"n": one.number, "moment": one.moment, "reason": one.reason} for one in event.missing
        ]
    if event.device:
        data["device"] = event.device
    if event.zone:
        data["zone"] = event.zone
    return data


def _picture(picture: Picture) -> dict[str, Any]:
    told = {"n": picture.number, "sha256": picture.sha256, "at": rfc3339(picture.at)}
    if picture.moment:
        told |= {"moment": picture.moment, "bytes": picture.bytes}
    return told


def dump_cbor(value: Any) -> bytes:
    """Return plain CBOR; what UTF-8 cannot hold becomes a question mark."""
    try:
        return cbor2.dumps(value)
    except UnicodeEncodeError:
        return cbor2.dumps(_clean(value))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_clean(key): _clean(entry) for key, entry in value.items()}
    return [_clean(entry) for entry in value] if isinstance(value, list) else value
