"""The spool's thread: it alone touches the databases, and commits in groups."""

from __future__ import annotations

import threading
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from functools import partial
from typing import Any

from lamppost.agent.spool.inbox import Inbox, Job, Read, Work
from lamppost.agent.spool.model import SpoolError
from lamppost.agent.spool.outbox import Outbox


class Writer:
    """A thread that turns what the inbox holds into transactions of the outbox.

    While one commit waits for the disk, the next group gathers in the inbox. The event loop is woken
    once per commit, not once per row.
    """

    def __init__(
        self,
        outbox: Outbox,
        inbox: Inbox,
        loop: AbstractEventLoop,
        stored: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._inbox = inbox
        self._loop = loop
        self._stored = stored
        self.opened: Future[None] = loop.create_future()
        self.closed: Future[None] = loop.create_future()
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)

    def start(self) -> None:
        """Start the thread; await `opened`, and in the end `closed`."""
        self._thread.start()

    def post(self, call: Callable[[], object]) -> None:
        """Run something on the event loop, if it still turns."""
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            if not self._loop.is_closed():
                raise

    def _run(self) -> None:
        try:
            self._outbox.open()
            self.post(partial(_resolve, [(self.opened, None)]))
            self._serve()
        except BaseException as error:  # noqa: BLE001  the opener gets it
            self.post(partial(_fail, [self.opened], error))
        finally:
            self.post(partial(_resolve, [(self.closed, None)]))

    def _serve(self) -> None:
        closing = False
        while not closing:
            work = self._inbox.take(self._outbox.due())
            closing = work.closing
            try:
                self._do(work)
            except Exception as error:  # noqa: BLE001  a bug must not hang all who wait
                problem = SpoolError(f"{self._outbox.path}: {type(error).__name__}: {error}")
                waiters = [job.waiter for job in work.jobs] + [read.waiter for read in work.reads]
                self.post(partial(_fail, [waiter for waiter in waiters if waiter], problem))
                self._outbox.troubles.begin("io", str(problem))
        self._outbox.close()

    def _do(self, work: Work) -> None:
        for message in work.done:
            self._outbox.acknowledge(message)
        if work.lost:
            self._outbox.count_lost(work.lost)
        if work.reads:
            self._read(work.reads)
        if work.jobs:
            self._write(work.jobs)
        elif work.flush:
            self._outbox.flush()
        self._outbox.tend()

    def _read(self, reads: list[Read]) -> None:
        self.post(
            partial(_resolve, [(read.waiter, self._outbox.next(read.limit, read.skip)) for read in reads])
        )

    def _write(self, jobs: list[Job]) -> None:
        drafts = [(job.created, draft) for job in jobs for draft in job.drafts]
        state: dict[str, bytes | None] = {}
        for job in jobs:
            state.update(job.state)
        durable = self._outbox.write(drafts, state)
        waiters = [(job.waiter, durable) for job in jobs if job.waiter is not None]
        self.post(partial(self._tell, waiters, bool(drafts)))

    def _tell(self, waiters: list[tuple[Future[bool], bool]], stored: bool) -> None:
        _resolve(waiters)
        if stored:
            self._stored()


def _resolve(answers: list[tuple[Future[Any], Any]]) -> None:
    for future, answer in answers:
        if not future.done():
            future.set_result(answer)


def _fail(futures: list[Future[Any]], error: BaseException) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
