"""The disk store with the memory store behind it: what is written where, while the disk fails and after."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path

from lamppost.agent.spool import broken, figures, room
from lamppost.agent.spool.lock import FileLock
from lamppost.agent.spool.model import Draft, Lane, Limits, Message, SpoolError, SpoolStats
from lamppost.agent.spool.moving import move, part
from lamppost.agent.spool.reserve import RESERVE_BYTES, Reserve
from lamppost.agent.spool.schema import PAGE, make_file, make_folder
from lamppost.agent.spool.store import State, Store
from lamppost.agent.spool.trouble import Troubles, kind_of

NEVER = float("inf")
AGE_CHECK_S = 60.0
ROOM_AGAIN = 2 * RESERVE_BYTES
"""A full disk counts as cured when so many bytes are free."""

#: A database smaller than this may grow so far on a full disk, into the room that the reserve gave up:
#: it has little below its alarms that could make way for them.
YOUNG = 1 << 20


class Outbox:
    """Messages on disk as long as it takes them, in memory while it does not. One thread only.

    `write`, `next` and `acknowledge` never raise for the disk's sake: troubles are reported.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits,
        troubles: Troubles,
        *,
        now: Callable[[], float],
        retry_s: tuple[float, float],
        memory_bytes: int,
    ) -> None:
        self.path = path
        self.limits = limits
        self.troubles = troubles
        self.disk: Store | None = None
        self.memory: Store | None = None
        self.states: dict[str, bytes] = {}
        self._now = now
        self._retry_s = retry_s
        self._pause_s = retry_s[0]
        self._memory_bytes = memory_bytes
        self._lock = FileLock(path.with_name(path.name + ".lock"))
        self._reserve = Reserve(path.with_name(path.name + ".reserve"))
        self._retry_at = self._report_at = NEVER
        self._failed_at = -NEVER
        self._age_at = 0.0

    # -- opening and closing

    def open(self) -> None:
        """Open the database, or begin in memory. Raises `SpoolError` if another agent has it."""
        try:
            self._open_disk()
        except (OSError, sqlite3.Error) as error:
            self._fail(error)
            with contextlib.suppress(OSError, sqlite3.Error):
                self.disk = Store.open_readonly(self.path, self.limits)
                self.states = {**self.disk.states(), **self.states}

    def _open_disk(self) -> None:
        make_folder(self.path.parent)
        self._lock.take()
        broken.finish(self.path)
        make_file(self.path)
        try:
            self.disk = Store.open(self.path, self.limits)
        except sqlite3.Error as error:
            if kind_of(error, self.path) != "corrupt":
                raise
            self._replace(error)
        else:
            self.troubles.known(figures.losses(self._stores()))
        if self.disk is not None:
            self.states = {**self.disk.states(), **self.states}
        self._reserve.make()

    def close(self) -> None:
        """Try once more to get everything to the disk, and let go of it."""
        if self.memory is not None:
            self._try_again()
            self._report_unsaved()
        elif self.disk is not None:
            self.flush()
        self._report_losses(now=True)
        for store in (self.disk, self.memory):
            if store is not None:
                with contextlib.suppress(sqlite3.Error):
                    store.close()
        self._lock.release()

    # -- the three things that the uplink and the rules ask for

    def write(self, drafts: Sequence[tuple[float, Draft]], state: State) -> bool:
        """Store drafts and states; return whether they are safe on disk."""
        durable = self.memory is None and self._write_disk(drafts, state)
        if not durable:
            self._write_memory(drafts, state)
        for key, value in state.items():
            if value is None:
                self.states.pop(key, None)
            else:
                self.states[key] = value
        if self.troubles.open:
            self.troubles.end(f"{self.path}: the disk answers again", "stalled")
        self._report_losses()
        return durable

    def next(self, limit: int, skip: Container[tuple[Lane, int]]) -> list[Message]:
        """Return the messages that leave next."""
        found: list[Message] = []
        for lane in Lane:
            if len(found) >= limit:
                break
            messages, waiting = self._fetch_disk(lane, limit - len(found), skip)
            found += messages
            if self.memory is not None and not waiting:
                found += self.memory.fetch(lane, limit - len(found), skip)[0]
        return found

    def _fetch_disk(
        self, lane: Lane, limit: int, skip: Container[tuple[Lane, int]]
    ) -> tuple[list[Message], bool]:
        for _ in range(2):
            try:
                if self.disk is not None:
                    return self.disk.fetch(lane, limit, skip)
            except sqlite3.Error as error:
                self._fail(error)
        return [], False

    def acknowledge(self, message: Message) -> None:
        """Let go of a message that the hub has."""
        for store in self._stores():
            store.acknowledge(message)

    def flush(self) -> None:
        """Delete what was acknowledged."""
        for store in self._stores():
            if store is self.disk and self.memory is not None:
                continue  # the disk refuses; its acknowledgements wait with it
            try:
                if any(ranges.count for ranges in store.acknowledged.values()):
                    with store.transaction(durable=False):
                        pass
            except sqlite3.Error as error:
                self._fail(error)

    # -- figures

    def _stores(self) -> list[Store]:
        return [store for store in (self.disk, self.memory) if store is not None]

    def stats(self) -> SpoolStats:
        """Return the figures. This one may be called from another thread: it only looks at numbers."""
        stats = figures.stats(self._stores(), self._now())
        stats.trouble = self.troubles.open
        stats.durable = self.memory is None
        stats.stream = self.stream()
        return stats

    def stream(self) -> str:
        """Return the stream of new messages."""
        current = self.memory or self.disk
        return current.stream if current else ""

    def many_streams(self) -> bool:
        """Return whether messages of several streams may be waiting."""
        return sum(len(store.streams) for store in self._stores()) > 1

    def count_lost(self, lost: Mapping[Lane, int]) -> None:
        """Count drafts that were dropped before they came here, because the disk did not answer."""
        current = self.memory or self.disk or self._memory_store()
        for lane, count in lost.items():
            current.tallies[lane].drop("disk", count, 0)

    def _report_losses(self, *, now: bool = False) -> None:
        error = next((s.encode_error for s in self._stores() if s.encode_error), "")
        hint = f"; last encode error: {error}" if error else ""
        again = self.troubles.losses(figures.losses(self._stores()), hint, now=now)
        self._report_at = NEVER if again is None else again

    # -- time

    def due(self) -> float:
        """Return when `tend` wants to be called, on the monotonic clock."""
        return min(self._retry_at, self._age_at, self._report_at)

    def tend(self) -> None:
        """Do what time asks for: try the disk again, drop what is too old, report losses."""
        clock = time.monotonic()
        if clock >= self._retry_at:
            self._try_again()
        if clock >= self._age_at:
            self._age_at = clock + AGE_CHECK_S
            self._expire()
        if clock >= self._report_at:
            self._report_losses()

    def _expire(self) -> None:
        for store in self._stores():
            if store is self.disk and self.memory is not None:
                continue
            try:
                if any(t.depth for t in store.tallies.values()):
                    with store.transaction(durable=False):
                        room.drop_expired(store, self._now())
            except sqlite3.Error as error:
                self._fail(error)
        self._report_losses()

    # -- the disk fails

    def _write_disk(self, drafts: Sequence[tuple[float, Draft]], state: State) -> bool:
        for attempt in (1, 2):
            if self.disk is None:
                return False
            try:
                self.disk.write(drafts, state)
            except (OSError, sqlite3.Error) as error:
                if attempt == 2 or not self._cure(error):
                    self._fail(error)
            else:
                return True
        return False

    def _write_memory(self, drafts: Sequence[tuple[float, Draft]], state: State) -> None:
        store = self._memory_store()
        try:
            store.write(drafts, state)
        except sqlite3.Error:
            store.slack *= 2
            with store.transaction():
                for _, draft in drafts:
                    store.tallies[draft.lane].drop("disk", 1, 0)

    def _cure(self, error: Exception) -> bool:
        """Do at once what may help against an error; return whether another attempt makes sense."""
        kind = kind_of(error, self.path)
        if kind == "corrupt":
            return self._fail(error)
        if kind != "disk-full" or self.disk is None:
            return False
        try:
            pages = self.disk.pages()
            if pages * PAGE + self.disk.slack >= self.limits.whole:  # our own limit, not the disk's
                self.disk.slack *= 2
                return True
            self._reserve.release()
            self.disk.checkpoint()
        except sqlite3.Error:
            return False
        if self.disk.cap is not None:
            return True  # the log starts anew, and may find room where it has been before
        self.disk.cap = max(pages * PAGE, YOUNG)
        self.troubles.begin("disk-full", f"{self.path}: {error}")
        self._retry_later()
        return True

    def _fail(self, error: Exception) -> bool:
        """Replace a broken disk store, or go on in memory; return whether the disk can be used."""
        kind = kind_of(error, self.path)
        if kind == "corrupt" and self.disk is not None:
            acknowledged = self.disk.acknowledged
            with contextlib.suppress(sqlite3.Error):
                self.disk.close()
            self.disk = None
            try:
                self._replace(error).acknowledged = acknowledged
            except (OSError, sqlite3.Error) as second:
                error, kind = second, kind_of(second, self.path)
            else:
                return True
        self.troubles.begin(kind, f"{self.path}: {error}")
        self._memory_store()
        if self._retry_at == NEVER:
            self._retry_later()
        return False

    def _replace(self, error: Exception) -> Store:
        """Set the broken database aside and go on with a new one that holds what could be saved."""
        new = broken.replace(self.path, self.limits, self._now())
        self.disk = new.store
        if self.states:
            with self.disk.transaction():
                self.disk.set_states(self.states)
        lost = {lane.label: count for lane, count in new.lost.items() if count}
        saved = ", ".join(f"{lane.label} {count}" for lane, count in new.saved.items() if count) or "nothing"
        self.troubles.once(
            "corrupt",
            f"{self.path}: {error}; set aside as {new.aside.name}, saved from it: {saved}."
            " A new database with a new stream was begun",
            lost,
        )
        self.troubles.known(figures.losses(self._stores()))
        return new.store

    def _memory_store(self) -> Store:
        if self.memory is None:
            self.memory = Store.open(None, self.limits.within(self._memory_bytes))
            self.memory.reason = "disk"
        return self.memory

    # -- the disk comes back

    def _retry_later(self) -> None:
        clock = time.monotonic()
        if clock > self._failed_at + self._retry_s[1]:
            self._pause_s = self._retry_s[0]
        self._failed_at = clock
        self._retry_at = clock + self._pause_s
        self._pause_s = min(self._pause_s * 2, self._retry_s[1])

    def _try_again(self) -> None:
        try:
            self._bring_back()
        except (OSError, sqlite3.Error) as error:
            if self.disk is not None and self.memory is not None:
                part(self.memory, self.disk)
            if not self._cure(error):
                self.troubles.begin(kind_of(error, self.path), f"{self.path}: {error}")
        except SpoolError as error:
            self.troubles.begin("io", str(error))
        self._retry_at = NEVER
        if self.disk is None or self.memory is not None or self.disk.cap is not None:
            self._retry_later()
        else:
            self.troubles.end(f"{self.path}: the disk takes messages again")

    def _bring_back(self) -> None:
        if self.disk is None or self.disk.readonly:
            self._reopen()
        assert self.disk is not None
        if self.disk.cap is not None and self._reserve.free() >= ROOM_AGAIN:
            self.disk.cap = None
            self._reserve.make()
        while self.memory is not None:
            if move(self.memory, self.disk, self.states):
                self.memory.close()
                self.memory = None

    def _reopen(self) -> None:
        readonly = self.disk
        self._open_disk()
        if readonly is not None and self.disk is not None:
            self.disk.acknowledged = readonly.acknowledged
            readonly.close()

    def _report_unsaved(self) -> None:
        if self.memory is None:
            return
        left = {lane.label: tally.depth for lane, tally in self.memory.tallies.items() if tally.depth}
        if left:
            words = ", ".join(f"{label} {count}" for label, count in left.items())
            self.troubles.once("dropped", f"{self.path}: stopped with messages in memory only: {words}", left)
