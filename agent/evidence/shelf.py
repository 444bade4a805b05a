"""Pictures on disk, one file each, while what they show may yet become an event."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from lamppost.agent.durable import sync_folder
from lamppost.agent.evidence.exhibit import Print
from lamppost.agent.log import get_logger

log = get_logger()

#: Between the parts of a file's name: no rule's name has it, and in a key it is escaped.
PART = "="


class Stored(NamedTuple):
    """A picture that an earlier run of the agent left. ``since`` is unix seconds."""

    rule: str
    key: str
    since: float
    print: Print


class Shelf:
    """A folder of pictures. What fails is logged once, and costs the pictures, nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._failing = False

    def put(self, rule: str, key: str, since: float, made: Print) -> None:
        """Write a picture: whole, or not at all."""
        path = self._folder / _name(rule, key, since, made)
        fresh = path.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with fresh.open("wb") as file:
                file.write(made.jpeg)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            sync_folder(self._folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink()
            self._tell(error)
        else:
            self._failing = False

    def remove(self, rule: str, key: str) -> None:
        """Remove the pictures of one key."""
        with contextlib.suppress(OSError):
            for path in self._folder.glob(f"{rule}{PART}{quote(key, safe='')}{PART}*"):
                path.unlink(missing_ok=True)

    def load(self, most: int, most_bytes: int) -> list[Stored]:
        """Return what an earlier run left, the longest stays first; remove what is no picture or too much."""
        found: list[Stored] = []
        size = 0
        for since, path in sorted(self._files(), key=lambda one: one[0]):
            stored = _read(path)
            if stored is None or len(found) >= most or size + len(stored.print.jpeg) > most_bytes:
                with contextlib.suppress(OSError):
                    path.unlink()
                continue
            size += len(stored.print.jpeg)
            found.append(stored._replace(since=since))
        return found

    def _files(self) -> Iterator[tuple[float, Path]]:
        with contextlib.suppress(OSError):
            for path in list(self._folder.iterdir()):
                parts = path.name.split(PART)
                yield (int(parts[2]) / 1000 if len(parts) == 5 and parts[2].isdigit() else 0.0), path

    def _tell(self, error: OSError) -> None:
        if not self._failing:
            log.warning("pictures cannot be kept over a restart", folder=str(self._folder), reason=str(error))
        self._failing = True


def _name(rule: str, key: str, since: float, made: Print) -> str:
    at_ms = round(made.at.timestamp() * 1000)
    return PART.join((rule, quote(key, safe=""), str(round(since * 1000)), made.moment, f"{at_ms}.jpg"))


def _read(path: Path) -> Stored | None:
    """Return a stored picture; None if it is not ours, or not whole."""
    parts = path.name.removesuffix(".jpg").split(PART)
    try:
        rule, key, since_ms, moment, at_ms = parts
        at = datetime.fromtimestamp(int(at_ms) / 1000, UTC)
        jpeg = path.read_bytes()
        since = int(since_ms) / 1000
    except (OSError, ValueError, OverflowError):
        return None
    # JPEG (ITU-T T.81, annex B): SOI and the next marker at the beginning, EOI at the end.
    if not path.name.endswith(".jpg") or not jpeg.startswith(b"\xff\xd8\xff") or jpeg[-2:] != b"\xff\xd9":
        return None
    return Stored(rule, unquote(key), since, Print(moment, at, jpeg, hashlib.sha256(jpeg).hexdigest()))
