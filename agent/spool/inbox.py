"""What waits for the spool's thread: bounded, so that a disk that hangs cannot fill the memory."""

from __future__ import annotations

import threading
import time
from asyncio import Future
from collections import deque
from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from lamppost.agent.spool.model import Draft, Lane, Message

ACKNOWLEDGE_ROWS = 256
ACKNOWLEDGE_S = 0.2
BATCH_ROWS = 2000
GUESS_BYTES = 4096
"""What a draft is taken to hold in memory if it does not say."""
HANGS_S = 1.0
"""A full queue is a disk that hangs, not a burst, when the thread has been at one thing for so long."""


class Job:
    """Drafts and states that go into one transaction; ``waiter`` is the caller who wants to know."""

    __slots__ = ("created", "drafts", "state", "waiter")

    def __init__(
        self,
        drafts: Sequence[Draft],
        state: Mapping[str, bytes | None],
        created: float,
        waiter: Future[bool] | None,
    ) -> None:
        self.drafts = drafts
        self.state = state
        self.created = created
        self.waiter = waiter


def _weigh(drafts: Sequence[Draft]) -> int:
    return sum([draft.weight or GUESS_BYTES for draft in drafts])


class Read(NamedTuple):
    """A call of `Spool.next` that waits for its answer."""

    limit: int
    skip: Container[tuple[Lane, int]]
    waiter: Future[list[Message]]


Lost: TypeAlias = dict[Lane, int]


class Work(NamedTuple):
    """What the thread has to do now."""

    jobs: list[Job]
    reads: list[Read]
    done: list[Message]
    lost: Lost
    flush: bool
    closing: bool


class Inbox:
    """A queue from the event loop to the thread. All methods may be called from either."""

    def __init__(self, commit_s: float, limit_bytes: int) -> None:
        self._commit_s = commit_s
        self._limit = limit_bytes
        self._ready = threading.Condition(threading.Lock())
        self._jobs: deque[Job] = deque()
        self._reads: list[Read] = []
        self._done: list[Message] = []
        self._lost: Lost = {}
        self._weight = 0
        self._rows = 0
        self._unflushed = 0
        self._job_due = self._flush_due = float("inf")
        self._closing = False
        self.busy_since: float | None = None

    # -- from the event loop

    def put(self, job: Job) -> bool:
        """Queue a job; return False if something had to be dropped because the disk does not keep up."""
        weight = _weigh(job.drafts)
        with self._ready:
            self._jobs.append(job)
            self._weight += weight
            self._rows += len(job.drafts)
            now = time.monotonic()
            kept = self._weight <= self._limit or not self._hangs(now) or self._shed()
            due = now if job.waiter is not None else now + self._commit_s
            if due < self._job_due or self._rows >= BATCH_ROWS:
                self._job_due = due if self._rows < BATCH_ROWS else now
                self._ready.notify()
            return kept

    def read(self, read: Read) -> None:
        """Queue a read; it does not wait for anything but the commit that is running."""
        with self._ready:
            self._reads.append(read)
            self._ready.notify()

    def done(self, message: Message) -> None:
        """Queue an acknowledgement; they are deleted a few hundred at once."""
        with self._ready:
            self._done.append(message)
            self._unflushed += 1
            if self._unflushed >= ACKNOWLEDGE_ROWS:
                self._flush_due = 0.0
                self._ready.notify()
            elif self._unflushed == 1:
                self._flush_due = time.monotonic() + ACKNOWLEDGE_S
                self._ready.notify()

    def close(self) -> None:
        """Let the thread finish what is queued, and end."""
        with self._ready:
            self._closing = True
            self._ready.notify()

    def _hangs(self, now: float) -> bool:
        return self.busy_since is not None and now > self.busy_since + HANGS_S

    def _shed(self) -> bool:
        """Drop the oldest drafts of the lowest lane until nine tenths of the limit hold the rest."""
        wanted = self._limit * 9 // 10
        for lane in reversed(Lane):
            for job in self._jobs:
                if self._weight <= wanted:
                    break
                gone = [draft for draft in job.drafts if draft.lane is lane]
                if gone:
                    job.drafts = [draft for draft in job.drafts if draft.lane is not lane]
                    self._weight -= _weigh(gone)
                    self._rows -= len(gone)
                    self._lost[lane] = self._lost.get(lane, 0) + len(gone)
        self._jobs = deque(job for job in self._jobs if job.drafts or job.state or job.waiter)
        return False

    # -- from the thread

    def take(self, tend_due: float) -> Work:
        """Wait until something is due, and take it; ``tend_due`` is on the monotonic clock."""
        with self._ready:
            self.busy_since = None
            while not self._closing and not self._reads:
                pause = min(self._job_due, self._flush_due, tend_due) - time.monotonic()
                if pause <= 0:
                    break
                self._ready.wait(min(pause, 3600.0))
            now = self.busy_since = time.monotonic()
            jobs = self._take_jobs() if self._closing or now >= self._job_due else []
            flush = bool(jobs) or self._closing or now >= self._flush_due
            if flush:
                self._flush_due, self._unflushed = float("inf"), 0
            reads, self._reads = self._reads, []
            done, self._done = self._done, []
            lost, self._lost = self._lost, {}
            return Work(jobs, reads, done, lost, flush, self._closing and not self._jobs)

    def _take_jobs(self) -> list[Job]:
        taken: list[Job] = []
        rows = 0
        while self._jobs and (not taken or rows + len(self._jobs[0].drafts) <= BATCH_ROWS):
            job = self._jobs.popleft()
            taken.append(job)
            rows += len(job.drafts)
        self._rows -= rows
        if self._jobs:
            self._weight = sum(_weigh(job.drafts) for job in self._jobs)
            self._job_due = 0.0
        else:
            self._weight = 0
            self._job_due = float("inf")
        return taken
