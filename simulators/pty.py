"""The far end of a serial port: a pty behind a stable name, which can be unplugged."""

from __future__ import annotations

import asyncio
import errno
import os
import termios
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


class PtyEnd:
    """``received`` gets what the product writes; ``link`` is a stable name, as in /dev/serial/by-id."""

    def __init__(self, received: Callable[[bytes], None], link: Path | None) -> None:
        self._received = received
        self._link = link
        self._ends: tuple[int, int] | None = None
        self._device = ""
        #: Bytes that nobody took.
        self.dropped_bytes = 0

    @property
    def path(self) -> str:
        """The port to open: the stable link if there is one, else the device of the present pty."""
        return str(self._link) if self._link is not None else self._device

    @property
    def plugged(self) -> bool:
        """Whether the port is there."""
        return self._ends is not None

    @property
    def speed(self) -> int:
        """The speed at which the product has opened the port, as termios names it."""
        assert self._ends is not None
        return int(termios.tcgetattr(self._ends[1])[4])

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
        asyncio.get_running_loop().add_reader(master, self._readable, master)

    def unplug(self) -> None:
        """Take the port away: the product gets a hang-up, and the path is gone."""
        if self._ends is None:
            return
        (master, slave), self._ends = self._ends, None
        asyncio.get_running_loop().remove_reader(master)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        os.close(master)
        os.close(slave)

    def send(self, data: bytes) -> None:
        """Put bytes on the line; lost when nobody has room for them, as on a UART."""
        if self._ends is None:
            return
        sent = 0
        with suppress(BlockingIOError):
            sent = os.write(self._ends[0], data)
        self.dropped_bytes += len(data) - sent

    def _readable(self, master: int) -> None:
        try:
            data = os.read(master, 4096)
        except BlockingIOError:
            return
        self._received(data)
