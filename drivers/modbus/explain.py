"""What the registers of a device say, beside what the profile makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lamppost.drivers.api import Look, Value
from lamppost.drivers.modbus import frame
from lamppost.drivers.modbus.line import Line, RefusedError
from lamppost.drivers.modbus.plan import Block, Field


async def explain(line: Line, unit: int, blocks: Sequence[Block], timeout_s: float) -> list[Look]:
    """Read every block once; return each quantity with its raw registers. Reads only.

    What the device refuses is said of its quantities. Raises what `Line.ask` raises, but RefusedError.
    """
    found: list[Look] = []
    left = list(blocks)
    while left:
        block = left.pop(0)
        request = frame.read(unit, block.function, block.address, block.count, str(block))
        try:
            data = await line.ask(request, timeout_s, lambda _kind, _detail: None)
        except RefusedError as error:
            smaller = block.split()
            if len(smaller) > 1:
                left[:0] = smaller
            else:
                found += [Look(f.name, None, f.register.unit, "", str(error)) for f in block.fields]
            continue
        values = block.decode(data)
        found += [_look(block, field, data, value) for field, value in zip(block.fields, values, strict=True)]
    return found


def _look(block: Block, field: Field, data: bytes, value: Value | None) -> Look:
    register = field.register
    where = f"{register.table} {field.address}"
    if block.is_bits:
        return Look(field.name, value, register.unit, f"{where}: {int(bool(value))}", "")
    begin = 2 * (field.address - block.address)
    part = data[begin : begin + 2 * register.width]
    raw = f"{where}: {part.hex(' ', 2)}"
    return Look(field.name, value, register.unit, raw, "" if value is not None else _why(field, part))


def _why(field: Field, part: bytes) -> str:
    """Say why a value is not believed."""
    register = field.register
    number = int.from_bytes(part, "big")
    if number in register.invalid:
        return "means: no value"
    unlimited = register.model_copy(update={"min": None, "max": None})
    alone = Block(register.table, field.address, register.width, (replace(field, register=unlimited),))
    meant = alone.decode(part)[0]
    if meant is None:
        return f"is no {register.type}"
    low = "" if register.min is None else f"at least {register.min:g}"
    high = "" if register.max is None else f"at most {register.max:g}"
    return f"{meant} is not believed: expected {' and '.join(filter(None, (low, high)))}"
