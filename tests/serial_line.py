"""A serial line for tests: a pty behind a stable name, as /dev/serial/by-id is one."""

from __future__ import annotations

import contextlib
import os
import tty
from pathlib import Path


class SerialLine:
    """``path`` is what a driver opens; `unplug` takes the device away, `plug` brings another there."""

    def __init__(self, folder: Path) -> None:
        self._link = folder / "usb-sensor"
        self._master: int | None = None
        self._slave: int | None = None
        self.plug()

    @property
    def path(self) -> str:
        """The stable name."""
        return str(self._link)

    def plug(self) -> None:
        """Let a new device be there."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(os.ttyname(self._slave))

    def unplug(self) -> None:
        """Let the device be gone."""
        self._link.unlink(missing_ok=True)
        for fd in (self._master, self._slave):
            if fd is not None:
                os.close(fd)
        self._master = self._slave = None

    def send(self, data: bytes) -> None:
        """Speak as the sensor; what nobody reads is lost."""
        assert self._master is not None
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, data)

    def heard(self) -> bytes:
        """What the driver sent since."""
        assert self._master is not None
        try:
            return os.read(self._master, 4096)
        except BlockingIOError:
            return b""
