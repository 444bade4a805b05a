"""A quantity of a simulated device: where it lies in the registers, how it is coded, what it does."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from lamppost.simulators.modbus.memory import Area


class Lookup(Protocol):
    """The other quantities of the same device."""

    def __call__(self, quantity: str, t: float | None = None, /) -> float:
        """Return a quantity at the moment in question, or at time ``t``."""
        ...


#: What a quantity does: its value at simulated time ``t`` (seconds). Must be a function of its arguments.
Behaviour: TypeAlias = Callable[[float, Lookup], float]

Coding: TypeAlias = Literal["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "bit"]
Order: TypeAlias = Literal["ABCD", "CDAB", "BADC", "DCBA"]

_FORMAT: dict[Coding, str] = {
    "u16": ">H",
    "i16": ">h",
    "u32": ">I",
    "i32": ">i",
    "u64": ">Q",
    "i64": ">q",
    "f32": ">f",
    "f64": ">d",
    "bit": ">?",
}


@dataclass(frozen=True, slots=True)
class Point:
    """One quantity: ``raw = (value - offset) / scale``, coded at ``address`` of ``area``.

    ``order`` is the order of the bytes of a value on the wire: ABCD big endian, CDAB low word first,
    BADC bytes of each word swapped, DCBA both.
    """

    quantity: str
    area: Area
    address: int
    coding: Coding
    behaviour: Behaviour
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    order: Order = "ABCD"
    writable: bool = False

    @property
    def length(self) -> int:
        """Number of addresses it takes."""
        return max(1, struct.calcsize(_FORMAT[self.coding]) // 2)

    def encode(self, value: float) -> bytes:
        """Return the register bytes of a value; integers are rounded and held within their range."""
        raw = (value - self.offset) / self.scale
        if self.coding in ("f32", "f64"):
            return self._ordered(struct.pack(_FORMAT[self.coding], raw))
        if self.coding == "bit":
            return bytes((1 if value else 0,))
        bits = 8 * struct.calcsize(_FORMAT[self.coding])
        low, high = (0, 2**bits - 1) if self.coding[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        whole = 0 if math.isnan(raw) else int(min(high, max(low, round(raw))))
        return self._ordered(struct.pack(_FORMAT[self.coding], whole))

    def decode(self, data: bytes) -> float:
        """Return the value of register bytes, for what a client has written."""
        (raw,) = struct.unpack(_FORMAT[self.coding], self._ordered(data))
        return float(raw) * self.scale + self.offset

    def _ordered(self, data: bytes) -> bytes:
        """Bring big-endian bytes into this point's order, or back: every order undoes itself."""
        words = [data[i : i + 2] for i in range(0, len(data), 2)]
        if self.order in ("CDAB", "DCBA"):
            words.reverse()
        if self.order in ("BADC", "DCBA"):
            words = [word[::-1] for word in words]
        return b"".join(words)
