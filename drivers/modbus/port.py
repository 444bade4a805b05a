"""The open end of a line: a TCP connection or a serial port, as bytes in and bytes out."""

from __future__ import annotations

import asyncio
import errno
import termios
from collections.abc import Callable
from typing import cast

from pymodbus.transport.serialtransport import create_serial_connection

from lamppost.drivers import tty
from lamppost.drivers.api import DriverError
from lamppost.drivers.modbus.endpoint import Endpoint


class Port(asyncio.Protocol):
    """An open port. ``received`` gets each chunk of bytes, ``lost`` the reason when it closes by itself."""

    def __init__(self, received: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        self._received = received
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Hand on what came."""
        if self.is_open:
            self._received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that the other side, or the cable, is gone."""
        if self.is_open:
            self.is_open = False
            self._lost(f"connection lost: {exc}" if exc else "the other side closed the connection")

    def write(self, data: bytes) -> None:
        """Send bytes; a port that is gone is told by ``lost``."""
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """Close without telling."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()


async def open_port(
    endpoint: Endpoint, received: Callable[[bytes], None], lost: Callable[[str], None], timeout_s: float
) -> Port:
    """Open the port of ``endpoint``. Raises DriverError with what to do about it."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            if endpoint.host:
                _, port = await loop.create_connection(
                    lambda: Port(received, lost), endpoint.host, endpoint.port
                )
                return port
            return await _open_serial(loop, endpoint, received, lost)
    except TimeoutError as error:
        raise DriverError(
            f"{endpoint}: no connection within {timeout_s:g} s; is the address right?"
        ) from error
    except (OSError, termios.error, ValueError) as error:
        raise DriverError(f"{endpoint}: {_advice(endpoint, error)}") from error


async def _open_serial(
    loop: asyncio.AbstractEventLoop,
    endpoint: Endpoint,
    received: Callable[[bytes], None],
    lost: Callable[[str], None],
) -> Port:
    opened = asyncio.Event()

    class SerialPort(Port):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            opened.set()

    _, port = await create_serial_connection(
        loop,
        lambda: SerialPort(received, lost),
        endpoint.path,
        baudrate=endpoint.baud,
        bytesize=endpoint.bits,
        parity=endpoint.parity,
        stopbits=endpoint.stop,
        timeout=0,
    )
    await opened.wait()
    return cast("Port", port)


def _advice(endpoint: Endpoint, error: BaseException) -> str:
    """Say in words why a port does not open, and what to do."""
    code = getattr(error, "errno", None)
    if endpoint.host:
        return {
            errno.ECONNREFUSED: "connection refused; is the port right and Modbus TCP switched on?",
            errno.EHOSTUNREACH: "host unreachable; check network cable and address",
            errno.ENETUNREACH: "network unreachable; check the box's own network",
        }.get(code or 0, f"{error.strerror or error}" if isinstance(error, OSError) else str(error))
    return tty.advice(endpoint.path, error)
