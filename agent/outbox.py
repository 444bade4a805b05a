"""From samples and events to the spool: telemetry rides in memory for a while, events do not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from lamppost.agent.engine import Raised
from lamppost.agent.event import Event, Severity
from lamppost.agent.log import get_logger
from lamppost.agent.spool import Draft, Lane, SpoolError
from lamppost.agent.wire import Poll, polls
from lamppost.drivers.api import Reading

log = get_logger()

#: A device's batch is sent before its time when it gets this long: memory stays bounded. Not shorter,
#: because many polls of one quantity cost a quarter of what as many single values cost.
FULL = 20_000
#: An event waits so long for its pictures, and is then told without those that are not drawn yet.
DRAWN_S = 2.0
#: The very first readings are sent this soon, so that the hub sees a box come alive.
FIRST_S = 0.05


class Encoder(Protocol):
    """What turns readings and events into drafts: `lamppost.agent.wire` for one node."""

    def telemetry(self, device: str, polls: Sequence[Poll]) -> Draft:
        """Return the draft of one device's batch."""

    def event(self, event: Event) -> Draft:
        """Return the draft of one event."""

    def picture(self, event: str, number: int, jpeg: bytes) -> Draft:
        """Return the draft of one picture of an event."""


class _Batch:
    """What one device has to send."""

    __slots__ = ("count", "polls")

    def __init__(self) -> None:
        self.polls: list[Poll] = []
        self.count = 0

    def add(self, readings: Sequence[Reading]) -> None:
        """Keep readings."""
        self.polls.extend(polls(readings, self.polls[-1] if self.polls else None))
        self.count += len(readings)


class Put(Protocol):
    """The spool's way in."""

    async def __call__(self, drafts: Sequence[Draft], state: Mapping[str, bytes]) -> bool:
        """Return when that is over: whether all is on disk, or in memory only."""


class Outbox:
    """Collects, and puts into the spool: events at once and together with the rules' states."""

    def __init__(
        self,
        put: Put,
        encoder: Encoder,
        *,
        memory_s: float,
        take_states: Callable[[], dict[str, bytes]],
        told: Callable[[Sequence[Raised]], None],
    ) -> None:
        self._put = put
        self._encoder = encoder
        self._memory_s = memory_s
        self._take_states = take_states
        self._told = told
        self._batches: dict[str, _Batch] = {}
        self._full: list[tuple[str, _Batch]] = []
        self._events: list[Raised] = []
        self._states: dict[str, bytes] = {}
        self._beside: dict[str, bytes] = {}
        self._save = False
        self._wake = asyncio.Event()
        self._flush_at: float | None = None
        self._begun = False
        self._loop = asyncio.get_running_loop()
        #: Readings handed on so far, for the status.
        self.readings = 0

    def telemetry(self, device: str, readings: Sequence[Reading]) -> None:
        """Keep readings until their batch is due."""
        batch = self._batches.get(device)
        if batch is None:
            batch = self._batches[device] = _Batch()
        batch.add(readings)
        if batch.count >= FULL:
            self._full.append((device, self._batches.pop(device)))
            self._wake.set()
        if self._flush_at is None:
            wait_s = self._memory_s if self._begun else min(FIRST_S, self._memory_s)
            self._begun = True
            self._flush_at = self._loop.time() + wait_s
            self._loop.call_later(wait_s, self._wake.set)

    def events(self, raised: Sequence[Raised]) -> None:
        """Queue events for the next transaction, which begins as soon as the last is done."""
        self._events += raised
        self._wake.set()

    def save(self, states: Mapping[str, bytes]) -> None:
        """Save the rules' states, and these beside them, with the next transaction."""
        self._states.update(states)
        self._save = True
        self._wake.set()

    def save_beside(self, states: Mapping[str, bytes]) -> None:
        """Save these with the next transaction that there is anyhow, at the latest with the telemetry."""
        self._beside.update(states)

    def flush(self) -> None:
        """Send all batches now."""
        self._flush_at = self._loop.time()
        self._wake.set()

    async def run(self) -> None:
        """Put what is due until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.once()

    async def once(self) -> None:
        """Put what is due now: events, their pictures and the states that they left, in one transaction."""
        # Before anything is taken from the queue: whoever cancels here takes nothing away.
        deadline = self._loop.time() + DRAWN_S
        for raised in self._events:
            if raised.exhibit is not None:
                await raised.exhibit.ready(max(0.0, deadline - self._loop.time()))
        drafts, events = self._take()
        if not drafts and not events and not self._save:
            return
        # States are taken in the same breath as the events: no rule steps between the two.
        states = {**self._take_states(), **self._states} if events or self._save else {}
        states = {**self._beside, **states}
        self._states, self._beside, self._save = {}, {}, False
        events, pictures = self._completed(events)
        drafts += [self._encoder.event(raised.event) for raised in events]
        drafts += pictures
        try:
            durable = await self._put(drafts, states)
        except SpoolError as error:
            log.error("not stored", reason=str(error), events=len(events))
            return
        for raised in events:
            if raised.exhibit is not None and durable:
                raised.exhibit.stored()
        if events:
            self._told(events)

    def _completed(self, events: list[Raised]) -> tuple[list[Raised], list[Draft]]:
        """Return the events as they name their pictures, and the pictures."""
        drafts: list[Draft] = []
        done: list[Raised] = []
        for raised in events:
            event = raised.event
            if raised.exhibit is not None:
                event, jpegs = raised.exhibit.complete(event)
                drafts += [self._encoder.picture(event.id, number, jpeg) for number, jpeg in jpegs]
            done.append(raised._replace(event=event))
        return done, drafts

    def _take(self) -> tuple[list[Draft], list[Raised]]:
        batches, self._full = self._full, []
        if self._flush_at is not None and self._loop.time() >= self._flush_at - 0.001:
            batches += self._batches.items()
            self._batches = {}
            self._flush_at = None
        events, self._events = self._events, []
        self.readings += sum(batch.count for _, batch in batches)
        return [self._encoder.telemetry(device, batch.polls) for device, batch in batches], events


def lane_of(severity: Severity) -> Lane:
    """Return the lane in which an event of this urgency travels."""
    return Lane.ALARMS if severity is Severity.ALARM else Lane.EVENTS
