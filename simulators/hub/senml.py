"""SenML packs (RFC 8428) resolved to plain readings. Shares no code with the sender."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

Value: TypeAlias = float | int | bool | str | bytes

#: RFC 8428, table 4: the labels of CBOR packs.
CBOR_LABELS = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
VERSION = 10
#: RFC 8428, section 4.5.3: times below are relative to the moment of receiving.
RELATIVE_BELOW_S = 2**28
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:./_-]*")
_VALUES = ("v", "vs", "vb", "vd")


class PackError(ValueError):
    """The pack does not follow RFC 8428: which record, and why."""


class Record(NamedTuple):
    """One resolved record. ``value`` is None where the quality is bad; ``at_ms`` is unix milliseconds."""

    name: str
    unit: str
    at_ms: int
    value: Value | None


class Pack(NamedTuple):
    """A resolved pack, and the sequence text of its message (empty if it has none)."""

    records: list[Record]
    sequence: str


def named(pack: Any) -> Any:
    """Return a CBOR pack with the labels of JSON packs; labels that are no integers stay."""
    if not isinstance(pack, list):
        return pack
    label = CBOR_LABELS.get
    return [
        {label(key, key) if type(key) is int else key: value for key, value in record.items()}
        if isinstance(record, dict)
        else record
        for record in pack
    ]


def resolve(pack: Any, received_s: float) -> Pack:
    """Resolve a pack with JSON labels; ``received_s`` is the unix time that relative times start from.

    Raises PackError.
    """
    if not isinstance(pack, list) or not pack:
        raise PackError("a SenML pack is an array with at least one record")
    bases = _Bases(received_s)
    found = []
    for number, record in enumerate(pack):
        try:
            found.append(_resolved(record, bases))
        except (AttributeError, TypeError):
            raise PackError(f"record {number} is no map of SenML labels: {record!r:.200}") from None
        except (PackError, ArithmeticError, ValueError) as error:
            raise PackError(f"record {number} {error}") from None
    sequence = pack[0].get("seq", "")
    if not isinstance(sequence, str):
        raise PackError("seq is no text")
    return Pack(found, sequence)


#: Labels that need nothing but themselves: most records have no others.
_PLAIN = frozenset({"v", "t"})


class _Bases:
    """What the base fields say, from the record that carries them on (RFC 8428, section 4.1)."""

    def __init__(self, received_s: float) -> None:
        self.received_s = received_s
        self.name: str = ""
        self.time: Any = 0
        self.unit: str = ""
        self.value: Any = None
        self.sum: Any = None
        self._whole: dict[str, str] = {}
        self._times: dict[Any, int] = {}

    def take(self, record: Mapping[str, Any]) -> None:
        """Remember the base fields of a record. Raises PackError."""
        for label in record:
            if not isinstance(label, str):
                raise PackError(f"has the unknown label {label!r}")
            if label.endswith("_"):
                raise PackError(f"has the label {label}, which must be understood (section 4.4)")
        if _number(record.get("bver", VERSION), "bver") > VERSION:
            raise PackError(f"is of version {record['bver']}")
        if "bn" in record:
            self.name = _text(record["bn"], "bn")
            self._whole = {}
        if "bt" in record:
            self.time = _number(record["bt"], "bt")
            self._times = {}
        if "bu" in record:
            self.unit = _text(record["bu"], "bu")
        if "bv" in record:
            self.value = _number(record["bv"], "bv")
        if "bs" in record:
            self.sum = _number(record["bs"], "bs")

    def full_name(self, name: Any) -> str:
        """Return base name and name together. Raises PackError."""
        whole = self._whole.get(name)
        if whole is None:
            whole = self.name + _text(name, "n")
            if not _NAME.fullmatch(whole):
                raise PackError(f"has the name {whole!r}, which section 4.5.1 does not allow")
            self._whole[name] = whole
        return whole

    def at_ms(self, time: Any) -> int:
        """Return base time and time together, in unix milliseconds. Raises PackError."""
        at_ms = self._times.get(time)
        if at_ms is None:
            seconds = _sum(self.time, _number(time, "t"))
            if seconds < RELATIVE_BELOW_S:
                seconds = _sum(seconds, self.received_s)
            at_ms = self._times[time] = round(seconds * 1000)
        return at_ms


def _resolved(record: Mapping[str, Any], bases: _Bases) -> Record:
    if not record.keys() <= _PLAIN:
        bases.take(record)
    name = bases.full_name(record.get("n", ""))
    at_ms = bases.at_ms(record.get("t", 0))
    unit = record.get("u", bases.unit)
    if "v" in record and record.keys().isdisjoint(_OTHER_VALUES):
        value = _number(record["v"], "v")
        if bases.value is not None:
            value = _sum(bases.value, value)
        return Record(name, unit, at_ms, float(value) if type(value) is Decimal else value)
    return Record(name, _text(unit, "u"), at_ms, _other_value(record, bases))


_OTHER_VALUES = frozenset({"vs", "vb", "vd", "q", "s"})


def _other_value(record: Mapping[str, Any], bases: _Bases) -> Value | None:
    """Return a value that is no plain number; None for a reading of bad quality."""
    values = [label for label in _VALUES if label in record]
    if len(values) > 1:
        raise PackError(f"has {' and '.join(values)}; one value is allowed")
    if "q" in record:
        if record["q"] != "bad" or record.get("vs") != "":
            raise PackError(f"has quality {record['q']!r}; expected 'bad' and an empty vs")
        return None
    if "vs" in record:
        return _text(record["vs"], "vs")
    if "vb" in record:
        if not isinstance(record["vb"], bool):
            raise PackError("has a vb that is no truth value")
        return record["vb"]
    if "vd" in record:
        return _data(record["vd"])
    return _without_value(record, bases)


def _without_value(record: Mapping[str, Any], bases: _Bases) -> Value:
    """Return the base value, or the sum: one of them must be there."""
    if bases.value is not None:
        return _plain(bases.value)
    if "s" in record or bases.sum is not None:
        return _plain(_sum(bases.sum or 0, _number(record.get("s", 0), "s")))
    raise PackError("has neither a value nor a sum")


def _data(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.urlsafe_b64decode(_text(value, "vd") + "==")
    except binascii.Error as error:
        raise PackError(f"has a vd that is no base64: {error}") from None


def _number(value: Any, label: str) -> Any:
    kind = type(value)
    if kind is int or (kind is float and math.isfinite(value)) or (kind is Decimal and value.is_finite()):
        return value
    raise PackError(f"has a {label} that is no number: {value!r}")


def _text(value: Any, label: str) -> str:
    if isinstance(value, str):
        return value
    raise PackError(f"has a {label} that is no text: {value!r}")


def _sum(left: Any, right: Any) -> Any:
    """Add exactly where both are decimal; a double makes the sum one."""
    if type(left) is float or type(right) is float:
        return float(left) + float(right)
    return left + right


def _plain(number: Any) -> float | int:
    return float(number) if isinstance(number, Decimal) else number


def sequence_parts(sequence: str) -> Sequence[str]:
    """Return stream, lane and number of a sequence text. Raises PackError."""
    parts = sequence.split(":")
    if len(parts) != 3 or not re.fullmatch(r"[0-9a-f]{8}", parts[0]) or not all(map(str.isdigit, parts[1:])):
        raise PackError(f"{sequence!r} is no sequence; expected stream:lane:number")
    return parts
