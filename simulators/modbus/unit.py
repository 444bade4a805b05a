"""One Modbus unit (slave): its tables, its quantities, and its answer to a request."""

from __future__ import annotations

import struct
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from lamppost.simulators.faults import Faults
from lamppost.simulators.modbus.behaviour import StepEachRead
from lamppost.simulators.modbus.memory import WIDTH, Area, Block, Table, images
from lamppost.simulators.modbus.points import Point
from lamppost.simulators.modbus.state import State

Values: TypeAlias = Mapping[int, int] | Sequence[int]

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
READ: dict[int, Area] = {1: "coils", 2: "discrete", 3: "holding", 4: "input"}
ALL_FUNCTIONS = frozenset({1, 2, 3, 4, 5, 6, 15, 16})


class RefusedError(Exception):
    """The unit answers with this Modbus exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Unit:
    """A Modbus unit with the addresses it was given and no other.

    ``holding``, ``input``, ``coils``, ``discrete`` give raw values by address (a sequence begins at
    address 0), ``blocks`` large patterns by table, ``points`` quantities with a behaviour.
    Reading an address that does not exist is answered with exception 2, more than ``max_read``
    registers in one request with exception 3, a function not in ``functions`` with exception 1.
    Writing is refused (exception 2) except at points marked writable and at ``writable`` addresses.
    ``clock`` is the simulated time in seconds that behaviours see.
    ``turnaround_s`` is how long it takes to begin an answer.
    """

    def __init__(
        self,
        unit: int = 1,
        *,
        name: str = "",
        holding: Values = (),
        input: Values = (),  # noqa: A002 - the table's name in the specification
        coils: Values = (),
        discrete: Values = (),
        blocks: Iterable[tuple[Area, Block]] = (),
        points: Iterable[Point] = (),
        writable: Mapping[Area, Collection[int]] | None = None,
        max_read: int = 125,
        functions: Collection[int] = ALL_FUNCTIONS,
        clock: Callable[[], float] = time.time,
        turnaround_s: float = 0.0,
        refresh_s: float = 0.02,
    ) -> None:
        self.id = unit
        self.name = name or f"unit {unit}"
        self.max_read = max_read
        self.functions = functions
        self.turnaround_s = turnaround_s
        self.faults = Faults(seed=unit)
        self.requests = 0
        self.by_function: Counter[int] = Counter()
        #: How often each (function, address, count) was asked for.
        self.by_range: Counter[tuple[int, int, int]] = Counter()
        self.state = State(points, clock)
        self._writable: dict[Area, set[int]] = {k: set(v) for k, v in (writable or {}).items()}
        given: dict[Area, Values] = {"holding": holding, "input": input, "coils": coils, "discrete": discrete}
        self._tables = {area: self._table(area, values, blocks) for area, values in given.items()}
        self._refresh_s = refresh_s
        self._drawn_at = float("-inf")
        self._stepping = [p for p in self.state.points.values() if isinstance(p.behaviour, StepEachRead)]

    def _table(self, area: Area, values: Values, blocks: Iterable[tuple[Area, Block]]) -> Table:
        known = dict(values) if isinstance(values, Mapping) else dict(enumerate(values))
        for point in self.state.points.values():
            if point.area == area:
                addresses = range(point.address, point.address + point.length)
                known.update({at: 0 for at in addresses if at not in known})
                if point.writable:
                    self._writable.setdefault(area, set()).update(addresses)
        own = [block for where, block in blocks if where == area]
        return Table([*images(known, WIDTH[area]), *own])

    def value(self, quantity: str) -> float:
        """Return the physical value of a quantity now."""
        return self.state.value(quantity)

    def values(self) -> dict[str, float]:
        """Return all quantities now."""
        return {quantity: self.state.value(quantity) for quantity in self.state.points}

    def set(self, quantity: str, value: float) -> None:
        """Hold a quantity at a value until it is released."""
        self.state.set(quantity, value)
        self._drawn_at = float("-inf")

    def ramp(self, quantity: str, to: float, over_s: float) -> None:
        """Bring a quantity from where it is to ``to`` within ``over_s`` seconds, and hold it there."""
        self.state.ramp(quantity, to, over_s)
        self._drawn_at = float("-inf")

    def freeze(self, quantity: str) -> None:
        """Hold a quantity where it is."""
        self.state.freeze(quantity)
        self._drawn_at = float("-inf")

    def release(self, quantity: str) -> None:
        """Let a quantity follow its behaviour again."""
        self.state.release(quantity)
        self._drawn_at = float("-inf")

    def set_raw(self, quantity: str, registers: Sequence[int]) -> None:
        """Put raw registers in place of a quantity, for example a vendor's mark for "no value" (0xFFFF)."""
        self.state.set_raw(quantity, struct.pack(f">{len(registers)}H", *registers))
        self._drawn_at = float("-inf")

    def peek(self, area: Area, address: int, count: int = 1) -> list[int]:
        """Return raw values as a client would read them, without counting as a read."""
        self._draw()
        data = self._block(area, address, count).read(address, count)
        return list(struct.unpack(f">{count}{'H' if WIDTH[area] == 2 else 'B'}", data))

    def poke(self, area: Area, address: int, values: Sequence[int]) -> None:
        """Put raw values into a table, writable or not. A quantity that lies there is held at them."""
        form = "H" if WIDTH[area] == 2 else "B"
        self._store(area, address, len(values), struct.pack(f">{len(values)}{form}", *values))

    def unpoke(self, area: Area, address: int, count: int = 1) -> None:
        """Let a pattern block follow its pattern again."""
        self._block(area, address, count).restore(address, count)

    def answer(self, pdu: bytes) -> bytes:
        """Return the answer to a request, without any fault."""
        function = pdu[0]
        if function not in self.functions:
            return bytes((function | 0x80, ILLEGAL_FUNCTION))
        try:
            return self._read(pdu) if function in READ else self._write(pdu)
        except struct.error:
            return bytes((function | 0x80, ILLEGAL_VALUE))
        except RefusedError as refused:
            return bytes((function | 0x80, refused.code))

    def _read(self, pdu: bytes) -> bytes:
        function, address, count = struct.unpack(">BHH", pdu)
        bits = function <= 2
        if not 1 <= count <= (2000 if bits else min(125, self.max_read)):
            raise RefusedError(ILLEGAL_VALUE)
        area = READ[function]
        block = self._block(area, address, count)
        if self.state.points:
            self._draw()
        data = block.read(address, count)
        for point in self._stepping:
            if point.area == area and address < point.address + point.length <= address + count:
                self._step(point)
        if bits:
            data = _packed(data)
        return bytes((function, len(data))) + data

    def _step(self, point: Point) -> None:
        assert isinstance(point.behaviour, StepEachRead)
        point.behaviour.step()
        self._drawn_at = float("-inf")

    def _write(self, pdu: bytes) -> bytes:
        function, address, word = struct.unpack_from(">BHH", pdu)
        if function == 5:
            if word not in (0x0000, 0xFF00):
                raise RefusedError(ILLEGAL_VALUE)
            self._write_checked("coils", address, 1, bytes((word >> 15,)))
            return pdu
        if function == 6:
            self._write_checked("holding", address, 1, pdu[3:5])
            return pdu
        count, size, data = word, pdu[5], pdu[6:]
        area: Area = "coils" if function == 15 else "holding"
        limit, expected = (0x7B0, (count + 7) // 8) if function == 15 else (0x7B, 2 * count)
        if not 1 <= count <= limit or size != expected or len(data) != size:
            raise RefusedError(ILLEGAL_VALUE)
        self._write_checked(area, address, count, _unpacked(data, count) if function == 15 else data)
        return pdu[:5]

    def _write_checked(self, area: Area, address: int, count: int, data: bytes) -> None:
        if not self._writable.get(area, set()).issuperset(range(address, address + count)):
            raise RefusedError(ILLEGAL_ADDRESS)
        self._store(area, address, count, data)

    def _store(self, area: Area, address: int, count: int, data: bytes) -> None:
        block = self._block(area, address, count)
        self._draw()
        block.patch(address, data)
        end = address + count
        for point in self.state.points.values():
            if point.area == area and address < point.address + point.length and point.address < end:
                written = block.read(point.address, point.length)
                self.state.set(point.quantity, point.decode(written))
                self.state.set_raw(point.quantity, written)
                self._drawn_at = float("-inf")

    def _block(self, area: Area, address: int, count: int) -> Block:
        block = self._tables[area].block(address, count)
        if block is None:
            raise RefusedError(ILLEGAL_ADDRESS)
        return block

    def _draw(self) -> None:
        """Bring the registers of all quantities up to date, unless that was done a moment ago."""
        now = time.monotonic()
        if now - self._drawn_at < self._refresh_s:
            return
        self._drawn_at = now
        for point, data in self.state.encoded():
            block = self._tables[point.area].block(point.address, point.length)
            assert block is not None
            block.patch(point.address, data)


def _packed(bits: bytes) -> bytes:
    out = bytearray((len(bits) + 7) // 8)
    for at, bit in enumerate(bits):
        if bit:
            out[at // 8] |= 1 << (at % 8)
    return bytes(out)


def _unpacked(data: bytes, count: int) -> bytes:
    return bytes((data[at // 8] >> (at % 8)) & 1 for at in range(count))
