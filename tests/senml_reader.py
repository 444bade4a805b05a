"""A reader of SenML after RFC 8428, and of nothing else: shares no code with the agent."""

from __future__ import annotations

import json
import zlib
from decimal import Decimal
from typing import Any, NamedTuple

import cbor2

# RFC 8428, table 4.
LABELS = {
    -1: "bver",
    -2: "bn",
    -3: "bt",
    -4: "bu",
    -5: "bv",
    -6: "bs",
    0: "n",
    1: "u",
    2: "v",
    3: "vs",
    4: "vb",
    5: "s",
    6: "t",
    7: "ut",
    8: "vd",
}


class Resolved(NamedTuple):
    name: str
    ms: int
    unit: str
    value: Any


def inflate(payload: bytes) -> bytes:
    """Undo the compression, which a receiver of MQTT 3.1.1 knows by the first byte."""
    return zlib.decompress(payload) if payload[:1] == b"\x78" else payload


def records(payload: bytes) -> list[dict[str, Any]]:
    """The pack with labels in words."""
    data = inflate(payload)
    if data[:1] == b"[":
        return json.loads(data)
    return [{LABELS.get(label, label): value for label, value in r.items()} for r in cbor2.loads(data)]


def plain(value: Any) -> Any:
    """Decimal fractions as the numbers that they are in JSON."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list) else value


def resolve(payload: bytes) -> list[Resolved]:
    """Base values added in, times absolute (sections 4.5 and 4.6). A bad value is None."""
    found = []
    base: dict[str, Any] = {"bn": "", "bt": 0, "bu": "", "bv": 0}
    for record in records(payload):
        base.update({label: record[label] for label in base if label in record})
        seconds = Decimal(str(base["bt"])) + Decimal(str(record.get("t", 0)))
        unit = record.get("u", base["bu"])
        present = [label for label in ("v", "vs", "vb", "vd") if label in record]
        assert len(present) == 1, record
        value = record[present[0]]
        if present == ["v"]:
            assert not isinstance(value, bool)
            value = float(value) if isinstance(value, Decimal) else value
            value = base["bv"] + value if base["bv"] else value
        elif record.get("q") == "bad":
            assert value == ""
            value = None
        found.append(Resolved(base["bn"] + record.get("n", ""), int(seconds * 1000), unit, value))
    return found
