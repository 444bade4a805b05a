"""Serve Modbus units over TCP: Modbus TCP as gateways speak it, or RTU frames in a TCP stream."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

from lamppost.simulators.modbus.framing import Framing, Mbap, Rtu
from lamppost.simulators.modbus.line import ModbusLine
from lamppost.simulators.modbus.session import Session
from lamppost.simulators.modbus.unit import Unit


class TcpLine(ModbusLine):
    """A line behind a TCP port. ``port`` stays the same when the listener is closed and opened again."""

    def __init__(
        self,
        units: Iterable[Unit],
        host: str,
        port: int,
        framing: Callable[[], Framing],
        baud: int | None,
        log_size: int,
    ) -> None:
        super().__init__(units, log_size=log_size)
        self.host = host
        self.port = port
        self.connections: set[Connection] = set()
        self.accepted = 0
        self.framing = framing
        self.baud = baud
        self._server: asyncio.Server | None = None

    def where(self) -> str:  # noqa: D102
        return f"{'Modbus TCP' if self.framing is Mbap else 'RTU over TCP'} on {self.host}:{self.port}"

    async def open_port(self) -> None:
        """Listen (again)."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(lambda: Connection(self), self.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def close_port(self) -> None:
        """Stop listening and end all connections: further ones are refused."""
        if self._server is not None:
            server, self._server = self._server, None
            server.close()
            self.reset_connections()
            await server.wait_closed()

    def reset_connections(self) -> None:
        """Reset all connections; clients may come back at once."""
        for connection in list(self.connections):
            connection.reset()


class Connection(asyncio.Protocol):
    """One client. Stops reading while the client does not take its answers."""

    def __init__(self, line: TcpLine) -> None:
        self._line = line
        self._session: Session | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        self._transport = cast("asyncio.Transport", transport)
        self._line.connections.add(self)
        self._line.accepted += 1
        self._session = Session(self._line, self._line.framing(), self, baud=self._line.baud)

    def data_received(self, data: bytes) -> None:  # noqa: D102
        assert self._session is not None
        self._session.received(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002, D102
        self._line.connections.discard(self)
        if self._session is not None:
            self._session.closed()

    def pause_writing(self) -> None:  # noqa: D102
        assert self._transport is not None
        self._transport.pause_reading()

    def resume_writing(self) -> None:  # noqa: D102
        assert self._transport is not None
        self._transport.resume_reading()

    def send(self, data: bytes) -> None:
        """Put bytes on the wire."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        assert self._transport is not None
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


@asynccontextmanager
async def _serving(line: TcpLine) -> AsyncIterator[TcpLine]:
    await line.open_port()
    try:
        yield line
    finally:
        await line.close_port()


def serve_tcp(
    units: Iterable[Unit], host: str = "127.0.0.1", port: int = 0, *, log_size: int = 2000
) -> AbstractAsyncContextManager[TcpLine]:
    """Serve Modbus TCP (MBAP); a unit that is not there is answered with exception 11."""
    return _serving(TcpLine(units, host, port, Mbap, None, log_size))


def serve_rtu_tcp(
    units: Iterable[Unit],
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    baud: int | None = None,
    log_size: int = 2000,
) -> AbstractAsyncContextManager[TcpLine]:
    """Serve RTU frames over TCP, as cheap serial servers do; ``baud`` paces them as the line behind does."""
    return _serving(TcpLine(units, host, port, Rtu, baud, log_size))
