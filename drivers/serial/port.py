"""An open serial port: bytes in by callback, bytes out; what pulls the plug is told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
from collections.abc import Callable
from typing import Any

from lamppost.drivers import tty
from lamppost.drivers.api import DriverError
from lamppost.drivers.tty import LineSettings

CHUNK = 4096


class Port:
    """Made by `open_port`. ``received`` gets each chunk, ``lost`` the reason once, when the port is gone."""

    def __init__(
        self, serial: Any, path: str, received: Callable[[bytes], None], lost: Callable[[str], None]
    ) -> None:
        self._serial = serial
        self._path = path
        self._received = received
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._fd: int | None = serial.fileno()
        self._loop.add_reader(serial.fileno(), self._read)

    @property
    def is_open(self) -> bool:
        """Whether it is still there."""
        return self._fd is not None

    def write(self, data: bytes) -> None:
        """Send a short request; a port that is gone, or takes nothing, is told by ``lost``."""
        if self._fd is None:
            return
        try:
            sent = os.write(self._fd, data)
        except OSError as error:
            self._gone(f"the port takes nothing: {error.strerror}")
            return
        if sent != len(data):
            self._gone("the port takes nothing: its buffer is full")

    def close(self) -> None:
        """Close without telling."""
        if self._fd is None:
            return
        self._loop.remove_reader(self._fd)
        self._fd = None
        with contextlib.suppress(OSError, termios.error):
            self._serial.reset_output_buffer()  # else closing may wait for a device that takes nothing
        with contextlib.suppress(OSError, termios.error):
            self._serial.close()

    def _read(self) -> None:
        assert self._fd is not None
        try:
            data = os.read(self._fd, CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._gone(f"the port is gone ({error.strerror}); was the adapter unplugged?")
            return
        if data:
            self._received(data)
        else:
            self._gone("the port is gone; was the adapter unplugged?")

    def _gone(self, reason: str) -> None:
        self.close()
        self._lost(f"{self._path}: {reason}")


def open_port(
    path: str, settings: LineSettings, received: Callable[[bytes], None], lost: Callable[[str], None]
) -> Port:
    """Open a port for nobody else, empty of what came before. Raises DriverError with what to do about it."""
    import serial  # noqa: PLC0415 - only a box with such a sensor pays for it

    try:
        opened = serial.Serial(
            path,
            baudrate=settings.baud,
            bytesize=settings.bits,
            parity=settings.parity,
            stopbits=settings.stop,
            timeout=0,
            exclusive=True,
        )
    except (OSError, ValueError, termios.error) as error:
        raise DriverError(f"{path}: {tty.advice(path, error)}") from error
    return Port(opened, path, received, lost)
