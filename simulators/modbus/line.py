"""One line with several units on it: who is there, what goes wrong, and a log of it all."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lamppost.simulators.faults import Faults, Kind
from lamppost.simulators.modbus.framing import Framing
from lamppost.simulators.modbus.unit import Unit

if TYPE_CHECKING:
    from lamppost.simulators.modbus.session import Session


@dataclass(slots=True)
class Exchange:
    """One request and what became of it. Times are `time.monotonic` seconds.

    ``started`` is when the first byte of the request came, ``ended`` when the last byte of the answer
    had been sent; None while that is not done, or if there was no answer.
    """

    started: float
    unit: int
    function: int
    address: int
    count: int
    request: bytes
    response: bytes = b""
    ended: float | None = None
    faults: tuple[Kind, ...] = ()
    collided: bool = False


class ModbusLine:
    """The units behind one port, the faults of the line, and what happened on it.

    ``log`` keeps the newest exchanges. On a serial line, a request that comes while another is being
    answered is lost, as on a real one, and counts in ``collisions``.
    """

    def __init__(self, units: Iterable[Unit], *, log_size: int = 2000) -> None:
        self.units: dict[int, Unit] = {}
        for unit in units:
            if unit.id in self.units:
                raise ValueError(f"two units with id {unit.id} on one line")
            self.units[unit.id] = unit
        self.faults = Faults()
        self.log: deque[Exchange] = deque(maxlen=log_size)
        self.requests = 0
        self.collisions = 0
        self.bad_frames = 0
        self.dropped_bytes = 0
        self.sessions: set[Session] = set()
        self.busy: Session | None = None

    def where(self) -> str:
        """Say for a person where the line can be reached."""
        return "nowhere"

    def unit(self, unit_id: int) -> Unit:
        """Return a unit by its id."""
        return self.units[unit_id]

    def note(self, exchange: Exchange) -> None:
        """Count a request and keep it in the log."""
        self.requests += 1
        self.log.append(exchange)
        unit = self.units.get(exchange.unit)
        if unit is not None:
            unit.requests += 1
            unit.by_function[exchange.function] += 1
            unit.by_range[exchange.function, exchange.address, exchange.count] += 1

    def note_rubbish(self, framing: Framing) -> None:
        """Take over what a session could not read."""
        if framing.bad_frames:
            self.bad_frames += framing.bad_frames
            self.dropped_bytes += framing.dropped_bytes
            framing.bad_frames = framing.dropped_bytes = 0

    def send(self, data: bytes) -> None:
        """Put bytes on the line that nobody asked for, now."""
        for session in self.sessions:
            session.wire.send(data)

    def silences(self) -> list[float]:
        """Return the pauses in seconds between the end of each answer and the next request."""
        gaps = []
        for before, after in zip(self.log, list(self.log)[1:], strict=False):
            if before.ended is not None:
                gaps.append(after.started - before.ended)
        return gaps
