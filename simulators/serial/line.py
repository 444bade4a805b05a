"""A serial line with simulated sensors on it: they speak or answer, and the faults strike."""

from __future__ import annotations

import asyncio
import termios
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from lamppost.simulators.faults import Fault, Faults, Kind, noisy
from lamppost.simulators.pty import PtyEnd
from lamppost.simulators.serial.sensors import Sensor

#: A request is taken when the line has been silent for so long.
REQUEST_PAUSE_S = 0.02


class SerialLine:
    """``path`` is what the product opens. At a wrong speed it gets garbage, as on a wire."""

    def __init__(
        self, units: Iterable[Sensor], *, link: Path | None, speed: float, check_speed: bool
    ) -> None:
        self.units = {unit.id: unit for unit in units}
        self.faults = Faults(seed=len(self.units))
        #: What was asked, in the order that it came.
        self.requests: list[bytes] = []
        self._end = PtyEnd(self._received, link)
        self._speed = speed
        self._check_speed = check_speed
        self._asked = bytearray()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None

    @property
    def path(self) -> str:
        """The port to open."""
        return self._end.path

    @property
    def plugged(self) -> bool:
        """Whether the port is there."""
        return self._end.plugged

    def where(self) -> str:
        """Return in words where it is."""
        kinds = [unit.kind for unit in self.units.values()]
        settings = ", ".join(sorted({f"{kind.baud} 8{kind.parity}1" for kind in kinds}))
        return f"serial sensors at {settings} on {self.path}"

    def plug(self) -> None:
        """Let the port appear, under its stable name."""
        self._end.plug()

    def unplug(self) -> None:
        """Take the port away."""
        self._end.unplug()

    def start(self) -> None:
        """Plug in and let the sensors speak."""
        self.plug()
        for unit in self.units.values():
            if unit.kind.write is not None:
                self._spawn(self._speak(unit))

    async def close(self) -> None:
        """End all."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._pause is not None:
            self._pause.cancel()
        self.unplug()

    def _spawn(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _speak(self, unit: Sensor) -> None:
        while True:
            await self._send(unit, unit.says())
            await asyncio.sleep(unit.kind.every_s / self._speed)

    def _received(self, data: bytes) -> None:
        self._asked += data
        if self._pause is not None:
            self._pause.cancel()
        self._pause = asyncio.get_running_loop().call_later(REQUEST_PAUSE_S, self._request)

    def _request(self) -> None:
        request = bytes(self._asked)
        self._asked.clear()
        self.requests.append(request)
        del self.requests[:-2000]
        for unit in self.units.values():
            answer = unit.answers(request)
            if answer is not None and self._heard_right(unit):
                self._spawn(self._answer(unit, request, answer))

    async def _answer(self, unit: Sensor, request: bytes, answer: bytes) -> None:
        await asyncio.sleep(unit.turnaround_s)
        await self._send(unit, answer, request)

    def _heard_right(self, unit: Sensor) -> bool:
        wanted = getattr(termios, f"B{unit.kind.baud}")
        return not self._check_speed or not self.plugged or self._end.speed == wanted

    async def _send(self, unit: Sensor, frame: bytes, request: bytes = b"") -> None:
        """Send what the faults make of a frame."""
        hits = {**self.faults.strike(0), **unit.faults.strike(0)}
        if Kind.NO_ANSWER in hits:
            return
        if not self._heard_right(unit):
            frame = bytes(byte >> 1 ^ 0x55 for byte in frame[: len(frame) // 2 + 1])
        unit.sent += 1
        if (slow := hits.get(Kind.SLOW_ANSWER)) is not None:
            await asyncio.sleep(slow.delay_s)
        data = _damaged(frame, hits)
        if Kind.ECHO in hits:
            data = request + data
        if (split := hits.get(Kind.SPLIT)) is not None:
            for at in range(len(data)):
                self._end.send(data[at : at + 1])
                await asyncio.sleep(split.delay_s)
        else:
            self._end.send(data)
        if (again := hits.get(Kind.DUPLICATE)) is not None:
            await asyncio.sleep(again.delay_s)
            self._end.send(data)
        if (foreign := hits.get(Kind.UNSOLICITED)) is not None:
            await asyncio.sleep(foreign.delay_s)
            self._end.send(foreign.data)


def _damaged(frame: bytes, hits: Mapping[Kind, Fault]) -> bytes:
    if Kind.WRONG_CRC in hits:
        middle = len(frame) // 2
        frame = frame[:middle] + bytes((frame[middle] ^ 0x01,)) + frame[middle + 1 :]
    return noisy(frame, hits)


@asynccontextmanager
async def serve_serial(
    units: Iterable[Sensor], *, link: str | Path | None = None, speed: float = 1.0, check_speed: bool = False
) -> AsyncIterator[SerialLine]:
    """Let sensors speak on a new pty.

    ``link`` is a path for a stable symbolic link. ``speed`` lets them speak so many times as often;
    ``check_speed`` gives garbage to a port that was opened at another speed than the sensor's.
    """
    path = None if link is None else Path(link)
    line = SerialLine(units, link=path, speed=speed, check_speed=check_speed)
    line.start()
    try:
        yield line
    finally:
        await line.close()
