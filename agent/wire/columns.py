"""Telemetry as columns: all values of one quantity, and the shortest exact way to write them down.

A pack is written quantity by quantity, because then a record repeats everything but its value: the
name comes once, the times repeat from column to column, and a counter becomes a small number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from lamppost.agent.wire.times import unix_ms
from lamppost.drivers.api import Quality, Reading, Value

_EXACT = 2**53  # every whole number below is its own double (IEEE 754 binary64)
_MANTISSA_LIMIT = 2**32  # beyond it a decimal fraction is longer than a double
_MAX_DECIMALS = 9
_INT64 = range(-(2**63), 2**64)


class Column(NamedTuple):
    """The values of one quantity in the order they came, None where the quality is bad."""

    quantity: str
    unit: str
    times: list[int]
    values: list[Value | None]


class Numbers(NamedTuple):
    """How a column of numbers is written: ``base`` + ``mantissas`` x 10^-``decimals``."""

    mantissas: list[int]
    decimals: int = 0
    base: int = 0


class Batch(NamedTuple):
    """Columns, and the times of the polls as milliseconds after ``start_ms`` (unix)."""

    start_ms: int
    columns: list[Column]
    offsets_ms: dict[int, int]


def split(readings: Iterable[Reading]) -> Batch:
    """Sort readings into columns; columns of one unit stand together, those without a unit first."""
    columns: dict[tuple[str, str], tuple[list[int], list[Value | None]]] = {}
    times: set[int] = set()
    latest: datetime | None = None
    ms = 0
    for _, quantity, value, unit, at, quality in readings:
        if at is not latest:  # the readings of a poll share their time
            latest, ms = at, unix_ms(at)
            times.add(ms)
        column = columns.get((quantity, unit))
        if column is None:
            column = columns[quantity, unit] = ([], [])
        column[0].append(ms)
        column[1].append(value if quality is Quality.GOOD else None)
    start_ms = min(times, default=0)
    ordered = [Column(*key, *column) for key, column in columns.items()]
    ordered.sort(key=lambda column: column.unit)
    return Batch(start_ms, ordered, {ms: ms - start_ms for ms in sorted(times)})


def sendable(value: Value | None) -> Value | None:
    """Return the value as the wire can carry it, None for what is no number (NaN, infinity)."""
    if type(value) is float:
        return value if math.isfinite(value) else None
    if type(value) is int and value not in _INT64:
        return float(value) if abs(value) < 2**1023 else None
    return value


def numbers(values: Sequence[Value | None]) -> Numbers | None:
    """Return how to write a column as decimal numbers, or None if it holds anything else.

    Exact: the decimal number nearest to each double that has so few digits is that double's own.
    """
    kinds = set(map(type, values))
    if kinds == {int}:
        return _whole(values)  # type: ignore[arg-type]  # mypy cannot see through the set of types
    if kinds in ({float}, {int, float}):
        return _decimal(values)  # type: ignore[arg-type]
    return None


def _whole(values: list[int]) -> Numbers | None:
    low, high = min(values), max(values)
    if low < -_EXACT or high > _EXACT:
        return None if low not in _INT64 or high not in _INT64 else Numbers(values)
    if len(values) > 2 and width(high - low) < max(width(low), width(high)):
        return Numbers([value - low for value in values], base=low)
    return Numbers(values)


def _decimal(values: list[float]) -> Numbers | None:
    try:
        for decimals in range(_MAX_DECIMALS + 1):
            scale = 10**decimals
            if round(values[0] * scale) / scale != values[0]:
                continue
            mantissas = [round(value * scale) for value in values]
            if [mantissa / scale for mantissa in mantissas] == values:
                break
        else:
            return None
    except (ValueError, OverflowError):  # NaN, infinity
        return None
    if not decimals:
        return _whole(mantissas)
    if max(mantissas) < _MANTISSA_LIMIT and min(mantissas) > -_MANTISSA_LIMIT:
        return Numbers(mantissas, decimals)
    return None


def width(number: int) -> int:
    """Return how many bytes a CBOR integer needs after its first byte (RFC 8949, section 3)."""
    size = number if number >= 0 else -1 - number
    if size < 24:
        return 0
    if size < 0x100:
        return 1
    if size < 0x10000:
        return 2
    return 4 if size < 0x1_0000_0000 else 8
