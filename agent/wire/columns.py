"""Telemetry as columns: all values of one quantity, and the shortest exact way to write them down.

A pack is written quantity by quantity, because then a record repeats everything but its value: the
name comes once, the times repeat from column to column, and a counter becomes a small number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from operator import itemgetter, mul, truediv
from typing import Any, NamedTuple

from lamppost.agent.wire.polls import Poll
from lamppost.agent.wire.times import unix_ms
from lamppost.drivers.api import Value

_EXACT = 2**53  # every whole number below is its own double (IEEE 754 binary64)
_MANTISSA_LIMIT = 2**32  # beyond it a decimal fraction is longer than a double
_MAX_DECIMALS = 9
#: A column so long begins at 0, though its numbers take no less room: counters become equal columns
#: and slow values get equal high bytes, which compress. In a short one the base costs more than it gains.
_LONG = 64
_INT64 = range(-(2**63), 2**64)
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


def split(polls: Sequence[Poll]) -> Batch:
    """Sort readings into columns; columns of one unit stand together, those without a unit first."""
    columns = _table(polls) or _sparse(polls)
    columns.sort(key=itemgetter(1))
    times = sorted({unix_ms(poll.at) for poll in polls})
    return Batch(times[0], columns, {ms: ms - times[0] for ms in times})


def _table(polls: Sequence[Poll]) -> list[Column] | None:
    """Return the columns where each poll holds the same quantities in the same order, else None.

    This is what a device gives whose values all change. Nothing here is done reading by reading.
    """
    ats, (names, *others), (units, *their_units), rows = zip(*polls, strict=True)
    if others.count(names) < len(others) or their_units.count(units) < len(others):
        return None
    if len(set(names)) < len(names):
        return None
    times = list(map(unix_ms, ats))
    return list(map(_column, zip(names, units, repeat(times), zip(*rows, strict=True), strict=False)))


def _sparse(polls: Sequence[Poll]) -> list[Column]:
    """Return the columns of polls that hold different quantities: what a deadband leaves."""
    columns: dict[tuple[str, str], tuple[list[int], list[Value | None]]] = {}
    for at, quantities, units, values in polls:
        ms = unix_ms(at)
        for key, value in zip(zip(quantities, units, strict=True), values, strict=True):
            column = columns.get(key)
            if column is None:
                column = columns[key] = ([], [])
            column[0].append(ms)
            column[1].append(value)
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
    less = width(high - low)
    if size and low and (len(values) >= _LONG or (len(values) > 2 and less < size)):
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
