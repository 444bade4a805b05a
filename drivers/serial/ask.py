"""Asks DL/T 645 meters, several of which may share a line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from lamppost.drivers.api import DriverError
from lamppost.drivers.serial.dlt645 import ANY, Answer, answer, request
from lamppost.drivers.serial.framer import Framer
from lamppost.drivers.serial.layout import Framing
from lamppost.drivers.serial.port import Port, open_port
from lamppost.drivers.sharing import Shared
from lamppost.drivers.tty import LineSettings

#: DL/T 645-2007, 5.2.2: a pause between two frames of at least so long.
PAUSE_S = 0.03
ATTEMPTS = 2

Fault = Callable[[str, str], None]


class NoAnswerError(Exception):
    """The meter said nothing."""


class RefusedError(Exception):
    """The meter answered that it will not say."""


class Line:
    """One open port, asked by one device at a time."""

    def __init__(self, path: str, settings: LineSettings, framing: Framing) -> None:
        self.path = path
        self.settings = settings
        self.members = 0
        self._framing = framing
        self._port: Port | None = None
        self._turn = asyncio.Lock()
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._lost = ""

    async def ask(self, address: str, data_id: str, timeout_s: float, fault: Fault) -> Answer:
        """Return a meter's answer. Raises NoAnswerError, RefusedError, or DriverError if the port is gone."""
        wanted = request(address, data_id)
        async with self._turn:
            for _ in range(ATTEMPTS):
                found = await self._once(wanted, address, data_id, timeout_s, fault)
                if found is not None and found.refused:
                    raise RefusedError(f"meter {found.address} refuses {data_id}: {found.refused}")
                if found is not None:
                    return found
        raise NoAnswerError(f"no answer of meter {address} to {data_id} within {timeout_s:g} s")

    async def _once(
        self, wanted: bytes, address: str, data_id: str, timeout_s: float, fault: Fault
    ) -> Answer | None:
        port = self._opened()
        while not self._chunks.empty():
            self._chunks.get_nowait()
        framer = Framer(self._framing)
        framer.joined()
        await asyncio.sleep(PAUSE_S)
        port.write(wanted)
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    if self._lost:
                        raise DriverError(self._lost)
                    for frame in framer.feed(await self._chunks.get()):
                        found = _mine(frame, address, data_id, fault)
                        if found is not None:
                            return found
        except TimeoutError:
            for frame in framer.silence():  # behind the beginning of a frame that broke off
                found = _mine(frame, address, data_id, fault)
                if found is not None:
                    return found
            return None
        finally:
            for one in framer.take_faults():
                fault(one.kind, one.detail)

    def _opened(self) -> Port:
        if self._port is None or not self._port.is_open:
            self._lost = ""
            self._port = open_port(self.path, self.settings, self._chunks.put_nowait, self._gone)
        return self._port

    def _gone(self, reason: str) -> None:
        self._lost = reason
        self._chunks.put_nowait(b"")

    def close(self) -> None:
        """Close the port."""
        if self._port is not None:
            self._port.close()


def _mine(frame: bytes, address: str, data_id: str, fault: Fault) -> Answer | None:
    """Return the answer in a frame if it is to this request: not an echo, nor another meter's."""
    try:
        found = answer(frame)
    except ValueError as error:
        fault("unread", str(error))
        return None
    if found is None:
        return None
    if address.lower() != ANY and found.address != address.lower():
        fault("unit", f"an answer of meter {found.address}, expected {address}")
        return None
    if not found.refused and found.data_id != data_id.lower():
        fault("unread", f"an answer to {found.data_id}, expected {data_id}")
        return None
    return found


_shared: Shared[Line] = Shared()


def join(path: str, settings: LineSettings, framing: Framing) -> AbstractAsyncContextManager[Line]:
    """Join the line at a port; the last who leaves closes it.

    Raises DriverError if it is in use with other serial settings.
    """
    return _shared.join(path, settings, lambda: Line(path, settings, framing), lambda line: line.settings)
