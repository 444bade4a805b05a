"""Telemetry as columns: all values of one quantity, and the shortest exact way to write them down.

A pack is written quantity by quantity, because then a record repeats everything but its value: the
name comes once, the times repeat from column to column, and a counter becomes a small number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import chain, repeat
from operator import itemgetter, mul, truediv
from typing import Any, NamedTuple

from lamppost.agent.wire.times import unix_ms
from lamppost.drivers.api import Quality, Reading, Value

_EXACT = 2**53  # every whole number below is its own double (IEEE 754 binary64)
_MANTISSA_LIMIT = 2**32  # beyond it a decimal fraction is longer than a double
_MAX_DECIMALS = 9
_INT64 = range(-(2**63), 2**64)
_GOOD = Quality.GOOD  # looking it up in the enumeration costs more than comparing with it
_WHOLE, _DECIMAL = frozenset({int}), frozenset({int, float})


class Column(NamedTuple):
    """The values of one quantity in the order they came, None where the quality is bad."""

    quantity: str
    unit: str
    times: list[int]
    values: Sequence[Value | None]


# `Column._make` without its Python frame.
_column: Callable[[Iterable[Any]], Column] = partial(tuple.__new__, Column)


class Numbers(NamedTuple):
    """How a column of numbers is written: ``base`` + ``mantissas`` x 10^-``decimals``.

    ``size`` is what `width` says of the longest mantissa; ``signed`` says that some are below zero.
    """

    mantissas: Sequence[int]
    size: int
    signed: bool
    decimals: int = 0
    base: int = 0


class Batch(NamedTuple):
    """Columns, and the times of the polls as milliseconds after ``start_ms`` (unix)."""

    start_ms: int
    columns: list[Column]
    offsets_ms: dict[int, int]


def split(readings: Sequence[Reading]) -> Batch:
    """Sort readings into columns; columns of one unit stand together, those without a unit first."""
    columns = _table(readings) or _sparse(readings)
    columns.sort(key=itemgetter(1))
    different = {id(column.times): column.times for column in columns}
    times = sorted(set(chain.from_iterable(different.values())))
    return Batch(times[0], columns, {ms: ms - times[0] for ms in times})


def _table(readings: Sequence[Reading]) -> list[Column] | None:
    """Return the columns where each poll holds the same quantities in the same order, else None.

    This is what a device gives whose values all change. Nothing here is done reading by reading.
    """
    first = readings[0].at
    width = next((index for index, reading in enumerate(readings) if reading[4] is not first), len(readings))
    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    times, rows = [], []
    for start in range(0, len(readings), width):
        _, quantities, values, its_units, ats, qualities = zip(*readings[start : start + width], strict=True)
        if not start:
            names, units = quantities, its_units
        if quantities != names or its_units != units or ats.count(ats[0]) < width:
            return None
        if qualities.count(_GOOD) < width:
            values = tuple(v if q is _GOOD else None for v, q in zip(values, qualities, strict=True))
        times.append(unix_ms(ats[0]))
        rows.append(values)
    if len(set(names)) < width:
        return None
    return list(map(_column, zip(names, units, repeat(times), zip(*rows, strict=True), strict=False)))


def _sparse(readings: Sequence[Reading]) -> list[Column]:
    """Return the columns of polls that hold different quantities: what a deadband leaves."""
    columns: dict[tuple[str, str], tuple[list[int], list[Value | None]]] = {}
    latest: datetime | None = None
    ms = 0
    for _, quantity, value, unit, at, quality in readings:
        if at is not latest:  # the readings of a poll share their time
            latest, ms = at, unix_ms(at)
        column = columns.get((quantity, unit))
        if column is None:
            column = columns[quantity, unit] = ([], [])
        column[0].append(ms)
        column[1].append(value if quality is _GOOD else None)
    return [Column(*key, *column) for key, column in columns.items()]


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
    if kinds == _WHOLE:
        return _whole(values)  # type: ignore[arg-type]  # mypy cannot see through the set of types
    if kinds <= _DECIMAL:
        return _decimal(values)  # type: ignore[arg-type]
    return None


def _whole(values: Sequence[int]) -> Numbers | None:
    low, high = min(values), max(values)
    size = width(high) if low >= 0 else max(width(low), width(high))
    if low < -_EXACT or high > _EXACT:
        return None if low not in _INT64 or high not in _INT64 else Numbers(values, size, low < 0)
    if size and len(values) > 2 and (less := width(high - low)) < size:
        return Numbers([value - low for value in values], less, signed=False, base=low)
    return Numbers(values, size, low < 0)


def _decimal(values: Sequence[float]) -> Numbers | None:
    given, first = list(values), values[0]
    try:
        for decimals in range(_MAX_DECIMALS + 1):
            scale = 10**decimals
            if round(first * scale) / scale != first:
                continue
            mantissas = list(map(round, map(mul, given, repeat(scale))))
            if list(map(truediv, mantissas, repeat(scale))) == given:
                break
        else:
            return None
    except (ValueError, OverflowError):  # NaN, infinity
        return None
    if not decimals:
        return _whole(mantissas)
    low, high = min(mantissas), max(mantissas)
    if low <= -_MANTISSA_LIMIT or high >= _MANTISSA_LIMIT:
        return None
    return Numbers(mantissas, max(width(low), width(high)), low < 0, decimals)


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
