"""Listens to a sensor that speaks by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lamppost.drivers.api import DriverError, Emit
from lamppost.drivers.serial.framer import Framer
from lamppost.drivers.serial.merge import Merge, plausible
from lamppost.drivers.serial.port import open_port
from lamppost.drivers.serial.profile import Profile
from lamppost.drivers.serial.reading import Raw
from lamppost.drivers.tty import LineSettings

if TYPE_CHECKING:
    from collections.abc import Collection

#: So many of its longest pauses may a sensor be silent, and so long at least.
PAUSES, LEAST_S = 3.0, 3.0
SHOWN = 12


class Listener:
    """One open port with one sensor. ``heard`` is told the quantities of each good frame."""

    def __init__(
        self,
        name: str,
        profile: Profile,
        read: Callable[[bytes], Raw],
        emit: Emit,
        *,
        every_s: float,
        heard: Callable[[Collection[str]], None] = lambda _quantities: None,
    ) -> None:
        self._profile = profile
        self._read = read
        self._emit = emit
        self._heard = heard
        quantities = profile.quantities
        self._framer = Framer(profile.framing, partial(plausible, quantities, read), secret=profile.secret)
        self._merge = Merge(name, quantities, every_s)
        self._loop = asyncio.get_running_loop()
        self._lost: asyncio.Future[str] = self._loop.create_future()
        self._silence: asyncio.TimerHandle | None = None
        self._unread = ""
        self._newest = b""
        self._bytes = self._good = 0

    async def run(self, path: str, settings: LineSettings) -> None:
        """Listen until cancelled. Raises DriverError when the port goes, or nothing good comes any more."""
        port = open_port(path, settings, self._received, self._gone)
        self._framer.joined()
        try:
            await self._watch(f"{path} at {settings}")
        finally:
            port.close()
            if self._silence is not None:
                self._silence.cancel()

    async def _watch(self, where: str) -> None:
        patience_s = max(LEAST_S, PAUSES * self._profile.interval_s)
        while True:
            good, received = self._good, self._bytes
            done, _ = await asyncio.wait({self._lost}, timeout=patience_s)
            if done:
                raise DriverError(self._lost.result())
            if self._good == good:
                raise DriverError(f"{where}: {self._why(self._bytes - received, patience_s)}")

    def _why(self, received: int, patience_s: float) -> str:
        """Say what is wrong when no frame has come for so long."""
        if not received:
            return (
                f"nothing came for {patience_s:.0f} s; check power and wires: the sensor's TX goes to the "
                f"adapter's RX, ground to ground"
            )
        if self._unread:
            return f"frames come, but {self._unread}; is the profile the right one?"
        shown = "" if self._profile.secret else f" (last: {self._newest[-SHOWN:].hex(' ')})"
        return (
            f"{received} bytes came in {patience_s:.0f} s, but no frame of {self._profile.title}{shown}; "
            "check baud rate, parity and profile"
        )

    def _gone(self, reason: str) -> None:
        if not self._lost.done():
            self._lost.set_result(reason)

    def _received(self, data: bytes) -> None:
        self._bytes += len(data)
        self._newest = (self._newest + data)[-SHOWN:]
        if self._silence is not None:
            self._silence.cancel()
        self._silence = self._loop.call_later(self._profile.framing.silence_s, self._fell_silent)
        self._take(self._framer.feed(data))

    def _fell_silent(self) -> None:
        self._silence = None
        self._take(self._framer.silence())

    def _take(self, frames: list[bytes]) -> None:
        for frame in frames:
            try:
                found = self._merge.put(self._read(frame))
            except ValueError as error:
                self._unread = str(error)
                self._emit.fault("unread", self._unread)
                continue
            self._good += 1  # a sentence with nothing that is wanted shows that the line is well
            self._heard(found)
        for fault in self._framer.take_faults():
            self._emit.fault(fault.kind, fault.detail)
        readings = self._merge.take(self._loop.time())
        if readings:
            self._emit(*readings)
