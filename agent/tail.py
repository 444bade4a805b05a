"""What passes, for who looks on: JSON lines into the FIFOs that `lamppost tail` makes.

A tailer makes a FIFO in the run directory's ``tail`` folder under a dot name, opens it for reading and
renames it; the agent finds it within a second and writes without ever blocking. A reader that is too
slow misses lines, which are counted.
There is no socket, and no cost while nobody looks.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamppost.agent.event import Event

FOLDER = "tail"
#: A pipe takes a write of up to so many bytes whole or not at all (POSIX PIPE_BUF on Linux).
WHOLE = 4096


class _Reader:
    """One open FIFO."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self.missed = 0

    def write(self, line: bytes) -> bool:
        """Write a line or count it as missed; False when the reader is gone."""
        try:
            if self.missed:
                os.write(self.handle, json.dumps({"missed": self.missed}).encode() + b"\n")
                self.missed = 0
            os.write(self.handle, line)
        except BlockingIOError:
            self.missed += 1
        except OSError:
            return False
        return True


class Tail:
    """The FIFOs of those who look on."""

    def __init__(self, run_dir: Path) -> None:
        self._folder = run_dir / FOLDER
        self._readers: dict[str, _Reader] = {}

    def __bool__(self) -> bool:
        """Whether anybody looks on."""
        return bool(self._readers)

    def open(self) -> None:
        """Make the folder and remove FIFOs that nobody reads any more. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # Who may make a FIFO here sees what passes; the folder's owner and group may.
        self._folder.chmod(0o770)

    def look(self) -> None:
        """Find new FIFOs; called about once a second."""
        try:
            names = {path.name for path in self._folder.iterdir() if not path.name.startswith(".")}
        except OSError:
            return
        for name in names - self._readers.keys():
            self._begin(self._folder / name)

    def _begin(self, path: Path) -> None:
        try:
            if not stat.S_ISFIFO(path.lstat().st_mode):
                return
            handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nobody reads it: left over from a killed tailer
                with contextlib.suppress(OSError):
                    path.unlink()
            return
        self._readers[path.name] = _Reader(handle)

    def write(self, records: Iterable[dict[str, Any]]) -> None:
        """Write records to all who look on."""
        for record in records:
            line = json.dumps(record, ensure_ascii=False, default=str).encode() + b"\n"
            if len(line) > WHOLE:
                continue
            for name, reader in list(self._readers.items()):
                if not reader.write(line):
                    self._end(name)

    def _end(self, name: str) -> None:
        os.close(self._readers.pop(name).handle)
        with contextlib.suppress(OSError):
            (self._folder / name).unlink()

    def close(self) -> None:
        """Let all readers go: they see the end of the file."""
        for name in list(self._readers):
            self._end(name)


def event_record(event: Event) -> dict[str, Any]:
    """Return an event as `lamppost tail` gets it."""
    return {
        "type": "event",
        "at": _text(event.at),
        "id": event.id,
        "kind": event.kind,
        "phase": event.phase.value,
        "revision": event.revision,
        "rule": event.rule,
        "device": event.device,
        "zone": event.zone,
        "severity": event.severity.value,
        "since": _text(event.since),
        "confidence": event.confidence,
        "measures": event.measures,
    }


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
