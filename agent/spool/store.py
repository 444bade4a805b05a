"""One SQLite database of messages. Disk and memory use the same code; all calls belong to one thread."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from lamppost.agent.spool import room
from lamppost.agent.spool.model import Draft, Lane, Limits, Message
from lamppost.agent.spool.ranges import IdRanges, runs
from lamppost.agent.spool.schema import (
    COLUMNS,
    NUMBER_BITS,
    NUMBER_MASK,
    PAGE,
    connect,
    connect_readonly,
    prepare,
    read_figures,
    row_bytes,
)
from lamppost.agent.spool.tally import Tally

State: TypeAlias = Mapping[str, bytes | None]


Row: TypeAlias = tuple[int, float, int, str, str, bytes]
"""id, created, bytes on disk, topic, content type, payload: plain, since thousands a second are made."""
Batch: TypeAlias = dict[Lane, list[Row]]


class Store:
    """A database that is open for writing.

    Every method that touches the database may raise `sqlite3.Error`; what it had begun is then
    undone, in the figures too, and it can be tried again.
    """

    def __init__(self, connection: sqlite3.Connection, limits: Limits) -> None:
        self._connection = connection
        self._full_sync = True
        self.limits = limits
        self.cap: int | None = None  # bytes, when the disk gives no more
        self.slack = room.SLACK
        self.reason = "size"  # why this store drops messages at its limits
        self._measured = limits.whole
        self._grown = 0
        self.tallies = {lane: Tally() for lane in Lane}
        self.acknowledged = {lane: IdRanges() for lane in Lane}
        self.streams: dict[str, int] = {}
        self.encode_error = ""
        self.readonly = False
        self._load()

    @classmethod
    def open(cls, path: Path | None, limits: Limits) -> Store:
        """Open or create a database file; None gives one in memory."""
        connection = connect(path or ":memory:")
        try:
            connection.execute(f"PRAGMA max_page_count = {limits.whole // PAGE}")
            prepare(connection)
            return cls(connection, limits)
        except BaseException:
            connection.close()
            raise

    @classmethod
    def open_readonly(cls, path: Path, limits: Limits) -> Store:
        """Open a database that cannot be written, to hand out what it holds."""
        connection = connect_readonly(path)
        try:
            prepare(connection)
            store = cls(connection, limits)
        except BaseException:
            connection.close()
            raise
        store.readonly = True
        return store

    def _load(self) -> None:
        query = self._connection.execute
        self.streams = {
            stream: epoch for epoch, stream in query("SELECT epoch, id FROM stream ORDER BY epoch")
        }
        for lane in Lane:
            figures = read_figures(self._connection, lane)
            self.tallies[lane] = Tally(*figures, saved=figures.last)
        for number, reason, count, size in query("SELECT lane, reason, count, bytes FROM dropped"):
            self.tallies[Lane(number)].dropped[reason] = (count, size)
        for lane in Lane:
            self.find_oldest(lane)
        if not self.streams:
            with self.transaction():
                self.begin_stream(os.urandom(4).hex())

    def close(self) -> None:
        """Close the database; SQLite folds its log back into the file."""
        self._connection.close()

    # -- figures

    @property
    def stream(self) -> str:
        """The stream that new drafts belong to."""
        return next(reversed(self.streams))

    @property
    def epoch(self) -> int:
        """The number of that stream within this database."""
        return self.streams[self.stream]

    def used(self) -> int:
        """Return the bytes of the file that are in use, uncommitted changes included."""
        pages = self.pages()
        free: int = self._connection.execute("PRAGMA freelist_count").fetchone()[0]
        self._measured, self._grown = (pages - free) * PAGE, 0
        return self._measured

    def surely_fits(self, size: int) -> bool:
        """Return whether so much more fits by a wide margin, without asking the database."""
        return self._measured + 2 * (self._grown + size + self.slack) < self.limits.whole

    def pages(self) -> int:
        """Return the size of the file in pages."""
        count: int = self._connection.execute("PRAGMA page_count").fetchone()[0]
        return count

    def states(self) -> dict[str, bytes]:
        """Return all rule states."""
        return dict(self._connection.execute("SELECT key, value FROM state"))

    def find_oldest(self, lane: Lane) -> None:
        """Set the lane's age anew after rows left it."""
        query = f"SELECT created FROM {lane.label} ORDER BY id LIMIT 1"  # noqa: S608
        row = self._connection.execute(query).fetchone()
        self.tallies[lane].oldest = row[0] if row else None

    # -- transactions

    @contextmanager
    def transaction(self, *, durable: bool = True, appends: bool = False) -> Iterator[None]:
        """Run the block in one transaction, with the pending acknowledgements and the figures.

        ``durable=False`` spares the fsync: fit for deletes alone, since a lost delete costs a repeat.
        ``appends=True`` lets figures that only grew wait, to spare a page; opening counts the rows since.
        """
        execute = self._connection.execute
        if durable is not self._full_sync:
            execute("PRAGMA synchronous = FULL" if durable else "PRAGMA synchronous = NORMAL")
            self._full_sync = durable
        before = {lane: tally.copy() for lane, tally in self.tallies.items()}
        streams = dict(self.streams)
        try:
            execute("BEGIN IMMEDIATE")
            self._delete_acknowledged()
            yield
            self._save_tallies(before, appends)
            execute("COMMIT")
        except BaseException:
            self.tallies, self.streams = before, streams
            with suppress(sqlite3.Error):  # the first error is the one to tell
                if self._connection.in_transaction:
                    execute("ROLLBACK")
            raise
        for ranges in self.acknowledged.values():
            ranges.clear()

    def _save_tallies(self, before: Mapping[Lane, Tally], appends: bool) -> None:
        for lane, now in self.tallies.items():
            old = before[lane]
            if now == old or (appends and now.only_grew(old)):
                continue
            now.saved = now.last
            self._connection.execute(
                "UPDATE lane SET last = ?, depth = ?, bytes = ?, written = ? WHERE lane = ?",
                (now.last, now.depth, now.bytes, now.written, lane),
            )
            if now.dropped != old.dropped:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO dropped VALUES(?, ?, ?, ?)",
                    [(lane, reason, count, size) for reason, (count, size) in now.dropped.items()],
                )

    # -- writing

    def write(self, drafts: Sequence[tuple[float, Draft]], state: State) -> None:
        """Number, encode and store drafts (with their time of creation), and set rule states."""
        with self.transaction(appends=True):
            self.insert(self._encode(drafts))
            self.set_states(state)

    def _encode(self, drafts: Sequence[tuple[float, Draft]]) -> Batch:
        batch: Batch = {}
        stream, base = self.stream, self.epoch << NUMBER_BITS
        for created, (lane, topic, content_type, encode, _) in drafts:
            tally = self.tallies[lane]
            number = tally.last + 1
            try:
                payload = encode(stream, number)
                if not isinstance(payload, bytes):
                    raise TypeError(f"encode returned {type(payload).__name__}, not bytes")  # noqa: TRY301
                length = len(payload) + len(topic) + len(content_type)
                if not (topic.isascii() and content_type.isascii()):
                    length += len(f"{topic}{content_type}".encode()) - len(topic) - len(content_type)
            except Exception as error:  # noqa: BLE001  a plug-in's bug must cost its own draft only
                tally.drop("encode", 1, 0)
                self.encode_error = f"{topic!r}: {type(error).__name__}: {error}"
                continue
            tally.last = number
            rows = batch.get(lane)
            if rows is None:
                rows = batch[lane] = []
            rows.append((base | number, created, row_bytes(length), topic, content_type, payload))
        return batch

    def insert(self, batch: Batch) -> None:
        """Store numbered rows within the current transaction, making room for them first."""
        sizes = room.make(self, batch)
        for lane, rows in batch.items():
            if not rows:
                continue
            self._connection.executemany(f"INSERT INTO {lane.label} VALUES(?, ?, ?, ?, ?, ?)", rows)
            tally = self.tallies[lane]
            tally.depth += len(rows)
            tally.written += len(rows)
            tally.bytes += sizes[lane]
            self._grown += sizes[lane]
            if tally.oldest is None:
                tally.oldest = rows[0][1]

    def set_states(self, state: State) -> None:
        """Set rule states within the current transaction; None removes one."""
        for key, value in state.items():
            if value is None:
                self._connection.execute("DELETE FROM state WHERE key = ?", (key,))
            else:
                self._connection.execute("INSERT OR REPLACE INTO state VALUES(?, ?)", (key, value))

    def begin_stream(self, stream: str) -> None:
        """Begin another stream within the current transaction; its numbers count from 1."""
        epoch = max(self.streams.values(), default=0) + 1
        self.add_stream(stream, epoch)
        for tally in self.tallies.values():
            tally.last = 0

    def add_stream(self, stream: str, epoch: int) -> None:
        """Name an epoch within the current transaction; add them in ascending order."""
        self._connection.execute("INSERT INTO stream VALUES(?, ?)", (epoch, stream))
        self.streams[stream] = epoch

    def forget_streams(self) -> None:
        """Empty the table of streams within the current transaction, to name them anew."""
        self._connection.execute("DELETE FROM stream")
        self.streams = {}

    # -- reading and acknowledging

    def fetch(self, lane: Lane, limit: int, skip: Container[tuple[Lane, int]]) -> tuple[list[Message], bool]:
        """Return the oldest messages of a lane, and whether any is left that waits for its acknowledgement.

        Only messages of one stream are returned: numbers of the next one may be the same, and it
        has its turn when the older is acknowledged to its end.
        """
        ids, waiting = self._ids(lane, limit, skip)
        found: list[Message] = []
        names = {epoch: stream for stream, epoch in self.streams.items()}
        for first, last in runs(ids):
            for row_id, created, _, topic, content_type, payload in self.rows(lane, first, last):
                stream = names.get(row_id >> NUMBER_BITS, "")
                expires = self.limits.expires(lane, created)
                number = row_id & NUMBER_MASK
                found.append(Message(lane, number, topic, payload, content_type, created, expires, stream))
        return found, waiting

    def rows(self, lane: Lane, first: int, last: int, limit: int = -1) -> Iterator[Row]:
        """Yield rows by id, both ends included."""
        return self._connection.execute(
            f"SELECT {COLUMNS} FROM {lane.label} WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?",  # noqa: S608
            (first, last, limit),
        )

    def _ids(self, lane: Lane, limit: int, skip: Container[tuple[Lane, int]]) -> tuple[list[int], bool]:
        chosen: list[int] = []
        acknowledged = self.acknowledged[lane]
        epoch, cursor = -1, 0
        query = f"SELECT id FROM {lane.label} WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
        while batch := self._connection.execute(query, (cursor, limit + 64)).fetchall():
            for (row_id,) in batch:
                if row_id <= cursor:
                    continue
                end = acknowledged.end(row_id)
                if end is not None:
                    cursor = end
                    continue
                cursor = row_id
                if epoch < 0:
                    epoch = row_id >> NUMBER_BITS
                if row_id >> NUMBER_BITS != epoch or len(chosen) == limit:
                    return chosen, True
                if (lane, row_id & NUMBER_MASK) not in skip:
                    chosen.append(row_id)
        return chosen, epoch >= 0

    def acknowledge(self, message: Message) -> None:
        """Remember that the hub has a message; the next transaction deletes it."""
        epoch = self.streams.get(message.stream)
        if epoch is not None:
            self.acknowledged[message.lane].add(epoch << NUMBER_BITS | message.number)

    def _delete_acknowledged(self) -> None:
        for lane, ranges in self.acknowledged.items():
            for first, last in ranges:
                self.delete(lane, first, last)
            if ranges.count:
                self.find_oldest(lane)

    def delete(self, lane: Lane, first: int, last: int) -> tuple[int, int]:
        """Delete rows by id, both ends included; return how many there were, and their bytes."""
        where = f"FROM {lane.label} WHERE id BETWEEN ? AND ?"
        count, size = self._connection.execute(
            f"SELECT count(*), coalesce(sum(bytes), 0) {where}", (first, last)
        ).fetchone()
        if count:
            self._connection.execute(f"DELETE {where}", (first, last))
            self.tallies[lane].depth -= count
            self.tallies[lane].bytes -= size
        return count, size

    def heads(self, lane: Lane, limit: int) -> list[tuple[int, float, int]]:
        """Return (id, created, bytes) of the oldest rows of a lane."""
        return self._connection.execute(
            f"SELECT id, created, bytes FROM {lane.label} ORDER BY id LIMIT ?",  # noqa: S608
            (limit,),
        ).fetchall()

    def checkpoint(self) -> None:
        """Fold the log into the file, so that the next transaction overwrites it from its start."""
        self._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
