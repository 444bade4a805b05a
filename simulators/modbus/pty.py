"""Serve Modbus RTU on a pseudo-terminal: a serial port that the product opens like any other."""

from __future__ import annotations

import asyncio
import errno
import os
import termios
import tty
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path

from lamppost.simulators.modbus.framing import Rtu
from lamppost.simulators.modbus.line import ModbusLine
from lamppost.simulators.modbus.session import Session
from lamppost.simulators.modbus.unit import Unit


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
        self._link = link
        self._ends: tuple[int, int] | None = None
        self._device = ""
        self._session: Session | None = None

    @property
    def path(self) -> str:
        """The port to open: the stable link if there is one, else the device of the present pty."""
        return str(self._link) if self._link is not None else self._device

    def where(self) -> str:  # noqa: D102
        return f"RTU at {self.baud} baud on {self.path}"

    @property
    def plugged(self) -> bool:
        """Whether the port is there."""
        return self._ends is not None

    def plug(self) -> None:
        """Make the port appear: a new pty, and the stable link to it."""
        if self._ends is not None:
            return
        link = self._link
        if link is not None and link.exists() and not link.is_symlink():
            raise FileExistsError(errno.EEXIST, "is no symbolic link, and is left as it is", str(link))
        # The slave end stays open here too: otherwise the kernel hangs up when the product closes it.
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._ends = master, slave
        self._device = os.ttyname(slave)
        if link is not None:
            fresh = link.with_name(f".{link.name}.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(self._device)
            fresh.replace(link)
        self._session = Session(self, Rtu(), self, baud=self.baud if self._paced else None)
        asyncio.get_running_loop().add_reader(master, self._readable, master)

    def unplug(self) -> None:
        """Take the port away: the product gets a hang-up, and the path is gone."""
        if self._ends is None:
            return
        (master, slave), self._ends = self._ends, None
        asyncio.get_running_loop().remove_reader(master)
        assert self._session is not None
        self._session.closed()
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        os.close(master)
        os.close(slave)

    def send(self, data: bytes) -> None:
        """Put bytes on the line that nobody asked for; lost when nobody has room for them, as on a UART."""
        if self._ends is None:
            return
        sent = 0
        with suppress(BlockingIOError):
            sent = os.write(self._ends[0], data)
        self.dropped_bytes += len(data) - sent

    def reset(self) -> None:
        """There is no connection to reset on a serial line."""

    def _readable(self, master: int) -> None:
        try:
            data = os.read(master, 4096)
        except BlockingIOError:
            return
        assert self._ends is not None
        assert self._session is not None
        if self._speed is not None and termios.tcgetattr(self._ends[1])[4] != self._speed:
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
