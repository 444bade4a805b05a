"""A few megabytes kept aside for the moment when the disk is full."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from lamppost.agent.spool.schema import WAL_BYTES

RESERVE_BYTES = WAL_BYTES + (1 << 20)
"""The log's pages that the file has no room for yet, and a little to move in."""


class Reserve:
    """A file of nothing beside the database, given up when the disk is full.

    SQLite cannot delete a row on a full disk: even that is written to the log first, and the log can
    only begin anew after its pages found room in the file. The reserve is that room.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Set the room aside, if the disk has plenty; do without it otherwise."""
        with contextlib.suppress(OSError):
            if self.path.exists() or self.free() < 2 * RESERVE_BYTES:
                return
            handle = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(handle, 0, RESERVE_BYTES)
            except OSError:
                self.path.unlink()
            finally:
                os.close(handle)

    def release(self) -> None:
        """Give the room back to the disk."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def free(self) -> int:
        """Return the bytes that are free on the disk."""
        disk = os.statvfs(self.path.parent)
        return disk.f_bavail * disk.f_frsize
