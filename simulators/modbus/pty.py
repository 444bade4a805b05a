"""Serve Modbus RTU on a pseudo-terminal: a serial port that the product opens like any other."""

from __future__ import annotations

import termios
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from lamppost.simulators.modbus.framing import Rtu
from lamppost.simulators.modbus.line import ModbusLine
from lamppost.simulators.modbus.session import Session
from lamppost.simulators.modbus.unit import Unit
from lamppost.simulators.pty import PtyEnd


class PtyLine(ModbusLine):
    """A serial line. ``path`` is what the product opens; it may close and open it as it likes.

    ``dropped_bytes`` also counts answers that nobody took, ``wrong_speed`` requests at another speed.
    """

    def __init__(
        self,
        units: Iterable[Unit],
        *,
        baud: int,
        paced: bool,
        check_speed: bool,
        link: Path | None,
        log_size: int,
    ) -> None:
        super().__init__(units, log_size=log_size)
        self.baud = baud
        self.wrong_speed = 0
        self._paced = paced
        self._speed = getattr(termios, f"B{baud}") if check_speed else None
        self._end = PtyEnd(self._readable, link)
        self._session: Session | None = None

    @property
    def path(self) -> str:
        """The port to open: the stable link if there is one, else the device of the present pty."""
        return self._end.path

    def where(self) -> str:  # noqa: D102
        return f"RTU at {self.baud} baud on {self.path}"

    @property
    def plugged(self) -> bool:
        """Whether the port is there."""
        return self._end.plugged

    def plug(self) -> None:
        """Make the port appear: a new pty, and the stable link to it."""
        if self._end.plugged:
            return
        self._end.plug()
        self._session = Session(self, Rtu(), self, baud=self.baud if self._paced else None)

    def unplug(self) -> None:
        """Take the port away: the product gets a hang-up, and the path is gone."""
        if not self._end.plugged:
            return
        assert self._session is not None
        self._session.closed()
        self._end.unplug()

    def send(self, data: bytes) -> None:
        """Put bytes on the line that nobody asked for; lost when nobody has room for them, as on a UART."""
        before = self._end.dropped_bytes
        self._end.send(data)
        self.dropped_bytes += self._end.dropped_bytes - before

    def reset(self) -> None:
        """There is no connection to reset on a serial line."""

    def _readable(self, data: bytes) -> None:
        assert self._session is not None
        if self._speed is not None and self._end.speed != self._speed:
            self.wrong_speed += 1
            return
        self._session.received(data)


def serve_rtu_pty(
    units: Iterable[Unit],
    *,
    baud: int = 9600,
    paced: bool = False,
    check_speed: bool = False,
    link: str | Path | None = None,
    log_size: int = 2000,
) -> AbstractAsyncContextManager[PtyLine]:
    """Serve RTU frames on a new pty.

    ``paced`` makes bytes take the time that they take at ``baud``; ``check_speed`` makes the units
    deaf to a port that was opened at another speed; ``link`` is a path for a stable symbolic link.
    """
    path = None if link is None else Path(link)
    return _plugged(
        PtyLine(units, baud=baud, paced=paced, check_speed=check_speed, link=path, log_size=log_size)
    )


@asynccontextmanager
async def _plugged(line: PtyLine) -> AsyncIterator[PtyLine]:
    line.plug()
    try:
        yield line
    finally:
        line.unplug()
