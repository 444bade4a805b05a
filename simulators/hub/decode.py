"""From a message of the broker to what it says. Written from docs/wire.md alone; pure."""

from __future__ import annotations

import hashlib
import json
import zlib
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import cbor2

from lamppost.simulators.hub import senml
from lamppost.simulators.hub.letters import (
    BadLetter,
    EventLetter,
    Letter,
    Mail,
    Node,
    OtherLetter,
    PictureLetter,
    Sequence,
    StatusLetter,
    TelemetryLetter,
)
from lamppost.simulators.hub.schema import SchemaError, Schemas, sample

TOPIC = "lamppost/v1/"
#: What a payload may unfold to: more is an attack or a bug.
LARGEST_BYTES = 64 << 20
_PHASES = ("open", "update", "close")


class LetterError(ValueError):
    """The message cannot be read: why."""


def decode(mail: Mail, schemas: Schemas | None = None) -> Letter:
    """Return what a message says; a `BadLetter` with the reason if it cannot be read or does not fit."""
    try:
        return _decode(mail, schemas)
    except (LetterError, senml.PackError, SchemaError) as error:
        reason = str(error)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
    return BadLetter(mail.received, mail.topic, reason, mail.payload[:2000])


def _decode(mail: Mail, schemas: Schemas | None) -> Letter:
    if not mail.topic.startswith(TOPIC):
        raise LetterError(f"the topic does not begin with {TOPIC}")
    levels = mail.topic.split("/")
    node, rest = Node(*levels[2:4]), levels[4:]
    match rest:
        case ["status"]:
            return _status(mail, node, schemas)
        case ["event", kind]:
            return _event(mail, node, kind, schemas)
        case ["telemetry", device]:
            return _telemetry(mail, node, device, schemas)
        case ["evidence", event, number] if number.isdigit():
            return _picture(mail, node, event, int(number))
        case ["command" | "reply", _] | ["check"]:
            return OtherLetter(node, mail.received, mail.topic)
    raise LetterError("nothing is sent under this topic")


def _status(mail: Mail, node: Node, schemas: Schemas | None) -> StatusLetter:
    status = _object(mail, ("application/json", "application/cbor"))
    if schemas is not None:
        schemas.check("status", status)
    _same("site and node", (status["site"], status["node"]), node)
    if status["state"] not in ("online", "offline"):
        raise LetterError(f"unknown state {status['state']!r}")
    at = status.get("at")
    return StatusLetter(
        node,
        mail.received,
        status["state"] == "online",
        None if at is None else _time(at),
        str(status.get("boot", "")),
        dict(status.get("devices", {})),
        dict(status.get("spool", {})),
    )


def _event(mail: Mail, node: Node, kind: str, schemas: Schemas | None) -> EventLetter:
    envelope = _object(mail, ("application/cloudevents+json", "application/cloudevents+cbor"))
    if schemas is not None:
        schemas.check("event", envelope)
    data = envelope["data"]
    _same("specversion", envelope["specversion"], "1.0")
    _same("type", envelope["type"], f"lamppost.{kind}")
    _same("source", envelope["source"], f"/lamppost/{node.site}/{node.node}")
    _same("id", envelope["id"], f"{data['event']}.{data['revision']}")
    _same("time", envelope["time"], data["at"])
    _same("subject", envelope.get("subject", ""), data.get("device", ""))
    if data["phase"] not in _PHASES:
        raise LetterError(f"unknown phase {data['phase']!r}")
    if (data["phase"] == "open") != (data["revision"] == 0):
        raise LetterError(f"revision {data['revision']} cannot be of phase {data['phase']}")
    return EventLetter(
        node=node,
        received=mail.received,
        sequence=_sequence(envelope["sequence"], mail.sequence),
        message_id=envelope["id"],
        id=data["event"],
        kind=kind,
        phase=data["phase"],
        revision=data["revision"],
        rule=data["rule"],
        severity=data["severity"],
        since=_time(data["since"]),
        at=_time(data["at"]),
        confidence=data["confidence"],
        measures=data["measures"],
        device=data.get("device", ""),
        zone=data.get("zone", ""),
        evidence=data["evidence"],
        missing=data.get("missing", []),
    )


def _picture(mail: Mail, node: Node, event: str, number: int) -> PictureLetter:
    if mail.content_type is not None:
        _same("content type", mail.content_type, "image/jpeg")
    # JPEG (ITU-T T.81, annex B): SOI and the next marker at the beginning, EOI at the end.
    if not mail.payload.startswith(b"\xff\xd8\xff") or not mail.payload.endswith(b"\xff\xd9"):
        raise LetterError("the evidence is no JPEG, or not a whole one")
    sequence = _sequence(mail.sequence) if mail.sequence else None
    digest = hashlib.sha256(mail.payload).hexdigest()
    return PictureLetter(
        node, mail.received, event, number, sequence, len(mail.payload), digest, mail.payload
    )


def _telemetry(mail: Mail, node: Node, device: str, schemas: Schemas | None) -> TelemetryLetter:
    form, data = _form(mail, ("application/senml+json", "application/senml+cbor"), "[")
    pack = senml.named(_cbor(data)) if form == "cbor" else _json(data)
    if schemas is not None:
        schemas.check("telemetry", _without_decimals(pack))
    records, text = senml.resolve(pack, mail.received)
    prefix = f"{node.node}:{device}:"
    for name in {record.name for record in records}:
        if not name.startswith(prefix) or len(name) == len(prefix):
            raise LetterError(f"{name!r} does not belong under {mail.topic}")
    sequence = _sequence(text, mail.sequence)
    return TelemetryLetter(node, mail.received, sequence, device, records, len(mail.payload))


def _object(mail: Mail, types: tuple[str, str]) -> dict[str, Any]:
    form, data = _form(mail, types, "{")
    value = _cbor(data) if form == "cbor" else _json(data)
    if not isinstance(value, dict):
        raise LetterError(f"the payload is no object but {type(value).__name__}")
    return value


def _form(mail: Mail, types: tuple[str, str], json_begins: str) -> tuple[str, bytes]:
    """Return "json" or "cbor", and the payload unpacked.

    MQTT 5 says both in properties; without them the first byte tells.
    """
    if not mail.payload:
        raise LetterError("the payload is empty")
    deflated = mail.payload[0] == 0x78
    if mail.content_type is not None and deflated != (mail.encoding == "deflate"):
        raise LetterError(f"content-encoding is {mail.encoding!r}, the first byte 0x{mail.payload[0]:02x}")
    data = _inflate(mail.payload) if deflated else mail.payload
    looks = "json" if data[:1] == json_begins.encode() else "cbor"
    if mail.content_type is not None:
        if mail.content_type not in types:
            raise LetterError(f"content type {mail.content_type!r}; expected {' or '.join(types)}")
        _same("what the content type says", mail.content_type[-4:], looks)
    return looks, data


def _inflate(payload: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(payload, LARGEST_BYTES)
    except zlib.error as error:
        raise LetterError(f"zlib: {error}") from None
    if not unpacking.eof or unpacking.unused_data:
        raise LetterError("the zlib stream has no end, bytes behind it, or unfolds to too much")
    return data


def _json(data: bytes) -> Any:
    try:
        return json.loads(data, parse_constant=_refuse)
    except ValueError as error:
        raise LetterError(f"JSON: {error}") from None


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _cbor(data: bytes) -> Any:
    stream = BytesIO(data)
    try:
        value = cbor2.load(stream)
    except (cbor2.CBORDecodeError, RecursionError) as error:
        raise LetterError(f"CBOR: {error}") from None
    if stream.read(1):
        raise LetterError("CBOR: there are bytes behind the value")
    return value


def _without_decimals(pack: Any) -> Any:
    """Return (both ends of) a pack with decimal fractions as doubles, as JSON Schema knows them."""
    if not isinstance(pack, list):
        return pack
    return [
        {key: float(value) if isinstance(value, Decimal) else value for key, value in record.items()}
        if isinstance(record, dict)
        else record
        for record in sample(pack)
    ]


def _sequence(text: str, property_: str | None = None) -> Sequence:
    if property_ is not None:
        _same("the property seq", property_, text)
    stream, lane, number = senml.sequence_parts(text)
    return Sequence(stream, int(lane), int(number))


def _time(text: Any) -> datetime:
    if not isinstance(text, str) or not text.endswith("Z"):
        raise LetterError(f"{text!r} is no time in UTC")
    return datetime.fromisoformat(text).astimezone(UTC)


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise LetterError(f"{what} is {found!r}; expected {expected!r}")
