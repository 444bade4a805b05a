"""Messages as people read them: one line each."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from lamppost.simulators.hub.book import Entry
from lamppost.simulators.hub.letters import (
    BadLetter,
    EventLetter,
    OtherLetter,
    PictureLetter,
    StatusLetter,
    TelemetryLetter,
    quantity,
    when,
)
from lamppost.simulators.hub.senml import Record

#: How many values a line of telemetry shows.
SHOWN = 4
UNWELL = ("failing", "stalled")


def line(entry: Entry) -> str:
    """Return ``12:00:03.120 event  OPEN water.level gutter level 312 mm (limit 300) since 12:00:01``."""
    letter = entry.letter
    text = f"{clock(letter.received)} {_told(entry)}"
    return f"{text}  (repeat)" if entry.repeat else text


def _told(entry: Entry) -> str:
    letter = entry.letter
    match letter:
        case EventLetter():
            return f"event  {event(letter)}"
        case TelemetryLetter():
            return f"data   {letter.node.node} {telemetry(letter)}"
        case StatusLetter():
            return f"status {status(letter)}"
        case PictureLetter():
            return f"photo  {letter.node.node} {letter.event} number {letter.number}, {letter.size} bytes"
        case OtherLetter():
            return f"other  {letter.topic}"
        case BadLetter():
            return f"ERROR  {letter.topic}: {letter.reason}"


def event(letter: EventLetter) -> str:
    """Return ``OPEN water.level gutter level 312 mm (limit 300) since 12:00:01``."""
    words = [f"{letter.phase.upper():<6}", letter.kind, letter.device, letter.zone, measures(letter.measures)]
    if letter.evidence:
        words.append(f"with {len(letter.evidence)} pictures,")
    return " ".join(word for word in [*words, f"since {letter.since.astimezone():%H:%M:%S}"] if word)


def measures(given: dict[str, Any]) -> str:
    """Return ``level 312 mm (limit 300)``, and other measures behind it."""
    rest = dict(given)
    words = []
    if "quantity" in rest and "value" in rest:
        words.append(f"{rest.pop('quantity')} {number(rest.pop('value'))} {rest.pop('unit', '')}".strip())
        if "limit" in rest:
            words.append(f"(limit {number(rest.pop('limit'))})")
    words += [f"{name} {number(value)}" for name, value in rest.items() if name != "error"]
    if rest.get("error"):
        words.append(f"({short(str(rest['error']))})")
    return " ".join(words)


def short(error: str) -> str:
    """Return the part of an error that says what happened, without the place before and the advice behind."""
    return error.split(": ", 1)[-1].split(";", maxsplit=1)[0]


def telemetry(letter: TelemetryLetter) -> str:
    """Return ``supply 14 readings, 61 bytes: voltage 230.1 V, ...`` with the newest values."""
    newest = {quantity(record): record for record in letter.records}
    values = [
        f"{name} {'bad' if record.value is None else f'{number(record.value)} {record.unit}'.strip()}"
        for name, record in list(newest.items())[:SHOWN]
    ]
    more = ", ..." if len(newest) > SHOWN else ""
    return f"{letter.device} {len(letter.records)} readings, {letter.size} bytes: {', '.join(values)}{more}"


def status(letter: StatusLetter) -> str:
    """Return ``pole-17 online, 7 devices: 6 ok, 1 failing (dead)``."""
    text = f"{letter.node.node} {'online' if letter.online else 'offline'}"
    if not letter.devices:
        return text
    states = Counter(device.get("state", "?") for device in letter.devices.values())
    unwell = [
        name for name, device in letter.devices.items() if device.get("state") in ("failing", "stalled")
    ]
    told = ", ".join(f"{n} {state}" for state, n in states.most_common())
    return f"{text}, {len(letter.devices)} devices: {told}" + (f" ({', '.join(unwell)})" if unwell else "")


def number(value: Any) -> str:
    """Return a value as short as people want it."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def clock(unix_s: float) -> str:
    """Return a time as this machine's wall clock shows it, with milliseconds."""
    return datetime.fromtimestamp(unix_s).astimezone().strftime("%H:%M:%S.%f")[:-3]


def as_json(entry: Entry) -> str:
    """Return a message as one line of JSON for programs."""
    letter = entry.letter
    out: dict[str, Any] = {"received": _iso(letter.received), "repeat": entry.repeat}
    match letter:
        case EventLetter():
            out |= {"type": "event", "node": str(letter.node), **{n: getattr(letter, n) for n in _PLAIN}}
            out |= {"since": letter.since.isoformat(), "at": letter.at.isoformat()}
            out |= {"sequence": ":".join(map(str, letter.sequence))}
        case TelemetryLetter():
            out |= {"type": "telemetry", "node": str(letter.node), "device": letter.device}
            out |= {"readings": [_reading(record) for record in letter.records]}
            out |= {"sequence": ":".join(map(str, letter.sequence))}
        case StatusLetter():
            out |= {"type": "status", "node": str(letter.node), "online": letter.online}
            out |= {"devices": letter.devices, "spool": letter.spool}
        case PictureLetter():
            out |= {"type": "evidence", "node": str(letter.node), "event": letter.event}
            out |= {"number": letter.number, "bytes": letter.size, "sha256": letter.sha256}
        case OtherLetter():
            out |= {"type": "other", "topic": letter.topic}
        case BadLetter():
            out |= {"type": "undecodable", "topic": letter.topic, "reason": letter.reason}
    return json.dumps(out, ensure_ascii=False)


_PLAIN = (
    "id", "kind", "phase", "revision", "rule", "severity", "device", "zone", "confidence", "measures",
    "evidence",
)  # fmt: skip


def _reading(record: Record) -> dict[str, Any]:
    value = record.value.hex() if isinstance(record.value, bytes) else record.value
    at = when(record.at_ms).isoformat(timespec="milliseconds")
    return {"quantity": quantity(record), "value": value, "unit": record.unit, "at": at}


def _iso(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds")
