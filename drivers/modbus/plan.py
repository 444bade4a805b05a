"""Which requests read a device: registers coalesced into the fewest blocks that it allows. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lamppost.drivers.api import Value
from lamppost.drivers.modbus.codec import Convert, unpacking
from lamppost.drivers.modbus.profile import Profile, Register, Table

READ_FUNCTION: Mapping[Table, int] = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}


@dataclass(frozen=True, slots=True)
class Field:
    """One quantity at its place."""

    name: str
    address: int
    register: Register

    @property
    def end(self) -> int:
        """First address behind it."""
        return self.address + self.register.width


@dataclass(frozen=True)
class Block:
    """One request: ``count`` registers (or bits) from ``address`` on, and the fields inside."""

    table: Table
    address: int
    count: int
    fields: tuple[Field, ...]
    names: tuple[str, ...] = field(init=False)
    units: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(f.name for f in self.fields))
        object.__setattr__(self, "units", tuple(f.register.unit for f in self.fields))

    @property
    def function(self) -> int:
        """Modbus function code that reads it."""
        return READ_FUNCTION[self.table]

    @property
    def is_bits(self) -> bool:
        """Whether it reads single bits."""
        return self.table in ("coil", "discrete")

    @property
    def size(self) -> int:
        """Data bytes of the answer."""
        return (self.count + 7) // 8 if self.is_bits else 2 * self.count

    def __str__(self) -> str:
        kind = "s" if self.is_bits else " registers"
        last = self.address + self.count - 1
        return (
            f"FC{self.function:02d} read of {self.table}{kind} {self.address}..{last} "
            f"(0x{self.address:X}..0x{last:X})"
        )

    @cached_property
    def _slots(
        self,
    ) -> tuple[struct.Struct | None, tuple[Convert | None, ...], tuple[tuple[int, struct.Struct], ...]]:
        """One Struct over the whole answer where no two fields overlap, else one for each field."""
        formats, converters = zip(*(unpacking(f.register) for f in self.fields), strict=True)
        at, whole = self.address, ">"
        for item, format_ in zip(self.fields, formats, strict=True):
            if item.address < at:
                each = tuple(
                    (2 * (f.address - self.address), struct.Struct(f">{s}"))
                    for f, s in zip(self.fields, formats, strict=True)
                )
                return None, converters, each
            whole += f"{2 * (item.address - at)}x{format_}" if item.address > at else format_
            at = item.end
        whole += f"{2 * (self.address + self.count - at)}x"
        return struct.Struct(whole), converters, ()

    @cached_property
    def _plain(self) -> bool:
        return not any(self._slots[1])

    def decode(self, data: bytes) -> tuple[Value | None, ...] | list[Value | None]:
        """Return the value of each field from the data bytes of the answer; None is a bad one."""
        if self.is_bits:
            bits = int.from_bytes(data, "little")
            return [bool(bits >> (f.address - self.address) & 1) for f in self.fields]
        whole, converters, each = self._slots
        raws = whole.unpack(data) if whole else [s.unpack_from(data, at)[0] for at, s in each]
        if self._plain:
            return raws
        return [
            raw if convert is None else convert(raw) for convert, raw in zip(converters, raws, strict=True)
        ]

    def split(self) -> list[Block]:
        """Return smaller blocks for the same fields, for a device that refused this one.

        First without the registers that nobody asked for, then by halves; a single field cannot be split.
        """
        if len(self.fields) < 2:
            return [self]
        tight = list(_blocks(self.fields, self.count, 0))
        if len(tight) > 1:
            return tight
        middle = len(self.fields) // 2
        halves = (self.fields[:middle], self.fields[middle:])
        return [block for half in halves for block in _blocks(half, self.count, 0)]


def expand(registers: Mapping[str, Register]) -> list[Field]:
    """Return the fields of all registers: those with a count become NAME.0, NAME.1 and so on."""
    fields = []
    for name, register in registers.items():
        if register.count == 1:
            fields.append(Field(name, register.address, register))
            continue
        fields.extend(
            Field(f"{name}.{index}", register.address + index * register.width, register)
            for index in range(register.count)
        )
    return fields


def plan(fields: Iterable[Field], profile: Profile) -> list[Block]:
    """Return the fewest blocks that hold all fields within the profile's length and gap.

    From the lowest address on, each block takes all that fits: no other choice needs fewer blocks.
    """
    by_table: dict[Table, list[Field]] = {}
    for item in sorted(fields, key=lambda f: (f.address, f.end)):
        by_table.setdefault(item.register.table, []).append(item)
    blocks: list[Block] = []
    for table, members in by_table.items():
        most = profile.max_bits if table in ("coil", "discrete") else profile.max_registers
        blocks.extend(_blocks(members, most, profile.max_gap))
    return blocks


def _blocks(fields: Iterable[Field], most: int, gap: int) -> Iterator[Block]:
    members: list[Field] = []
    end = 0
    for item in fields:
        if members and (item.address > end + gap or max(end, item.end) - members[0].address > most):
            yield _block(members, end)
            members = []
        members.append(item)
        end = item.end if len(members) == 1 else max(end, item.end)
    if members:
        yield _block(members, end)


def _block(members: list[Field], end: int) -> Block:
    start = members[0].address
    return Block(members[0].register.table, start, end - start, tuple(members))
