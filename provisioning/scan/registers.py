"""What one Modbus unit says: each register is read once, however many profiles ask for it. Reads only."""

from __future__ import annotations

from typing import Literal

from lamppost.drivers.api import Value
from lamppost.drivers.modbus import frame
from lamppost.drivers.modbus.line import GarbledError, Line, LostError, NoAnswerError, RefusedError, Report
from lamppost.drivers.modbus.plan import READ_FUNCTION, Block, Field
from lamppost.drivers.modbus.profile import Table

State = Literal["unread", "read", "missing"]

#: A request and the frame of its answer without data, in characters, with the pauses of 3.5 around both.
CHARACTERS = 8 + 5 + 7
#: How much longer than for its first answer a unit is waited for, and the limits of that.
PATIENCE, LEAST_S, MOST_S = 3.0, 0.3, 1.0
#: A unit that is silent is asked once more, one whose answers are spoilt more often.
SILENCES, ATTEMPTS = 2, 5
#: Exceptions that hold for every request that contains this one. Some makers say "illegal function" (1) of an
#: address, so that it tells nothing of other addresses either.
LASTING = (1, 2, 3)
#: What a gateway answers for a unit that is not there.
NO_TARGET = (10, 11)


class Registers:
    """The registers of one unit on a line, as far as they were read.

    ``report`` gets what came that is no answer.
    """

    def __init__(self, line: Line, unit: int, report: Report = lambda _kind, _detail: None) -> None:
        self.unit = unit
        self._report = report
        self._line = line
        self._patience_s = MOST_S
        self._words: dict[tuple[Table, int], bytes] = {}
        self._refused: dict[Table, list[tuple[int, int]]] = {}

    async def answers(self, patience_s: float) -> bool:
        """Whether the unit answers to a read within that time, be it with a refusal. Raises DriverError."""
        tables: tuple[Table, ...] = ("holding", "input")
        for table in tables:
            try:
                await self._ask(table, 0, 1, patience_s)
            except RefusedError as error:
                if error.code in NO_TARGET:
                    return False
                self._refuse(table, 0, 1)
            except (NoAnswerError, LostError):
                return False
            except GarbledError:
                continue
            took_s = self._line.exchange_s - self._wire_s(1)
            self._patience_s = min(max(PATIENCE * took_s, LEAST_S), MOST_S)
            return True
        return False

    async def read(self, block: Block) -> None:
        """Read a block; what is refused, or cannot be had, is missing. Raises DriverError."""
        silences = 0
        for _ in range(ATTEMPTS):
            try:
                await self._ask(block.table, block.address, block.count, self._patience_s)
            except RefusedError as error:
                if error.code in LASTING:
                    self._refuse(block.table, block.address, block.count)
                    return
            except GarbledError:
                continue  # it speaks, so it may yet be understood
            except (NoAnswerError, LostError):
                silences += 1
                if silences == SILENCES:
                    break
            else:
                return
        self._refuse(block.table, block.address, block.count)

    def state(self, field: Field) -> State:
        """Return whether a quantity was read, or is known not to be there."""
        table = field.register.table
        if all((table, at) in self._words for at in range(field.address, field.end)):
            return "read"
        return "missing" if self.refuses(table, field.address, field.end) else "unread"

    def refuses(self, table: Table, begin: int, end: int) -> bool:
        """Whether a read from ``begin`` up to ``end`` holds one that was refused."""
        return any(begin <= first and last <= end for first, last in self._refused.get(table, ()))

    def value(self, field: Field) -> Value | None:
        """Return the value of a quantity that was read; None if it is not believed."""
        register = field.register
        words = [self._words[register.table, at] for at in range(field.address, field.end)]
        alone = Block(register.table, field.address, register.width, (field,))
        return alone.decode(b"".join(words))[0]

    async def _ask(self, table: Table, address: int, count: int, patience_s: float) -> None:
        what = f"{count} of {table} {address} of unit {self.unit}"
        request = frame.read(self.unit, READ_FUNCTION[table], address, count, what)
        data = await self._line.ask(request, patience_s + self._wire_s(count), self._report)
        if table in ("coil", "discrete"):
            bits = int.from_bytes(data, "little")
            self._words |= {(table, address + nth): bytes((bits >> nth & 1,)) for nth in range(count)}
            return
        self._words |= {(table, address + nth): data[2 * nth : 2 * nth + 2] for nth in range(count)}

    def _refuse(self, table: Table, address: int, count: int) -> None:
        self._refused.setdefault(table, []).append((address, address + count))

    def _wire_s(self, count: int) -> float:
        return (CHARACTERS + 2 * count) * self._line.endpoint.character_s
