"""One agent per spool: a lock that dies with its process."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from lamppost.agent.spool.model import SpoolError


class FileLock:
    """An exclusive lock (flock) on a file beside the database, with the owner's process id in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def take(self) -> None:
        """Take the lock, if it is not held already. Raises `SpoolError` if another process has it."""
        if self._handle is not None:
            return
        handle, writable = self._open()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise SpoolError(
                f"{self.path.with_suffix('')}: in use by another agent (process {owner});"
                " stop that one, or give this one a [spool] path of its own"
            ) from None
        if writable:
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle

    def _open(self) -> tuple[int, bool]:
        try:
            return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), True
        except OSError as error:
            if (
                error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC)
                or not self.path.exists()
            ):
                raise
            return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC), False

    def release(self) -> None:
        """Let go of the lock; the file stays, so that two agents can never hold two of them."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def owner(path: Path) -> int | None:
    """Return the process id of the agent that holds the spool at ``path``, or None."""
    lock = path.with_name(path.name + ".lock")
    try:
        handle = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(handle, 20, 0) or b"0")
    else:
        return None
    finally:
        os.close(handle)
