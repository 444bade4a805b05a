"""One connection of a client to a line: take its requests one by one and play the answers."""

from __future__ import annotations

import asyncio
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from lamppost.simulators.faults import Kind
from lamppost.simulators.modbus.damage import GATEWAY_TARGET_FAILED, Step, damaged
from lamppost.simulators.modbus.framing import Framing, Request
from lamppost.simulators.modbus.line import Exchange, ModbusLine

#: A chunk of bytes is put on a paced line about this often; shorter timers only cost CPU.
CHUNK_S = 0.004
#: A unit that is struck by these has not done what it was asked.
NOT_DONE = frozenset({Kind.NO_ANSWER, Kind.RESET, Kind.EXCEPTION})


class Wire(Protocol):
    """What a session sends through."""

    def send(self, data: bytes) -> None:
        """Put bytes on the wire now, or drop them."""
        ...

    def reset(self) -> None:
        """Break the connection, if there is such a thing."""
        ...


class Session:
    """The units' side of one connection.

    ``baud`` paces the bytes as a serial line of that speed does (10 bits each); None sends at once.
    ``silence_s`` without a byte ends a frame whose length is not known, or drops a broken one.
    """

    def __init__(
        self,
        line: ModbusLine,
        framing: Framing,
        wire: Wire,
        *,
        baud: int | None = None,
        silence_s: float = 0.02,
    ) -> None:
        self.line = line
        self.framing = framing
        self.wire = wire
        self._char_s = 10.0 / baud if baud else 0.0
        self._silence_s = silence_s
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[Request, Exchange]] = deque()
        self._timers: set[asyncio.TimerHandle] = set()
        self._silence: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._playing = False
        line.sessions.add(self)

    def received(self, data: bytes) -> None:
        """Take bytes from the client."""
        if not self.framing.pending:
            self._began = time.monotonic()
        self._take_all(self.framing.feed(data))
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if self.framing.pending:
            self._silence = self._loop.call_later(self._silence_s, self._on_silence)

    def closed(self) -> None:
        """The client has gone: forget what was still to be sent."""
        for timer in (*self._timers, *([self._silence] if self._silence else [])):
            timer.cancel()
        self._timers.clear()
        self.line.sessions.discard(self)
        if self.line.busy is self:
            self.line.busy = None

    def _on_silence(self) -> None:
        self._silence = None
        self._take_all(self.framing.silence())

    def _take_all(self, requests: list[Request]) -> None:
        for nth, request in enumerate(requests):
            self._take(request, overlaps=nth > 0)
        self.line.note_rubbish(self.framing)

    def _take(self, request: Request, *, overlaps: bool) -> None:
        pdu = request.pdu
        address, count = struct.unpack_from(">HH", pdu, 1) if len(pdu) >= 5 else (0, 0)
        exchange = Exchange(self._began, request.unit, pdu[0], address, count, request.raw)
        self.line.note(exchange)
        if self.framing.half_duplex and (overlaps or self.line.busy is not None):
            exchange.collided = True
            self.line.collisions += 1
        elif self._playing:
            self._waiting.append((request, exchange))
        else:
            self._answer(request, exchange)

    def _answer(self, request: Request, exchange: Exchange) -> None:
        unit = self.line.units.get(request.unit)
        function = request.pdu[0]
        hits = self.line.faults.strike(function)
        if unit is not None and unit.faults:
            hits = {**hits, **unit.faults.strike(function)}
        if not NOT_DONE.isdisjoint(hits):
            pdu: bytes | None = bytes((function | 0x80, 4))
        else:
            pdu = self._stranger(request) if unit is None else unit.answer(request.pdu)
        if pdu is None:
            return
        turnaround_s = 0.0 if unit is None else unit.turnaround_s
        if not hits and not turnaround_s and not self._char_s:
            exchange.response = self.framing.wrap(request.unit, pdu, request.tag)
            self.wire.send(exchange.response)
            exchange.ended = time.monotonic()
            return
        exchange.faults = tuple(hits)
        reply = damaged(request, pdu, self.framing, hits)
        exchange.response = reply.data
        if reply.reset:
            self.wire.reset()
            return
        lead_s = turnaround_s + self._char_s * (len(request.raw) + 3.5)
        self._perform(lead_s, reply.steps, reply.after, exchange)

    def _stranger(self, request: Request) -> bytes | None:
        """Answer for a unit that is not there: a gateway says so, a serial line is silent."""
        if not self.framing.half_duplex:
            return bytes((request.pdu[0] | 0x80, GATEWAY_TARGET_FAILED))
        if request.unit == 0 and request.pdu[0] in (5, 6, 15, 16):
            for unit in self.line.units.values():
                unit.answer(request.pdu)
        return None

    def _perform(self, lead_s: float, steps: list[Step], after: list[Step], exchange: Exchange) -> None:
        """Play the answer, then what follows it; a late answer is all in ``after``."""

        def answered() -> None:
            if steps:
                exchange.ended = time.monotonic()
            self._play(after, self._loop.time(), all_sent)
            self._playing = False
            if self.line.busy is self:
                self.line.busy = None
            while self._waiting and not self._playing:
                self._answer(*self._waiting.popleft())

        def all_sent() -> None:
            if after and not steps:
                exchange.ended = time.monotonic()

        self._playing = True
        if self.framing.half_duplex:
            self.line.busy = self
        self._play([(lead_s, b""), *steps] if steps else [], self._loop.time(), answered)

    def _play(self, steps: list[Step], base: float, done: Callable[[], None]) -> None:
        """Send each step when it is due, counted from loop time ``base``, then call ``done``."""
        due = base
        schedule: list[Step] = []
        for pause_s, data in steps:
            due += pause_s
            for chunk in self._chunks(data):
                due += self._char_s * len(chunk)
                schedule.append((due, chunk))
        schedule = [(at, data) for at, data in schedule if data or at > base]
        self._continue(deque(schedule), done)

    def _chunks(self, data: bytes) -> list[bytes]:
        if not self._char_s:
            return [data]
        size = max(1, int(CHUNK_S / self._char_s))
        return [data[at : at + size] for at in range(0, len(data), size)] or [b""]

    def _continue(self, schedule: deque[Step], done: Callable[[], None]) -> None:
        while schedule:
            due, data = schedule[0]
            if due > self._loop.time():
                self._call_at(due, lambda: self._continue(schedule, done))
                return
            schedule.popleft()
            if data:
                self.wire.send(data)
        done()

    def _call_at(self, due: float, action: Callable[[], None]) -> None:
        def act() -> None:
            self._timers.discard(timer)
            action()

        timer = self._loop.call_at(due, act)
        self._timers.add(timer)
