"""What goes wrong with the spool, told once when it begins and once when it ends."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from lamppost.agent.spool.model import SpoolTrouble
from lamppost.agent.spool.schema import UnusableError

REPEAT_S = 60.0

ADVICE = {
    "disk-full": "free some room on this disk",
    "read-only": "make it writable again; a worn-out SD card goes read-only for good: replace it",
    "no-permission": "let the agent's user own the folder and all in it (chown -R)",
    "io": "check the disk and its cabling; the kernel log says more",
    "corrupt": "the file is damaged or from another version",
    "stalled": "the disk does not answer; the kernel log says more",
}


def kind_of(error: BaseException, path: Path) -> str:
    """Return the kind of trouble that an error means: disk-full, read-only, no-permission, corrupt or io."""
    if isinstance(error, OSError):
        return _kind_of_os_error(error)
    if isinstance(error, UnusableError):
        return "corrupt"
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return "disk-full"
    if code == sqlite3.SQLITE_READONLY:
        return "read-only" if os.access(path, os.W_OK) else _kind_of_disk(path)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return "corrupt"
    return _kind_of_disk(path)


def _kind_of_os_error(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk-full"
    if error.errno in (errno.EPERM, errno.EACCES):
        return "no-permission"
    return "read-only" if error.errno == errno.EROFS else "io"


def _kind_of_disk(path: Path) -> str:
    """Look at the disk itself: SQLite calls many things an I/O error."""
    try:
        disk = os.statvfs(path.parent)
    except PermissionError:
        return "no-permission"
    except OSError:
        return "io"
    if disk.f_flag & os.ST_RDONLY:
        return "read-only"
    if not os.access(path.parent, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.W_OK)):
        return "no-permission"
    return "disk-full" if disk.f_bavail == 0 else "io"


class Troubles:
    """The troubles that are open, and the losses that were not reported yet."""

    def __init__(self, report: Callable[[SpoolTrouble], None], clock: Callable[[], float]) -> None:
        self._report = report
        self._clock = clock
        self._open: dict[str, SpoolTrouble] = {}
        self._told: dict[str, int] = {}
        self._told_at: float | None = None

    @property
    def open(self) -> tuple[SpoolTrouble, ...]:
        """What is wrong now."""
        return tuple(self._open.values())

    def begin(self, kind: str, detail: str) -> None:
        """Open a trouble; nothing is reported when this kind is open already."""
        if kind not in self._open:
            self._open[kind] = SpoolTrouble(kind, f"{detail}; {ADVICE[kind]}", {}, "open")
            self._report(self._open[kind])

    def end(self, detail: str, *kinds: str) -> None:
        """Close troubles of these kinds, or all that are open."""
        for kind in kinds or list(self._open):
            if self._open.pop(kind, None):
                self._report(SpoolTrouble(kind, detail, {}, "closed"))

    def once(self, kind: str, detail: str, counts: Mapping[str, int]) -> None:
        """Report something that is over already."""
        self._report(SpoolTrouble(kind, detail, counts, "once"))

    def losses(self, totals: Mapping[str, tuple[int, int]], hint: str, *, now: bool = False) -> float | None:
        """Report what was dropped since the last report, at once or when a minute has passed.

        ``totals`` are the running (count, bytes) per ``lane.reason``. Return when to ask again
        (on the clock given), or None if nothing waits.
        """
        new = {key: count - self._told.get(key, 0) for key, (count, _) in totals.items()}
        new = {key: count for key, count in new.items() if count > 0}
        if not new:
            return None
        if self._told_at is not None and not now and self._clock() < self._told_at + REPEAT_S:
            return self._told_at + REPEAT_S
        self._told_at = self._clock()
        self._told = {key: count for key, (count, _) in totals.items()}
        words = ", ".join(
            f"{key.partition('.')[0]} {count} ({key.partition('.')[2]})" for key, count in new.items()
        )
        self._report(SpoolTrouble("dropped", f"messages dropped: {words}{hint}", new, "once"))
        return None

    def known(self, totals: Mapping[str, tuple[int, int]]) -> None:
        """Take these losses as reported in an earlier life."""
        self._told = {key: count for key, (count, _) in totals.items()}
