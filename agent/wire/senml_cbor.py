"""SenML in CBOR (RFC 8428, section 6), put together by hand for speed and for size.

Integers of one column have one size, even where a smaller head would do (well-formed by RFC 8949,
section 3): equal records at equal distances are what makes the pack compress.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TypeAlias

from lamppost.agent.wire.columns import Batch, Column, Numbers, numbers, sendable, width
from lamppost.agent.wire.names import senml_part
from lamppost.drivers.api import Value

# Labels of RFC 8428, table 4, as CBOR integers.
_BASE_NAME, _BASE_TIME, _BASE_UNIT, _BASE_VALUE = b"\x21", b"\x22", b"\x23", b"\x24"
_VALUE, _TEXT_VALUE, _BOOL_VALUE, _TIME = b"\x02", b"\x03", b"\x04", b"\x06"
_SEQ = b"\x63seq"
_BAD = _TEXT_VALUE + b"\x60" + b"\x61q\x63bad"
_ADDITIONAL = {0: 0, 1: 24, 2: 25, 4: 26, 8: 27}
_MAP, _ARRAY, _TEXT = 0xA0, 0x80, 0x60

#: Records begun: by what follows the time, by the time in milliseconds.
Times: TypeAlias = dict[bytes, dict[int, bytes]]


def encode(batch: Batch, base_name: str, sequence: str) -> tuple[bytes, int]:
    """Return the pack, and how many bytes the longest column takes."""
    count = sum(len(column.values) for column in batch.columns)
    parts = [_head(_ARRAY, count)]
    times: Times = {b"": _times(batch)}
    header = [_SEQ + text(sequence), _BASE_TIME + _seconds(batch.start_ms)]
    unit, base = "", 0
    for column in batch.columns:
        plan = numbers(column.values)
        header.append(_name(base_name, column.quantity))
        if column.unit != unit:
            unit = column.unit
            header.append(_BASE_UNIT + text(unit))
        if (plan.base if plan else 0) != base:
            base = plan.base if plan else 0
            header.append(_BASE_VALUE + integer(base, width(base)))
        records = _numbers(plan, column, times) if plan else _mixed(column, times)
        # The first record of a column carries the base fields: a map with so many entries more.
        records[0] = bytes((records[0][0] + len(header),)) + b"".join(header) + records[0][1:]
        header = []
        parts.append(b"".join(records))
    return b"".join(parts), max(map(len, parts))


@lru_cache(maxsize=8192)
def _name(base_name: str, quantity: str) -> bytes:
    return _BASE_NAME + text(base_name + senml_part(quantity))


def _times(batch: Batch) -> dict[int, bytes]:
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


def _numbers(plan: Numbers, column: Column, times: Times) -> list[bytes]:
    low, high = min(plan.mantissas), max(plan.mantissas)
    size = max(width(low), width(high))
    begin = _VALUE + (b"\xc4\x82" + integer(-plan.decimals, 0) if plan.decimals else b"")
    # A size of 0 means that the number sits in the head itself (RFC 8949, section 3).
    count, negative = size or 1, 0 if size else 0x20
    plus = minus = begin
    if size:
        plus, minus = begin + bytes((_ADDITIONAL[size],)), begin + bytes((0x20 | _ADDITIONAL[size],))
    above = _begun(times, plus)
    if low >= 0:
        return [
            above[ms] + number.to_bytes(count)
            for ms, number in zip(column.times, plan.mantissas, strict=True)
        ]
    below = _begun(times, minus)
    return [
        above[ms] + number.to_bytes(count)
        if number >= 0
        else below[ms] + (~number + negative).to_bytes(count)
        for ms, number in zip(column.times, plan.mantissas, strict=True)
    ]


def _begun(times: Times, label: bytes) -> dict[int, bytes]:
    """Return, for each time, a record up to its value; most columns share them."""
    begun = times.get(label)
    if begun is None:
        begun = times[label] = {ms: record + label for ms, record in times[b""].items()}
    return begun


def _mixed(column: Column, times: Times) -> list[bytes]:
    records = []
    heads = times[b""]
    for ms, value in zip(column.times, map(sendable, column.values), strict=True):
        head = heads[ms]
        if value is None:  # one entry more: the label q
            records.append(bytes((head[0] + 1,)) + head[1:] + _BAD)
        else:
            records.append(head + _single(value))
    return records


def _single(value: Value) -> bytes:
    if isinstance(value, bool):
        return _BOOL_VALUE + (b"\xf5" if value else b"\xf4")
    if isinstance(value, str):
        return _TEXT_VALUE + text(value)
    plan = numbers([value])
    if plan is None:
        return _VALUE + _double(float(value))
    number = plan.mantissas[0]
    if plan.decimals:
        return _VALUE + decimal(number, plan.decimals, width(number))
    return _VALUE + integer(number, width(number))


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
