"""Registers to values and back: types, byte orders, scaling, invalid markers. Pure.

Modbus Application Protocol 1.1b3, section 4.2: an item is big endian on the wire. Makers differ in
the order of the words of longer items, hence the four orders.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from lamppost.drivers.api import Value
from lamppost.drivers.modbus.profile import Register

#: From what `struct` unpacked to a value; None is a bad one. A missing converter is the identity.
Convert: TypeAlias = Callable[[Any], Value | None]

FORMAT = {
    "bool": "H", "int16": "h", "uint16": "H", "bcd16": "H", "int32": "i", "uint32": "I", "bcd32": "I",
    "int64": "q", "uint64": "Q", "float32": "f", "float64": "d",
}  # fmt: skip


def unpacking(register: Register) -> tuple[str, Convert | None]:
    """Return the big-endian `struct` format of one value and its converter."""
    if register.type == "ascii":
        return f"{2 * register.width}s", _text(register)
    format_ = FORMAT[register.type]
    convert = _number(register)
    if (register.order == "ABCD" and register.type != "bool") or (
        register.width == 1 and register.order == "CDAB"
    ):
        return format_, convert
    if register.type == "bool" and register.order == "ABCD":
        return "H", bool
    size = 2 * register.width
    return f"{size}s", _reordered(register, struct.Struct(f">{format_}"), convert)


def reorder(data: bytes, order: str) -> bytes:
    """Bring one item from ``order`` to big endian, or back: each order is its own inverse."""
    if order == "ABCD":
        return data
    if order == "DCBA":
        return data[::-1]
    if order == "BADC":
        return b"".join(data[i : i + 2][::-1] for i in range(0, len(data), 2))
    return b"".join(data[i : i + 2] for i in range(len(data) - 2, -1, -2))


def _reordered(register: Register, packed: struct.Struct, convert: Convert | None) -> Convert:
    order = register.order

    def from_bytes(data: bytes) -> Value | None:
        (raw,) = packed.unpack(reorder(data, order))
        return raw if convert is None else convert(raw)

    return from_bytes


def _text(register: Register) -> Convert:
    order = register.order

    def decode(data: bytes) -> str | None:
        if order in ("BADC", "DCBA"):
            data = reorder(data, "BADC")
        text = data.split(b"\0", 1)[0].decode("ascii", "replace").strip()
        return text if text.isprintable() and "\ufffd" not in text else None

    return decode


def _number(register: Register) -> Convert | None:
    """Chain what the register needs, cheapest first; None when the raw value is the value."""
    first = _raw_stage(register)
    second = _scaling(register)
    limits = _limits(register)
    stages = [stage for stage in (first, second, limits) if stage is not None]
    if not stages:
        return None
    if len(stages) == 1:
        return stages[0]

    def chain(raw: Any) -> Value | None:
        value: Any = raw
        for stage in stages:
            value = stage(value)
            if value is None:
                return None
        return value  # type: ignore[no-any-return]

    return chain


def _raw_stage(register: Register) -> Convert | None:
    """Invalid markers, BCD digits, bit fields, and floats that are no numbers."""
    size = 16 * register.width
    invalid = frozenset(_signed(v, size) if register.type.startswith("int") else v for v in register.invalid)
    if register.type in ("float32", "float64"):
        return _float(register, invalid)
    if register.type in ("bcd16", "bcd32"):
        return lambda raw: None if raw in invalid else _bcd(raw)
    if register.bit is not None:
        shift, mask = register.bit, (1 << register.bits) - 1
        if register.bits == 1:
            return lambda raw: None if raw in invalid else bool(raw >> shift & 1)
        return lambda raw: None if raw in invalid else raw >> shift & mask
    if invalid:
        return lambda raw: None if raw in invalid else raw
    return None


def _float(register: Register, invalid: frozenset[int]) -> Convert:
    """Floats: NaN and infinities are bad; float32 keeps the seven digits that it really has."""
    pack = struct.Struct(f">{FORMAT[register.type]}").pack
    short = register.type == "float32" and register.decimals is None
    isfinite = math.isfinite

    def check(raw: float) -> float | None:
        if not isfinite(raw) or (invalid and int.from_bytes(pack(raw), "big") in invalid):
            return None
        return float(f"{raw:.7g}") if short else raw

    return check


def _signed(value: int, size: int) -> int:
    return value - (1 << size) if value >= 1 << size - 1 else value


def _bcd(raw: int) -> int | None:
    try:
        return int(f"{raw:x}")
    except ValueError:
        return None


def _scaling(register: Register) -> Convert | None:
    """Apply raw * scale + offset, rounded so that 2301 x 0.1 is 230.1 and not 230.10000000000002."""
    scale, offset = register.scale, register.offset
    decimals = register.decimals
    if scale == 1.0 and offset == 0.0:
        return None if decimals is None else lambda raw: round(raw, decimals)
    if decimals is None and not register.type.startswith("float"):
        decimals = max(_decimals(scale), _decimals(offset))
    divisor = round(1 / scale)
    if offset == 0.0 and scale < 1 and divisor == 10 ** _decimals(scale) and decimals == _decimals(scale):
        return lambda raw: raw / divisor
    if decimals is None:
        return lambda raw: raw * scale + offset
    if decimals == 0:
        return lambda raw: round(raw * scale + offset)
    return lambda raw: round(raw * scale + offset, decimals)


def _decimals(number: float) -> int:
    exponent = Decimal(str(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _limits(register: Register) -> Convert | None:
    if register.min is None and register.max is None:
        return None
    low = -math.inf if register.min is None else register.min
    high = math.inf if register.max is None else register.max
    return lambda value: value if low <= value <= high else None


def pack(register: Register, value: Value) -> list[int]:
    """Return the registers (or the single 0/1 of a coil) that mean ``value``.

    Raises ValueError if the value does not fit; bit fields cannot be written alone.
    """
    if register.bit is not None:
        raise ValueError("a bit field cannot be written without its neighbours")
    if register.type == "ascii":
        data = reorder_text(str(value), register)
    elif isinstance(value, str):
        raise ValueError(f"expected a number, found {value!r}")
    elif register.is_bit or register.type == "bool":
        if value not in (0, 1):
            raise ValueError(f"expected true or false, found {value!r}")
        return [int(value)]
    else:
        data = reorder(_pack_number(register, float(value)), register.order)
    return list(struct.unpack(f">{len(data) // 2}H", data))


def _pack_number(register: Register, value: float) -> bytes:
    if (register.min is not None and value < register.min) or (
        register.max is not None and value > register.max
    ):
        raise ValueError(f"{value:g} is outside {register.min} to {register.max}")
    raw: float = (value - register.offset) / register.scale
    if register.type.startswith("float"):
        return struct.pack(f">{FORMAT[register.type]}", raw)
    whole = round(raw)
    if register.type.startswith("bcd"):
        if not 0 <= whole < 10 ** (4 * register.width):
            raise ValueError(f"{value:g} does not fit into {register.type}")
        whole = int(str(whole), 16)
    try:
        return struct.pack(f">{FORMAT[register.type]}", whole)
    except struct.error as error:
        raise ValueError(f"{value:g} does not fit into {register.type}") from error


def reorder_text(text: str, register: Register) -> bytes:
    """Return the bytes of an ASCII register, padded with zeros."""
    data = text.encode("ascii", "strict") if text.isascii() else b""
    if len(data) > 2 * register.width or not text.isascii():
        raise ValueError(f"{text!r} is no ASCII text of at most {2 * register.width} characters")
    data = data.ljust(2 * register.width, b"\0")
    return reorder(data, "BADC") if register.order in ("BADC", "DCBA") else data
