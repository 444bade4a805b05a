"""The database file: its tables, how it is opened, and what a row costs on disk."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from lamppost.agent.durable import sync_folder
from lamppost.agent.spool.model import Lane

VERSION = 1
APPLICATION = 0x4C616D70  # "Lamp", SQLite's application_id
PAGE = 4096
WAL_PAGES = 1000
WAL_BYTES = WAL_PAGES * PAGE
NUMBER_BITS = 40
NUMBER_MASK = (1 << NUMBER_BITS) - 1
"""A row's id is epoch << 40 | number. The epoch counts the streams of this file, so that one
ascending integer key orders all, and the rows of an older stream leave first."""

COLUMNS = "id, created, bytes, topic, content_type, payload"
TABLES = (
    "CREATE TABLE stream(epoch INTEGER PRIMARY KEY, id TEXT NOT NULL)",
    """CREATE TABLE lane(lane INTEGER PRIMARY KEY, name TEXT NOT NULL, last INTEGER NOT NULL,
    depth INTEGER NOT NULL, bytes INTEGER NOT NULL, written INTEGER NOT NULL)""",
    """CREATE TABLE dropped(lane INTEGER NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,
    bytes INTEGER NOT NULL, PRIMARY KEY(lane, reason))""",
    "CREATE TABLE state(key TEXT PRIMARY KEY, value BLOB NOT NULL)",
    *(
        f"CREATE TABLE {lane.label}(id INTEGER PRIMARY KEY, created REAL NOT NULL, bytes INTEGER NOT NULL,"
        " topic TEXT NOT NULL, content_type TEXT NOT NULL, payload BLOB NOT NULL)"
        for lane in Lane
    ),
    *(f"INSERT INTO lane VALUES({lane:d}, '{lane.label}', 0, 0, 0, 0)" for lane in Lane),
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)


class UnusableError(sqlite3.DatabaseError):
    """A file that is no database, a damaged one, or one that this version cannot use."""


class NoRoomError(sqlite3.OperationalError):
    """A full disk, and nothing of less importance to drop for what should be written."""

    sqlite_errorcode = sqlite3.SQLITE_FULL


def row_bytes(content: int) -> int:
    """Return what a row of ``content`` bytes of text and payload takes on disk.

    A cell of a table's leaf keeps up to X = U - 35 bytes; of a larger one it keeps K, or M where K
    is more than X, and the rest goes to overflow pages of U - 4 (SQLite file format, section 1.6).
    """
    cell = content + 32  # id, created, bytes, record header, cell pointer
    overflow = 0
    if cell > PAGE - 35:
        least = (PAGE - 12) * 32 // 255 - 23
        local = least + (cell - least) % (PAGE - 4)
        local = local if local <= PAGE - 35 else least
        overflow = -(-(cell - local) // (PAGE - 4)) * PAGE
        cell = local
    return overflow + (PAGE // (PAGE // cell) if cell > PAGE // 8 else cell + 8)


def connect(name: str | Path) -> sqlite3.Connection:
    """Open a database for one writer. ``:memory:`` works too."""
    connection = sqlite3.connect(name, isolation_level=None, timeout=2.0, check_same_thread=False)
    try:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            f"wal_autocheckpoint = {WAL_PAGES}",
            f"journal_size_limit = {WAL_BYTES}",
            "cache_size = -1024",
            "temp_store = MEMORY",
            "secure_delete = OFF",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_readonly(path: Path) -> sqlite3.Connection:
    """Open a database for reading only, also while an agent writes it, also on a read-only disk.

    There SQLite needs the log and its index beside the file, as a crash leaves them, or none of
    the two, as a clean end does; then nothing can change the file and it is opened as immutable.
    """
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=2.0, check_same_thread=False)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if (
            error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN
            or path.with_name(f"{path.name}-wal").exists()
        ):
            raise
        connection = sqlite3.connect(
            f"{uri}&immutable=1", uri=True, isolation_level=None, check_same_thread=False
        )
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Create the tables in an empty database, or check that they are the ones of this version.

    Raises `UnusableError`, or what SQLite raises where it stumbles over the damage itself.
    """
    objects = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if not objects and not version:
        connection.execute("BEGIN IMMEDIATE")
        for statement in TABLES:
            connection.execute(statement)
        connection.execute("COMMIT")
        return
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    if owner != APPLICATION or version != VERSION:
        raise UnusableError(
            f"it has application id {owner:#x} and schema version {version};"
            f" a spool of this version has {APPLICATION:#x} and {VERSION}"
        )
    try:
        for lane in Lane:
            connection.execute(f"SELECT {COLUMNS} FROM {lane.label} LIMIT 0")  # noqa: S608
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise UnusableError(str(error)) from error
    _check(connection, within_s=0.2)


class Figures(NamedTuple):
    """A lane's figures: the last number of the newest stream, rows, bytes, rows written in all."""

    last: int
    depth: int
    bytes: int
    written: int


def read_figures(connection: sqlite3.Connection, lane: Lane) -> Figures:
    """Return a lane's figures: as they were last saved, and what was appended since."""
    last, depth, size, written = connection.execute(
        "SELECT last, depth, bytes, written FROM lane WHERE lane = ?", (lane,)
    ).fetchone()
    epoch = connection.execute("SELECT max(epoch) FROM stream").fetchone()[0] or 0
    count, more, newest = connection.execute(
        f"SELECT count(*), coalesce(sum(bytes), 0), max(id) FROM {lane.label} WHERE id > ?",  # noqa: S608
        (epoch << NUMBER_BITS | last,),
    ).fetchone()
    if count:
        last = newest & NUMBER_MASK
    return Figures(last, depth + count, size + more, written + count)


def _check(connection: sqlite3.Connection, within_s: float) -> None:
    """Look for damage, for a short time only: a box must not wait for a large file at boot."""
    deadline = time.monotonic() + within_s
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 2000)
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        found = "ok"
    finally:
        connection.set_progress_handler(None, 0)
    if found != "ok":
        raise UnusableError(f"quick_check found: {found}")


def make_folder(folder: Path) -> None:
    """Create the folder for the owner alone, and make the new name survive a power cut."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def make_file(path: Path) -> None:
    """Create an empty database file for the owner alone; SQLite gives its journals the same mode."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        sync_folder(path.parent)


def companions(path: Path) -> Iterator[Path]:
    """Yield the database's files: itself, its write-ahead log, its shared index."""
    for suffix in ("", "-wal", "-shm"):
        yield path.with_name(path.name + suffix)
