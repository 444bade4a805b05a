"""SenML in JSON (RFC 8428, section 5): the same records, to be read by people."""

from __future__ import annotations

import json
from typing import Any

from lamppost.agent.wire.columns import Batch, sendable
from lamppost.agent.wire.names import senml_part
from lamppost.drivers.api import Value


def encode(batch: Batch, base_name: str, sequence: str) -> tuple[bytes, int]:
    """Return the pack, and about how many bytes a column takes."""
    records: list[dict[str, Any]] = []
    header: dict[str, Any] = {"seq": sequence, "bt": _seconds(batch.start_ms)}
    unit = ""
    for column in batch.columns:
        header["bn"] = base_name + senml_part(column.quantity)
        if column.unit != unit:
            unit = header["bu"] = column.unit
        for ms, value in zip(column.times, map(sendable, column.values), strict=True):
            record = header
            if len(batch.offsets_ms) > 1:
                record["t"] = _seconds(batch.offsets_ms[ms])
            record.update(_value(value))
            records.append(record)
            header = {}
    data = dump(records)
    return data, len(data) // max(len(batch.columns), 1)


def _value(value: Value | None) -> dict[str, Any]:
    if value is None:
        return {"vs": "", "q": "bad"}
    if isinstance(value, bool):
        return {"vb": value}
    if isinstance(value, str):
        return {"vs": value}
    return {"v": value}


def _seconds(ms: int) -> float:
    return ms / 1000 if ms % 1000 else ms // 1000


def dump(value: Any) -> bytes:
    """Return compact JSON in UTF-8; what UTF-8 cannot hold becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
        "utf-8", "replace"
    )
