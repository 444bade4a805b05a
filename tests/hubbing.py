"""Messages written by hand for the hub, byte for byte as docs/wire.md has them."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiomqtt
import cbor2
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from lamppost.simulators.hub import Mail

BASE = "lamppost/v1/site-1/pole-1/"
STREAM = "0a1b2c3d"
AT = "2025-11-23T01:02:03.456Z"


def event(
    number: int = 1, *, id_: str = "e1", revision: int = 0, phase: str = "", lane: int = 0, **changes: Any
) -> dict[str, Any]:
    """Return the envelope of one message of an event."""
    data = {
        "event": id_,
        "phase": phase or ("open" if revision == 0 else "close"),
        "revision": revision,
        "rule": "gutter-high",
        "device": "gutter",
        "severity": "alarm",
        "since": "2025-11-23T01:02:01.000Z",
        "at": AT,
        "confidence": 1.0,
        "measures": {"quantity": "level", "value": 312, "limit": 300, "unit": "mm"},
        "evidence": [],
    }
    return {
        "specversion": "1.0",
        "id": f"{id_}.{revision}",
        "source": "/lamppost/site-1/pole-1",
        "type": "lamppost.water.level",
        "subject": "gutter",
        "time": AT,
        "datacontenttype": "application/json",
        "sequence": f"{STREAM}:{lane}:{number}",
        "data": data,
        **changes,
    }


def pack(number: int = 1, *, bt: Any = 1763859723, values: Any = (21.5, 22.5)) -> list[dict[str, Any]]:
    """Return a SenML pack: one quantity, a value each second."""
    head = {"bn": "pole-1:gutter:level", "bt": bt, "bu": "mm", "seq": f"{STREAM}:3:{number}"}
    return [{**(head if n == 0 else {}), "t": n, "v": value} for n, value in enumerate(values)]


LABELS = {"bn": -2, "bt": -3, "bu": -4, "bv": -5, "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "t": 6}


def cbor_pack(records: list[dict[str, Any]]) -> bytes:
    """Return a pack in CBOR with integer labels, doubles as decimal fractions."""
    return cbor2.dumps(
        [
            {
                LABELS.get(k, k): Decimal(str(v)) if type(v) is float else v  # type: ignore[arg-type]
                for k, v in record.items()
            }
            for record in records
        ]
    )


def event_mail(message: dict[str, Any], kind: str = "water.level") -> Mail:
    return Mail(f"{BASE}event/{kind}", json.dumps(message).encode(), time.time())


def pack_mail(records: list[dict[str, Any]], *, deflate: bool = False, form: str = "json") -> Mail:
    data = cbor_pack(records) if form == "cbor" else json.dumps(records).encode()
    return Mail(f"{BASE}telemetry/gutter", zlib.compress(data) if deflate else data, time.time())


def status_mail(state: str = "online", *, dropped: int = 0) -> Mail:
    status = {
        "state": state,
        "node": "pole-1",
        "site": "site-1",
        "at": AT,
        "version": "0.1.0",
        "boot": "17",
        "devices": {"gutter": {"state": "ok"}},
        "spool": {"telemetry": {"depth": 0, "dropped": dropped}},
    }
    return Mail(f"{BASE}status", json.dumps(status).encode(), time.time())


def properties(content_type: str, *, seq: str = "", deflate: bool = False) -> Properties:
    given = Properties(PacketTypes.PUBLISH)
    given.ContentType = content_type
    user = [("seq", seq)] if seq else []
    given.UserProperty = [*user, *([("content-encoding", "deflate")] if deflate else [])] or [("a", "b")]
    return given


@asynccontextmanager
async def node(port: int, *, five: bool = True) -> AsyncIterator[aiomqtt.Client]:
    """Give a client that publishes in a node's name."""
    protocol = aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311
    async with aiomqtt.Client("127.0.0.1", port, protocol=protocol, identifier="lamppost-pole-1") as client:
        yield client
