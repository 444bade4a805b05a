"""The spool as the event loop sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Container, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from lamppost.agent.spool.inbox import Inbox, Job, Read
from lamppost.agent.spool.model import (
    MB,
    Draft,
    Lane,
    Limits,
    Message,
    SpoolError,
    SpoolSettings,
    SpoolStats,
    SpoolTrouble,
)
from lamppost.agent.spool.outbox import Outbox
from lamppost.agent.spool.trouble import Troubles
from lamppost.agent.spool.writer import Writer

STALLED_S = 10.0


class Spool:
    """The durable outbox. Made by `open_spool`; all methods belong to the event loop's thread."""

    def __init__(self, outbox: Outbox, inbox: Inbox, troubles: Troubles, now: Callable[[], float]) -> None:
        self._outbox = outbox
        self._inbox = inbox
        self._troubles = troubles
        self._now = now
        self._new = asyncio.Event()
        self._reading: list[set[tuple[Lane, int, str]]] = []
        self._closed = False

    async def put(self, drafts: Sequence[Draft], state: Mapping[str, bytes | None] | None = None) -> bool:
        """Store drafts and rule states in one transaction; return when that is over.

        True: they are on disk, and survive a power cut. False: the disk does not take them (see
        ``stats().trouble``); they are in memory and go to disk and hub when that is possible.
        None as a state's value removes it. Cancelling the wait does not take the drafts back.
        Raises `SpoolError` if the spool is closed, and TypeError for a state that is not bytes.
        """
        if not drafts and not state:
            return True
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._put(drafts, _checked(state or {}), waiter)
        return await waiter

    def put_soon(self, drafts: Sequence[Draft]) -> None:
        """Store drafts with the next commit, ``commit_ms`` from now at the latest; do not wait for it."""
        if drafts:
            self._put(drafts, {}, None)

    def _put(
        self,
        drafts: Sequence[Draft],
        state: Mapping[str, bytes | None],
        waiter: asyncio.Future[bool] | None,
    ) -> None:
        if self._closed:
            raise SpoolError(f"{self._outbox.path}: the spool is closed")
        if not self._inbox.put(Job(drafts, state, self._now(), waiter)):
            self._troubles.begin(
                "stalled", f"{self._outbox.path}: messages come in faster than they are written"
            )

    def read_state(self, key: str) -> bytes | None:
        """Return a rule's state as it was last stored."""
        return self._outbox.states.get(key)

    async def write_state(self, state: Mapping[str, bytes | None]) -> bool:
        """Store rule states; see `put`."""
        return await self.put((), state)

    async def next(self, limit: int, skip: Container[tuple[Lane, int]] = ()) -> list[Message]:
        """Return up to ``limit`` messages: highest lane first, the oldest of a lane first.

        ``skip`` holds the (lane, number) of those in flight; it may change while this waits.
        """
        self._new.clear()
        done: set[tuple[Lane, int, str]] = set()
        self._reading.append(done)
        try:
            while True:
                waiter: asyncio.Future[list[Message]] = asyncio.get_running_loop().create_future()
                if self._closed:
                    raise SpoolError(f"{self._outbox.path}: the spool is closed")
                self._inbox.read(Read(limit, skip, waiter))
                found = await waiter
                left = [m for m in found if (m.lane, m.number, m.stream) not in done]
                if left or not found:
                    return left
        finally:
            self._reading.remove(done)

    async def wait(self) -> None:
        """Return when something was stored since the last call of `next` began. For one reader."""
        await self._new.wait()

    def done(self, message: Message) -> None:
        """Let go of a message that the hub has acknowledged; it is deleted within 0.2 s."""
        for seen in self._reading:
            seen.add((message.lane, message.number, message.stream))
        if not self._closed:
            self._inbox.done(message)
        if self._outbox.many_streams():
            self._new.set()  # this may have been the last one before the next stream's turn

    @property
    def stream(self) -> str:
        """The stream of new messages: 8 hex digits."""
        return self._outbox.stream()

    def stats(self) -> SpoolStats:
        """Return the figures of all lanes, without touching the disk."""
        since = self._inbox.busy_since
        if since is not None and time.monotonic() - since > STALLED_S:
            self._troubles.begin("stalled", f"{self._outbox.path}: no answer for {STALLED_S:g} s")
        return self._outbox.stats()


def _checked(state: Mapping[str, bytes | None]) -> Mapping[str, bytes | None]:
    for key, value in state.items():
        key.encode()
        if value is not None and not isinstance(value, bytes):
            raise TypeError(f"state {key!r} is {type(value).__name__}, not bytes")
    return dict(state)


@asynccontextmanager
async def open_spool(
    settings: SpoolSettings,
    *,
    report: Callable[[SpoolTrouble], None],
    now: Callable[[], float] = time.time,
    retry_s: tuple[float, float] = (1.0, 60.0),
    memory_mb: float = 8,
    close_s: float = 4.0,
) -> AsyncIterator[Spool]:
    """Open the spool, and close it in the end with everything written that came in.

    ``report`` is called on the event loop. ``now`` gives unix seconds. ``retry_s`` is the first and
    the longest pause between attempts on a disk that failed; ``memory_mb`` bounds what is kept
    meanwhile, and as much again may wait for a disk that hangs; closing gives it up after ``close_s``.
    Raises `SpoolError` if another agent uses the same spool; a bad disk is reported, never raised.
    """
    loop = asyncio.get_running_loop()
    writer: Writer
    troubles = Troubles(lambda trouble: writer.post(partial(report, trouble)), time.monotonic)
    outbox = Outbox(
        settings.path,
        Limits.of(settings),
        troubles,
        now=now,
        retry_s=retry_s,
        memory_bytes=int(memory_mb * MB),
    )
    inbox = Inbox(settings.commit_ms / 1000, int(memory_mb * MB))
    spool = Spool(outbox, inbox, troubles, now)
    writer = Writer(outbox, inbox, loop, spool._new.set)  # noqa: SLF001
    writer.start()
    try:
        await writer.opened
        yield spool
    finally:
        spool._closed = True  # noqa: SLF001
        inbox.close()
        await asyncio.wait([writer.closed], timeout=close_s)
        if not writer.closed.done():
            report(
                SpoolTrouble("stalled", f"{settings.path}: the disk does not answer; gave it up", {}, "open")
            )
