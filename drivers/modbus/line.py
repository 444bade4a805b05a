"""One line that several units share: opened once, asked one request at a time, in turn.

The lock hands the line to who has waited longest; a device asks block by block, so each device
gets one request in its turn, however long its neighbours' polls are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from lamppost.drivers.api import DriverError
from lamppost.drivers.modbus.endpoint import Endpoint
from lamppost.drivers.modbus.frame import (
    EXCEPTIONS,
    Answer,
    FaultKind,
    Request,
    judge_rtu,
    search_rtu,
    search_tcp,
)
from lamppost.drivers.modbus.port import Port, open_port
from lamppost.drivers.sharing import Shared

Report = Callable[[str, str], None]

#: Silence after which an RTU frame has surely ended; USB adapters and serial servers pause inside frames.
GAP_S = {"rtu": 0.05, "rtu+tcp": 0.25}
#: Time-outs in a row, without any answer between, after which a TCP connection is taken for dead.
DEAD_AFTER = 3
#: A line that just failed to open is not tried again for the next neighbour's sake.
REOPEN_S = 0.5
OPEN_TIMEOUT_S = 5.0


class NoAnswerError(Exception):
    """The unit did not answer in time."""


class GarbledError(Exception):
    """Something answered, but not as it should: worth asking once more."""


class LostError(Exception):
    """The connection went away during the exchange; many gateways close idle ones."""


class RefusedError(Exception):
    """The unit answered with a Modbus exception."""

    def __init__(self, request: Request, code: int) -> None:
        super().__init__(
            f"unit {request.unit} refused {request.text}: "
            f"exception {code} ({EXCEPTIONS.get(code, 'unknown')})"
        )
        self.code = code


class Line:
    """A shared line. Use `join`; one object serves all devices of one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.members = 0
        #: How long the newest exchange took, without the wait for the line's turn.
        self.exchange_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._lock = asyncio.Lock()
        self._port: Port | None = None
        self._failed_at = float("-inf")
        self._failure: DriverError | None = None
        self._silent_since = 0.0
        self._timeouts = 0
        self._transaction = 0
        self._is_tcp = endpoint.framing == "tcp"
        self._gap_s = GAP_S.get(endpoint.framing, 0.0) + 10 * (
            endpoint.character_s if not endpoint.host else 0.0
        )
        self._buffer = b""
        self._request: Request | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._gap: asyncio.TimerHandle | None = None
        self._timeout_s = self._deadline = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._report: Report | None = None

    async def ask(self, request: Request, timeout_s: float, report: Report) -> bytes:
        """Send one request and return the data bytes of its answer.

        ``report`` gets the frames that were dropped on the way. Raises NoAnswerError, GarbledError,
        LostError, RefusedError, or DriverError when the line cannot be opened.
        """
        async with self._lock:
            port = self._port if self._port is not None and self._port.is_open else await self._open()
            silence_s = self._silent_since + self.endpoint.silence_s - self._loop.time()
            if silence_s > 0:
                await asyncio.sleep(silence_s)
            return await self._exchange(port, request, timeout_s, report)

    async def _exchange(self, port: Port, request: Request, timeout_s: float, report: Report) -> bytes:
        self._request, self._report, self._buffer = request, report, b""
        self._answer = future = self._loop.create_future()
        began = self._loop.time()
        self._transaction = (self._transaction + 1) & 0xFFFF
        self._timeout_s, self._deadline = timeout_s, began + timeout_s
        self._watch_deadline()
        port.write(request.tcp(self._transaction) if self._is_tcp else request.rtu())
        try:
            answer: Answer = await future
        finally:
            if self._gap is not None:
                self._gap.cancel()
            self._answer = self._request = self._report = self._gap = None
            self._silent_since = self._loop.time()
            self.exchange_s = self._silent_since - began
        self._timeouts = 0
        if answer.data is None:
            raise RefusedError(request, answer.exception)
        return answer.data

    def _received(self, data: bytes) -> None:
        self._silent_since = self._loop.time()
        if self._answer is None or self._answer.done() or self._request is None:
            return  # nobody asked: noise, or an answer that came too late
        self._buffer += data
        if self._is_tcp:
            answer, self._buffer = search_tcp(self._buffer, self._request, self._transaction)
        else:
            answer = search_rtu(self._buffer, self._request)
            self._watch_gap()
        for kind, detail in answer.faults:
            self._note(kind, detail)
        if answer.broken:
            self._drop()
            self._answer.set_exception(GarbledError(answer.faults[-1][1]))
        elif answer.data is not None or answer.exception:
            self._answer.set_result(answer)

    def _watch_gap(self) -> None:
        """Begin to wait for the end of a frame: a line that falls silent sends no more of it."""
        if self._gap is not None:
            self._gap.cancel()
        self._gap = self._loop.call_later(self._gap_s, self._ended)

    def _ended(self) -> None:
        """The line fell silent with bytes that hold no answer: drop noise, give up on a spoilt answer."""
        if self._answer is None or self._answer.done() or self._request is None or not self._buffer:
            return
        if self._buffer == self._request.rtu():
            return  # the adapter's echo; the answer is still to come
        kind, detail = judge_rtu(self._buffer, self._request)
        self._note(kind, detail)
        self._buffer = b""
        if kind in ("crc", "truncated", "length"):
            self._answer.set_exception(GarbledError(detail))

    def _watch_deadline(self) -> None:
        """Have the deadline looked at in time. One timer serves many exchanges: most are answered soon."""
        if self._alarm is not None:
            if self._alarm.when() <= self._deadline:
                return
            self._alarm.cancel()
        self._alarm = self._loop.call_at(self._deadline, self._expire)

    def _expire(self) -> None:
        self._alarm = None
        if self._answer is None or self._answer.done() or self._request is None:
            return
        if self._loop.time() < self._deadline:  # an earlier exchange set the timer
            self._watch_deadline()
            return
        text = f"unit {self._request.unit} did not answer {self._request.text} within {self._timeout_s:g} s"
        if self._buffer and not self._is_tcp:
            kind, detail = judge_rtu(self._buffer, self._request)
            self._note(kind, detail)
            text += f"; instead came {detail}"
        self._timeouts += 1
        if self.endpoint.host and (self.members == 1 or self._timeouts >= DEAD_AFTER):
            self._drop()
        self._answer.set_exception(NoAnswerError(text))

    def _note(self, kind: FaultKind, detail: str) -> None:
        if self._report is not None:
            self._report(kind, detail)

    async def _open(self) -> Port:
        if self._failure is not None and self._loop.time() - self._failed_at < REOPEN_S:
            raise DriverError(str(self._failure))
        try:
            self._port = await open_port(self.endpoint, self._received, self._lost, OPEN_TIMEOUT_S)
        except DriverError as error:
            self._failed_at, self._failure = self._loop.time(), error
            raise
        self._failure, self._timeouts = None, 0
        return self._port

    def _lost(self, reason: str) -> None:
        """Say to who is waiting that the line is gone."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LostError(reason))

    def _drop(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None

    def close(self) -> None:
        """Close the port; the last member does."""
        self._drop()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


_shared: Shared[Line] = Shared()


def join(endpoint: Endpoint) -> AbstractAsyncContextManager[Line]:
    """Share the line with whoever uses it already; the last to leave closes it.

    Raises DriverError if it is in use with other serial settings.
    """
    return _shared.join(endpoint.key, endpoint, lambda: Line(endpoint), lambda line: line.endpoint)
