"""Draining the spool over one connection."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from lamppost.agent.spool import Message, Spool
from lamppost.agent.uplink import refusals
from lamppost.agent.uplink.connection import Connection
from lamppost.agent.uplink.link import LinkError, Removed
from lamppost.agent.uplink.properties import Packed, pack
from lamppost.agent.uplink.refusals import Aside, Key
from lamppost.agent.uplink.settings import HubSettings
from lamppost.agent.wire import STATUS_TOPIC, NodeId, NodeState, sequence_text, status_content_type

#: Bytes in flight; a slow link must be able to carry them well within a keep-alive.
_WINDOW_BYTES = 128 * 1024
_AHEAD_WINDOWS = 4
_AHEAD_BYTES = 256 * 1024
_STATUS_PAUSE_S = 2.0
_PACKET_OVERHEAD = 16
_DEFLATED = b"\x78"


class Flight(NamedTuple):
    """A message between PUBLISH and PUBACK; None is the status."""

    message: Message | None
    sent_at: float
    size: int


class Tally:
    """What was counted since the agent started; lives longer than a connection."""

    sent = sent_bytes = refused = removed = 0
    latency_s: float | None = None

    def took(self, seconds: float) -> None:
        """Take in how long a PUBACK took."""
        self.latency_s = seconds if self.latency_s is None else 0.8 * self.latency_s + 0.2 * seconds


class Drain:
    """Sends what the spool has, in its order, with a window of messages in flight.

    All in the event loop's thread. A PUBACK frees a place at once; places are filled once per turn
    of the loop. Only what is in flight goes before a message that has just been put: what was read
    ahead is given back when something new comes.

    The first message goes alone, the window opens with its PUBACK: a message on which the hub hangs
    up can then be told from the others.
    """

    def __init__(
        self,
        spool: Spool,
        hub: HubSettings,
        node: NodeId,
        aside: Aside,
        tally: Tally,
        status: Callable[[NodeState], bytes],
        report: Callable[[Removed], None],
    ) -> None:
        self._spool = spool
        self._hub = hub
        self._base = node.base
        self._aside = aside
        self._tally = tally
        self._status = status
        self._report = report
        self._connection: Connection
        self._flights: dict[int, Flight] = {}
        self._flying_bytes = 0
        self._ahead: deque[Message] = deque()
        self._held: set[Key] = set(aside.keys())
        self._reading: asyncio.Task[list[Message]] | None = None
        self._news: asyncio.Task[None] | None = None
        self._more = True
        self._wake = asyncio.Event()
        self._progress_at = time.monotonic()
        self._unsent = 0
        self._status_at = 0.0
        self.status_changed = True
        self.acknowledged_any = False

    @property
    def in_flight(self) -> int:
        """How many messages wait for their PUBACK."""
        return len(self._flights)

    def wake(self) -> None:
        """Look again at what there is to do; called when the connection ended or the status changed."""
        self._wake.set()

    async def run(self, connection: Connection) -> None:
        """Send until cancelled. Raises `LinkError` when the connection is gone or dead."""
        self._connection = connection
        self._limit = min(self._hub.window, connection.limits.in_flight or self._hub.window)
        ticker = asyncio.create_task(self._tick())
        try:
            while True:
                self._wake.clear()
                connection.check()
                self._publish_status()
                if self._collect() or not self._is_stale():
                    self._fill()
                self._read()
                await self._wake.wait()
        except LinkError as error:
            self._blame(error)
            raise
        finally:
            for task in (ticker, self._reading, self._news):
                if task is not None:
                    task.cancel()

    async def farewell(self, within_s: float) -> None:
        """Publish the status ``offline`` and wait, not for long, until the hub has it."""
        mid = self._send_status("offline")
        async with asyncio.timeout(within_s):
            while mid in self._flights:
                self._wake.clear()
                self._connection.check()
                await self._wake.wait()

    async def _tick(self) -> None:
        """Look several times a keep-alive, and at least once a second, whether the link lives."""
        pause_s = min(1.0, self._hub.keepalive_s / 4)
        while True:
            await asyncio.sleep(pause_s)
            due = self._aside.due()
            self._held.difference_update(due)
            self._more |= bool(due)
            self._watch()
            self._wake.set()

    def _watch(self) -> None:
        """Drop a link on which nothing has moved for a keep-alive though an answer is owed.

        A large message on a slow link is no dead link: as long as TCP gets bytes across, we wait.
        """
        now, unsent = time.monotonic(), self._connection.unsent_bytes()
        if unsent < self._unsent:
            self._connection.prove()
        if not self._flights or unsent < self._unsent:
            self._progress_at = now
        self._unsent = unsent
        if now - self._progress_at > self._hub.keepalive_s:
            self._connection.fail(
                LinkError(f"the hub has not acknowledged anything for {self._hub.keepalive_s} s")
            )

    # -- from the spool

    def _read(self) -> None:
        """Start reading ahead, if there is room and something to be read."""
        if self._reading is not None or self._aside.full or not self._has_room(0):
            return
        if self._is_stale():
            self._held.difference_update((message.lane, message.number) for message in self._ahead)
            self._ahead.clear()
        elif self._ahead or not self._more:
            return
        mean = self._tally.sent_bytes // self._tally.sent if self._tally.sent else 1024
        count = max(1, min(_AHEAD_WINDOWS * self._limit, _AHEAD_BYTES // max(mean, 1)))
        self._reading = asyncio.create_task(self._spool.next(count, self._held))
        self._reading.add_done_callback(self._woken)
        if self._news is None or self._is_stale():
            self._news = asyncio.create_task(self._spool.wait())
            self._news.add_done_callback(self._woken)

    def _is_stale(self) -> bool:
        """Return whether something came since the last reading that may be more urgent."""
        return self._news is not None and self._news.done()

    def _collect(self) -> bool:
        if self._reading is None or not self._reading.done():
            return False
        messages = self._reading.result()
        self._reading = None
        self._more = bool(messages)
        self._ahead.extend(messages)
        self._held.update((message.lane, message.number) for message in messages)
        return True

    def _woken(self, _: asyncio.Task[object]) -> None:
        self._wake.set()

    # -- to the hub

    def _has_room(self, size: int) -> bool:
        limit = self._limit if self.acknowledged_any else 1
        flying = len(self._flights)
        return flying < limit and (not flying or self._flying_bytes + size <= _WINDOW_BYTES)

    def _fill(self) -> None:
        while self._ahead and self._has_room(len(self._ahead[0].payload)):
            self._publish(self._ahead.popleft())

    def _publish(self, message: Message) -> None:
        topic = self._base + message.topic
        properties = self._properties(message)
        size = len(topic) + len(message.payload) + _PACKET_OVERHEAD
        size += len(properties.pack()) if properties else 0
        limit = self._connection.limits.packet_bytes
        if limit is not None and size > limit:
            self._remove(message, f"larger than the {limit} bytes that the hub takes")
            return
        try:
            mid = self._connection.send(topic, message.payload, properties)
        except ValueError as error:
            self._remove(message, str(error))
            return
        self._took_off(mid, message, size)

    def _properties(self, message: Message) -> Packed | None:
        if self._hub.protocol != "5":
            return None
        telemetry = message.content_type.startswith("application/senml+")
        return pack(
            message.content_type,
            seq=sequence_text(message.stream, message.lane, message.number),
            expiry_s=None if message.expires is None else max(1, int(message.expires - time.time())),
            deflated=telemetry and message.payload[:1] == _DEFLATED,
        )

    def _took_off(self, mid: int, message: Message | None, size: int) -> None:
        now = time.monotonic()
        if not self._flights:
            self._progress_at = now
        self._flights[mid] = Flight(message, now, size)
        self._flying_bytes += size

    def acknowledged(self, mid: int, code: int) -> None:
        """Take a PUBACK; called by paho in the middle of its work, therefore quick."""
        flight = self._flights.pop(mid, None)
        if flight is None:
            return
        self._flying_bytes -= flight.size
        self._progress_at = time.monotonic()
        self._tally.took(self._progress_at - flight.sent_at)
        message = flight.message
        if message is not None:
            self.acknowledged_any = True
            if code >= refusals.SUCCESS_BELOW:
                self._refused(message, code)
            else:
                self._release(message)
                self._tally.sent += 1
                self._tally.sent_bytes += len(message.payload)
        self._wake.set()

    def _release(self, message: Message) -> None:
        key = (message.lane, message.number)
        self._spool.done(message)
        self._held.discard(key)
        self._aside.forget(key)

    def _refused(self, message: Message, code: int) -> None:
        self._tally.refused += 1
        if refusals.is_final(code) or not self._aside.put(message):
            self._remove(message, f"the hub refuses it: {refusals.reason(code)}")

    def _remove(self, message: Message, reason: str) -> None:
        self._release(message)
        self._tally.removed += 1
        self._report(Removed(message, reason))

    def _blame(self, error: LinkError) -> None:
        """Set the message aside on which the hub hung up, if it was the only one in flight."""
        messages = [flight.message for flight in self._flights.values() if flight.message is not None]
        if error.by_hub and len(messages) == 1:
            self._tally.refused += 1
            if not self._aside.put(messages[0]):
                self._remove(messages[0], f"the hub hangs up when it comes: {error}")

    def _publish_status(self) -> None:
        due = time.monotonic() >= self._status_at + _STATUS_PAUSE_S
        if self.status_changed and due and all(flight.message for flight in self._flights.values()):
            self.status_changed = False
            self._status_at = time.monotonic()
            self._send_status("online")

    def _send_status(self, state: NodeState) -> int:
        properties = pack(status_content_type(self._hub.encoding)) if self._hub.protocol == "5" else None
        payload = self._status(state)
        topic = self._base + STATUS_TOPIC
        mid = self._connection.send(topic, payload, properties, retain=self._connection.limits.retain)
        self._took_off(mid, None, len(topic) + len(payload) + _PACKET_OVERHEAD)
        return mid
