"""A broken database: save what can be read, set it aside, begin a new one."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from lamppost.agent.durable import sync_folder
from lamppost.agent.spool.model import Lane, Limits
from lamppost.agent.spool.schema import COLUMNS, NUMBER_BITS, companions, make_file, read_figures
from lamppost.agent.spool.store import Row, Store

KEPT = 2
UNREADABLE = (sqlite3.Error, OverflowError, UnicodeDecodeError, TypeError, ValueError)
BATCH = 200
UNKNOWN_EPOCHS = 1 << 16
"""Where the broken file's epochs cannot be read, the new stream begins above any it can have had."""


class Replacement(NamedTuple):
    """A new database in place of a broken one: what was saved and what was lost, in messages per lane."""

    store: Store
    aside: Path
    saved: dict[Lane, int]
    lost: dict[Lane, int]


def replace(path: Path, limits: Limits, now: float, within_s: float = 3.0) -> Replacement:
    """Build a new database beside the broken one, save into it for so long, and exchange the two.

    The new one is complete before the old one gives up its name: a power cut at any moment
    leaves one of them in place, or the new one ready for `finish`. Raises OSError, sqlite3.Error.
    """
    new = _new(path)
    for file in companions(new):
        file.unlink(missing_ok=True)
    make_file(new)
    store = Store.open(new, limits)
    try:
        saved, lost = _salvage(path, store, time.monotonic() + within_s)
    finally:
        store.close()
    aside = _set_aside(path, now)
    finish(path)
    return Replacement(Store.open(path, limits), aside, saved, lost)


def finish(path: Path) -> None:
    """Put a complete new database into its place, if a power cut came between."""
    if _new(path).exists() and not path.exists():
        for file in companions(path):
            file.unlink(missing_ok=True)
        _new(path).rename(path)
        sync_folder(path.parent)


def set_aside_files(path: Path) -> list[Path]:
    """Return the databases that were set aside, oldest first."""
    found = path.parent.glob(f"{path.name}.broken-*")
    databases = [file for file in found if not file.name.endswith(("-wal", "-shm"))]
    return sorted(databases, key=lambda file: file.stat().st_ctime_ns)  # the clock may have been wrong


def _new(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _set_aside(path: Path, now: float) -> Path:
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.broken-{stamp}")
    again = 1
    while aside.exists():
        again += 1
        aside = path.with_name(f"{path.name}.broken-{stamp}.{again}")
    for file, target in zip(companions(path), companions(aside), strict=True):
        with contextlib.suppress(FileNotFoundError):
            os.rename(file, target)  # noqa: PTH104
    sync_folder(path.parent)
    for old in set_aside_files(path)[:-KEPT]:
        for file in companions(old):
            file.unlink(missing_ok=True)
    return aside


def _salvage(path: Path, store: Store, deadline: float) -> tuple[dict[Lane, int], dict[Lane, int]]:
    """Copy streams, states, figures and messages, highest lane first, as far as they can be read."""
    saved = dict.fromkeys(Lane, 0)
    had = dict.fromkeys(Lane, (0, 0))
    with contextlib.closing(sqlite3.connect(path, timeout=1.0)) as source:
        source.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        streams = {
            epoch: str(name) for epoch, name in _read(source, "SELECT epoch, id FROM stream ORDER BY epoch")
        }
        states = {str(k): bytes(v) for k, v in _read(source, "SELECT key, value FROM state")}
        with store.transaction(durable=False):
            _name_streams(store, streams)
            store.set_states(states)
            for number, reason, count, size in _read(
                source, "SELECT lane, reason, count, bytes FROM dropped"
            ):
                store.tallies[Lane(number)].drop(reason, count, size)
        for number, depth, size in _read(source, "SELECT lane, depth, bytes FROM lane"):
            had[Lane(number)] = (depth, size)
        for lane in Lane:
            with contextlib.suppress(*UNREADABLE):
                had[lane] = read_figures(source, lane)[1:3]
        with contextlib.suppress(sqlite3.Error):  # the new database is full: keep what it has
            for lane in Lane:
                saved[lane] = _copy(source, store, lane)
    lost = {lane: max(0, had[lane][0] - saved[lane]) for lane in Lane}
    with store.transaction(durable=False):
        for lane, tally in store.tallies.items():
            tally.written = 0
            if lost[lane]:
                tally.drop("disk", lost[lane], max(0, had[lane][1] - tally.bytes))
    return saved, lost


def _name_streams(store: Store, streams: dict[int, str]) -> None:
    new = store.stream
    store.forget_streams()
    for epoch, name in streams.items():
        store.add_stream(name, epoch)
    store.add_stream(new, max(streams, default=UNKNOWN_EPOCHS) + 1)


def _copy(source: sqlite3.Connection, store: Store, lane: Lane) -> int:
    """Copy a lane's rows from its start, then from its end, each until the damage."""
    saved = 0
    last = -1
    for order in ("ASC", "DESC"):
        batch: list[Row] = []
        rows = _rows(source, lane, order, last)
        while batch := list(islice(rows, BATCH)):
            with store.transaction(durable=False):
                store.insert({lane: batch})
            saved += len(batch)
            if order == "ASC":
                last = batch[-1][0]
    return saved


def _rows(source: sqlite3.Connection, lane: Lane, order: str, after: int) -> Iterator[Row]:
    query = f"SELECT {COLUMNS} FROM {lane.label} WHERE id > {after}"  # noqa: S608
    for values in _read(source, f"{query} ORDER BY id {order}"):
        if _sound(*values):
            yield values


def _sound(row_id: Any, created: Any, size: Any, topic: Any, content_type: Any, payload: Any) -> bool:
    return (
        isinstance(row_id, int)
        and row_id >> NUMBER_BITS <= UNKNOWN_EPOCHS
        and isinstance(created, float)
        and isinstance(size, int)
        and size > 0
        and isinstance(topic, str)
        and isinstance(content_type, str)
        and isinstance(payload, bytes)
    )


def _read(source: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """Yield rows until the damage, or until the time is up."""
    with contextlib.suppress(*UNREADABLE):
        yield from source.execute(query)
