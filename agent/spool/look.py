"""Looking at a spool from another process, while the agent writes it or after it stopped."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lamppost.agent.spool import figures
from lamppost.agent.spool.broken import set_aside_files
from lamppost.agent.spool.lock import owner
from lamppost.agent.spool.model import Limits, SpoolError, SpoolSettings, SpoolStats
from lamppost.agent.spool.reserve import RESERVE_BYTES
from lamppost.agent.spool.schema import UnusableError
from lamppost.agent.spool.store import Store
from lamppost.agent.spool.trouble import kind_of


@dataclass(frozen=True)
class View:
    """What a spool's files say. ``agent`` is the process id of the agent that has it open."""

    path: Path
    stats: SpoolStats
    file_bytes: int
    log_bytes: int
    agent: int | None
    set_aside: tuple[Path, ...]
    trouble: tuple[str, ...]


def look(settings: SpoolSettings, now: float) -> View:
    """Read the figures without changing anything. Raises `SpoolError` if there is nothing to read."""
    path = settings.path
    agent = owner(path)
    with _explained(path):
        path.stat()
        store = Store.open_readonly(path, Limits.of(settings))
        try:
            stats = figures.stats([store], now)
            stats.stream = store.stream
        finally:
            store.close()
        aside = tuple(set_aside_files(path))
        log = path.with_name(path.name + "-wal")
        log_bytes = log.stat().st_size if log.exists() else 0
        return View(path, stats, path.stat().st_size, log_bytes, agent, aside, tuple(_troubles(path, aside)))


def _troubles(path: Path, aside: tuple[Path, ...]) -> Iterator[str]:
    disk = os.statvfs(path.parent)
    free = disk.f_bavail * disk.f_frsize
    if disk.f_flag & os.ST_RDONLY:
        yield "read-only: the disk takes no messages; new ones are in the agent's memory only"
    elif free < RESERVE_BYTES:
        yield f"disk-full: {free >> 10} KiB free on the disk; free some room"
    for file in aside:
        yield f"corrupt: {file.name} was set aside; delete it when nobody wants to look at it"


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise SpoolError(f"{path}: no spool here; the agent makes it when it first runs") from None
    except PermissionError:
        raise SpoolError(f"{path}: not readable by this user; try as root or as the agent's user") from None
    except (OSError, sqlite3.Error) as error:
        raise SpoolError(_explain(path, error)) from error


def _explain(path: Path, error: Exception) -> str:
    if not os.access(path, os.R_OK):
        return f"{path}: not readable by this user; try as root or as the agent's user"
    if isinstance(error, UnusableError) or kind_of(error, path) == "corrupt":
        return f"{path}: broken: {error}; the agent sets it aside and begins a new one when it next runs"
    return f"{path}: cannot be read now: {error}"
