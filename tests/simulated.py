"""Talk to a simulated line with bytes of one's own, and with pymodbus as a second opinion."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.framer import FramerRTU

from lamppost.simulators.modbus import PtyLine, TcpLine


def rtu(text: str) -> bytes:
    """An RTU frame from hex digits without CRC; the CRC is pymodbus's."""
    body = bytes.fromhex(text)
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


class Client:
    """Raw bytes over TCP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self, size: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), 10)

    async def ask(self, data: bytes, size: int) -> bytes:
        self.say(data)
        return await self.hear(size)


@asynccontextmanager
async def raw(line: TcpLine) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(line.host, line.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def tcp_client(line: TcpLine) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient(line.host, port=line.port, timeout=5, retries=0, reconnect_delay=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


@asynccontextmanager
async def serial_client(line: PtyLine, baud: int = 9600) -> AsyncIterator[AsyncModbusSerialClient]:
    client = AsyncModbusSerialClient(line.path, baudrate=baud, timeout=5, retries=0, reconnect_delay=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()
