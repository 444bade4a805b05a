"""SenML in CBOR (RFC 8428, section 6), put together by hand for speed and for size.

Integers of one column have one size, even where a smaller head would do (well-formed by RFC 8949,
section 3): equal records at equal distances are what makes the pack compress.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from lamppost.agent.wire.columns import Batch, Numbers, numbers, sendable, width
from lamppost.agent.wire.names import senml_part
from lamppost.drivers.api import Value

# Labels of RFC 8428, table 4, as CBOR integers.
_BASE_NAME, _BASE_TIME, _BASE_UNIT, _BASE_VALUE = b"\x21", b"\x22", b"\x23", b"\x24"
_VALUE, _TEXT_VALUE, _BOOL_VALUE, _TIME = b"\x02", b"\x03", b"\x04", b"\x06"
_SEQ = b"\x63seq"
_BAD = _TEXT_VALUE + b"\x60" + b"\x61q\x63bad"
_ADDITIONAL = {0: 0, 1: 24, 2: 25, 4: 26, 8: 27}
_MAP, _ARRAY, _TEXT, _NEGATIVE = 0xA0, 0x80, 0x60, 0x20
#: What stands before the mantissa, by the number of decimals.
_LABELS = [_VALUE, *(_VALUE + bytes((0xC4, 0x82, _NEGATIVE | n - 1)) for n in range(1, 10))]
#: What stands before the bytes of a whole number, by their count; see `_CODES` for none.
_HEADS = {0: b"", **{size: bytes((n,)) for size, n in _ADDITIONAL.items() if size}}
_NEGATIVE_HEADS = {0: b"", **{size: bytes((_NEGATIVE | n,)) for size, n in _ADDITIONAL.items() if size}}

#: `struct` codes of whole numbers by their size; a size of 0 means that the number sits in the head
#: itself (RFC 8949, section 3).
_CODES = {0: "B", 1: "B", 2: "H", 4: "I", 8: "Q"}


def encode(batch: Batch, base_name: str, sequence: str) -> tuple[bytes, int]:
    """Return the pack, and how many bytes the longest column takes."""
    parts = [_head(_ARRAY, sum([len(column[2]) for column in batch.columns]))]
    writer = _Records(batch)
    header = [_SEQ + text(sequence), _BASE_TIME + _seconds(batch.start_ms)]
    unit, base, longest = "", 0, 0
    for quantity, its_unit, times, values in batch.columns:
        plan = numbers(values) if len(values) > 1 else None
        header.append(_name(base_name, quantity))
        if its_unit != unit:
            unit = its_unit
            header.append(_BASE_UNIT + text(unit))
        if (plan.base if plan else 0) != base:
            base = plan.base if plan else 0
            header.append(_BASE_VALUE + integer(base, width(base)))
        records = writer.numbers(times, plan) if plan else writer.mixed(times, values)
        # The first record of a column carries the base fields: a map with so many entries more.
        parts.append(bytes((records[0] + len(header),)))
        parts += header
        parts.append(records[1:])
        header = []
        longest = max(longest, len(records))
    return b"".join(parts), longest


@lru_cache(maxsize=8192)
def _name(base_name: str, quantity: str) -> bytes:
    return _BASE_NAME + text(base_name + senml_part(quantity))


class _Records:
    """Writes columns as records.

    The records of a column of numbers have one size, and most columns have the same times: so all
    but the values is prepared once for many columns.
    """

    def __init__(self, batch: Batch) -> None:
        self._begin = _begin(batch)
        self._most = max([column[2] for column in batch.columns], key=len)
        self._prepared: dict[bytes, tuple[Callable[..., bytes], list[Any]]] = {}

    def numbers(self, times: list[int], plan: Numbers) -> bytes:
        """Return the records of a column of numbers."""
        values, size, signed, decimals, _ = plan
        label = _LABELS[decimals]
        pack, fields = self._fields(times, label + _HEADS[size], size)
        if signed:
            _, others = self._fields(times, label + _NEGATIVE_HEADS[size], size)
            fields = fields.copy()
            fields[::2] = [
                plus if value >= 0 else minus
                for value, plus, minus in zip(values, fields[::2], others[::2], strict=True)
            ]
            major = 0 if size else _NEGATIVE
            values = [value if value >= 0 else ~value | major for value in values]
        fields[1::2] = values
        return pack(*fields)

    def _fields(self, times: list[int], label: bytes, size: int) -> tuple[Callable[..., bytes], list[Any]]:
        """Return what packs records at these times, and its arguments: every other one is a value."""
        prepared = self._prepared.get(label) if times == self._most else None
        if prepared is None:
            begun = [self._begin[ms] + label for ms in times]
            record = f"{len(begun[0])}s{_CODES[size]}"
            fields: list[Any] = [0] * (2 * len(times))
            fields[::2] = begun
            prepared = struct.Struct(">" + record * len(times)).pack, fields
            if times == self._most:
                self._prepared[label] = prepared
        return prepared

    def mixed(self, times: list[int], values: Sequence[Value | None]) -> bytes:
        """Return the records of a column of anything."""
        return b"".join([_record(self._begin[ms], value) for ms, value in zip(times, values, strict=True)])


def _record(begin: bytes, value: Value | None) -> bytes:
    value = sendable(value)
    if value is None:  # one entry more: the label q
        return bytes((begin[0] + 1,)) + begin[1:] + _BAD
    return begin + _single(value)


def _begin(batch: Batch) -> dict[int, bytes]:
    """Return, for each time, the beginning of a record: the map's head, and its time if there are several."""
    offsets = batch.offsets_ms
    if len(offsets) == 1:
        return dict.fromkeys(offsets, bytes((_MAP | 1,)))
    begin = bytes((_MAP | 2,)) + _TIME
    last = max(offsets.values())
    if all(offset % 1000 == 0 for offset in offsets.values()):
        size = width(last // 1000)
        return {ms: begin + integer(offset // 1000, size) for ms, offset in offsets.items()}
    return {ms: begin + decimal(offset, 3, width(last)) for ms, offset in offsets.items()}


def _single(value: Value) -> bytes:
    if isinstance(value, bool):
        return _BOOL_VALUE + (b"\xf5" if value else b"\xf4")
    if isinstance(value, str):
        return _TEXT_VALUE + text(value)
    plan = numbers([value])
    if plan is None:
        return _VALUE + _double(float(value))
    mantissas, size, _, decimals, _ = plan
    return _LABELS[decimals] + integer(mantissas[0], size)


def _double(value: float) -> bytes:
    """Return the shorter of single and double precision that holds the value exactly."""
    try:
        single = struct.pack(">f", value)
    except OverflowError:
        return b"\xfb" + struct.pack(">d", value)
    if struct.unpack(">f", single)[0] == value:
        return b"\xfa" + single
    return b"\xfb" + struct.pack(">d", value)


def _seconds(ms: int) -> bytes:
    return decimal(ms, 3, width(ms)) if ms % 1000 else integer(ms // 1000, width(ms // 1000))


def integer(number: int, size: int) -> bytes:
    """Return a CBOR integer with ``size`` bytes after its head; 0 puts it into the head."""
    return _head(0x00, number, size) if number >= 0 else _head(0x20, ~number, size)


def decimal(mantissa: int, decimals: int, size: int) -> bytes:
    """Return a CBOR decimal fraction (tag 4): mantissa x 10^-decimals."""
    return b"\xc4\x82" + integer(-decimals, 0) + integer(mantissa, size)


def text(value: str) -> bytes:
    """Return a CBOR text string; what UTF-8 cannot hold becomes a question mark."""
    data = value.encode("utf-8", "replace")
    return _head(_TEXT, len(data)) + data


def _head(major: int, number: int, size: int | None = None) -> bytes:
    if size is None:
        size = width(number)
    if not size:
        return bytes((major | number,))
    return bytes((major | _ADDITIONAL[size],)) + number.to_bytes(size)
