"""The four tables of a Modbus unit, as blocks of bytes that a read only has to slice."""

from __future__ import annotations

import random
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Literal, Protocol, TypeAlias

Area: TypeAlias = Literal["holding", "input", "coils", "discrete"]

#: Bytes per address: registers have two, bits are kept one per byte.
WIDTH: dict[Area, int] = {"holding": 2, "input": 2, "coils": 1, "discrete": 1}


class Block(Protocol):
    """Addresses ``start`` to ``end`` (excluded) that exist without a gap."""

    start: int
    end: int

    def read(self, address: int, count: int) -> bytes:
        """Return the bytes of ``count`` addresses, all inside the block."""
        ...

    def patch(self, address: int, data: bytes) -> None:
        """Overwrite from ``address`` on."""
        ...

    def restore(self, address: int, count: int) -> None:
        """Forget what was patched there, where the block has values of its own."""
        ...


class Image:
    """A block whose bytes are simply kept."""

    def __init__(self, start: int, data: bytes, width: int) -> None:
        self.start = start
        self.end = start + len(data) // width
        self._width = width
        self._data = bytearray(data)

    def read(self, address: int, count: int) -> bytes:  # noqa: D102
        first = (address - self.start) * self._width
        return bytes(self._data[first : first + count * self._width])

    def patch(self, address: int, data: bytes) -> None:  # noqa: D102
        first = (address - self.start) * self._width
        self._data[first : first + len(data)] = data

    def restore(self, address: int, count: int) -> None:  # noqa: D102
        pass


@cache
def _ramp() -> bytes:
    """0, 1, 2 ... 65535, twice, as registers."""
    return struct.pack(">65536H", *range(65536)) * 2


@cache
def _noise(seed: int) -> bytes:
    """65,536 random registers, twice."""
    return random.Random(seed).randbytes(131072) * 2


@cache
def _small_steps(seed: int) -> bytes:
    """65,536 registers of a random walk between 0 and 4000, there and back, so that it has no seam."""
    rand = random.Random(seed)
    value = rand.randrange(1000, 3000)
    half = []
    for _ in range(32768):
        value = min(4000, max(0, value + rand.randint(-3, 3)))
        half.append(value)
    return struct.pack(">65536H", *half, *reversed(half)) * 2


PatternName: TypeAlias = Literal["counter", "noise", "walk"]


class Pattern:
    """A large block whose every register changes at each step, for the price of a slice.

    ``counter``: address + step; ``noise``: any 16-bit value; ``walk``: each register takes small steps.
    ``step_s`` > 0 steps by time; ``step_s`` = 0 steps at each read.
    """

    def __init__(
        self,
        start: int,
        count: int,
        pattern: PatternName,
        *,
        step_s: float,
        clock: Callable[[], float],
        seed: int = 0,
    ) -> None:
        self.start = start
        self.end = start + count
        self.steps = 0
        self._step_s = step_s
        self._clock = clock
        self._stride = 1
        if pattern == "counter":
            self._bytes = _ramp()
        elif pattern == "noise":
            self._bytes = _noise(seed)
        else:
            self._bytes = _small_steps(seed)
        self._patches: dict[int, bytes] = {}

    def read(self, address: int, count: int) -> bytes:  # noqa: D102
        if self._step_s:
            self.steps = int(self._clock() / self._step_s)
        else:
            self.steps += 1
        first = 2 * ((address + self.steps) & 0xFFFF)
        data = self._bytes[first : first + 2 * count]
        return self._patched(address, count, data) if self._patches else data

    def _patched(self, address: int, count: int, data: bytes) -> bytes:
        whole = bytearray(data)
        for at, two in self._patches.items():
            if address <= at < address + count:
                whole[2 * (at - address) : 2 * (at - address) + 2] = two
        return bytes(whole)

    def patch(self, address: int, data: bytes) -> None:  # noqa: D102
        for at in range(0, len(data), 2):
            self._patches[address + at // 2] = data[at : at + 2]

    def restore(self, address: int, count: int) -> None:  # noqa: D102
        for at in range(address, address + count):
            self._patches.pop(at, None)


class Table:
    """One of the four tables: blocks with nothing between them."""

    def __init__(self, blocks: Iterable[Block] = ()) -> None:
        self._blocks = sorted(blocks, key=lambda block: block.start)
        self._starts = [block.start for block in self._blocks]

    def block(self, address: int, count: int) -> Block | None:
        """Return the block that holds all of these addresses, None if one of them does not exist."""
        at = bisect_right(self._starts, address) - 1
        if at < 0:
            return None
        block = self._blocks[at]
        return block if address + count <= block.end else None

    def spans(self) -> list[tuple[int, int]]:
        """Return (first, one past last) of each block."""
        return [(block.start, block.end) for block in self._blocks]


def images(values: Mapping[int, int] | Sequence[int], width: int) -> list[Block]:
    """Return blocks that hold these values: a mapping by address, or a sequence from address 0."""
    by_address = values if isinstance(values, Mapping) else dict(enumerate(values))
    blocks: list[Block] = []
    run: list[int] = []
    for address in sorted(by_address):
        if run and address != run[-1] + 1:
            blocks.append(_image(run, by_address, width))
            run = []
        run.append(address)
    if run:
        blocks.append(_image(run, by_address, width))
    return blocks


def _image(run: list[int], values: Mapping[int, int], width: int) -> Image:
    data = b"".join((int(values[at]) & (0xFFFF if width == 2 else 1)).to_bytes(width, "big") for at in run)
    return Image(run[0], data, width)
