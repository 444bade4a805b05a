"""One poll: all blocks of a device, each asked in its turn on the shared line."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

from lamppost.drivers.api import Emit, Quality, Reading, Value
from lamppost.drivers.modbus import frame
from lamppost.drivers.modbus.line import GarbledError, Line, LostError, RefusedError
from lamppost.drivers.modbus.plan import Block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

#: Exceptions by which a gateway says that its unit does not answer.
NO_TARGET = (10, 11)
#: Exceptions that a smaller or tighter block may not meet.
WRONG_PLACE = (2, 3)
#: A refused register is asked again after so many polls: a firmware update may bring it.
ASK_AGAIN = 100

# `Reading._make` without its Python frame: readings are made 40,000 times a second.
_reading: Callable[[Iterable[Any]], Reading] = partial(tuple.__new__, Reading)


class _Step:
    """A block, its request, and for how many polls it is left out."""

    __slots__ = ("block", "pause", "request")

    def __init__(self, block: Block, unit: int) -> None:
        self.block = block
        self.request = frame.read(unit, block.function, block.address, block.count, str(block))
        self.pause = 0


class Poll:
    """Reads one device; learns which blocks it bears."""

    def __init__(
        self, device: str, unit: int, blocks: Sequence[Block], timeout_s: float, line: Line, emit: Emit
    ) -> None:
        self._device = device
        self._unit = unit
        self._steps = [_Step(block, unit) for block in blocks]
        self._timeout_s = timeout_s
        self._line = line
        self._emit = emit
        #: How long the newest poll had the line to itself.
        self.spent_s = 0.0

    async def once(self) -> None:
        """Read all blocks and emit what came, also when a later block fails.

        A block that the device refuses is bad, not its neighbours. Raises NoAnswerError at the first
        time-out, so that a dead unit costs its line no more than one; GarbledError when an answer was
        spoilt twice; LostError; RefusedError when the device refuses everything.
        """
        readings: list[Reading] = []
        at: datetime | None = None
        refusal: RefusedError | None = None
        answered = False
        steps = list(self._steps)
        self.spent_s = 0.0
        try:
            while steps:
                step = steps.pop(0)
                if step.pause:
                    step.pause -= 1
                    readings += self._bad(step.block, at or datetime.now(UTC))
                    continue
                try:
                    data = await self._ask(step)
                except RefusedError as error:
                    smaller = self._refused(step, error)
                    steps[:0] = smaller
                    if not smaller:
                        refusal = error
                        readings += self._bad(step.block, at or datetime.now(UTC))
                    continue
                answered = True
                at = at or datetime.now(UTC)
                readings += self._good(step.block, step.block.decode(data), at)
            if refusal is not None and not answered:
                raise refusal
        finally:
            if readings:
                self._emit(*readings)

    async def _ask(self, step: _Step) -> bytes:
        """Ask; once more if the answer was spoilt or the gateway had closed the connection."""
        try:
            return await self._line.ask(step.request, self._timeout_s, self._emit.fault)
        except (GarbledError, LostError):
            return await self._line.ask(step.request, self._timeout_s, self._emit.fault)
        finally:
            self.spent_s += self._line.exchange_s

    def _refused(self, step: _Step, error: RefusedError) -> list[_Step]:
        """Return what to ask instead; empty when the refusal stands."""
        if error.code in NO_TARGET:
            raise error
        self._emit.fault("exception", str(error))
        if error.code not in WRONG_PLACE:
            return []
        smaller = [_Step(block, self._unit) for block in step.block.split()]
        if len(smaller) == 1:
            step.pause = ASK_AGAIN
            return []
        at = self._steps.index(step)
        self._steps[at : at + 1] = smaller
        return smaller

    def _good(self, block: Block, values: Sequence[Value | None], at: datetime) -> Iterable[Reading]:
        device, good = repeat(self._device), repeat(Quality.GOOD)
        if None not in values:
            return map(
                _reading, zip(device, block.names, values, block.units, repeat(at), good, strict=False)
            )
        bad = Quality.BAD
        return [
            Reading(self._device, name, value, unit, at, bad if value is None else Quality.GOOD)
            for name, value, unit in zip(block.names, values, block.units, strict=True)
        ]

    def _bad(self, block: Block, at: datetime) -> list[Reading]:
        return [
            Reading(self._device, name, None, unit, at, Quality.BAD)
            for name, unit in zip(block.names, block.units, strict=True)
        ]
