"""The run directory: what people and tools may see of a running agent, as files."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lamppost.drivers.api import Quality, Reading

STATUS = "status.json"
PID = "agent.pid"


class RunDirectory:
    """Writes whole files only: a reader sees the old one or the new one, never half of one.

    The directory should be in memory (``/run``): nothing here needs to survive a power cut.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._devices = path / "devices"

    def open(self) -> None:
        """Make the directory. Raises OSError."""
        self._devices.mkdir(parents=True, exist_ok=True)

    def claim(self) -> None:
        """Write the pid file; only who holds the spool may. Raises OSError."""
        write_whole(self.path / PID, f"{os.getpid()}\n")

    def status(self, status: Mapping[str, Any]) -> None:
        """Replace the status file."""
        write_whole(self.path / STATUS, json.dumps(status, ensure_ascii=False, default=str))

    def newest(self, device: str, readings: Iterable[Reading]) -> None:
        """Replace the file with the newest reading of each quantity of a device."""
        newest, last, at = {}, None, ""
        for r in readings:
            if r.at is not last:  # the readings of a poll share their time
                last, at = r.at, r.at.isoformat(timespec="milliseconds")
            quality = "good" if r.quality is Quality.GOOD else "bad"
            newest[r.quantity] = {"value": r.value, "unit": r.unit, "at": at, "quality": quality}
        write_whole(self._devices / f"{device}.json", json.dumps(newest, ensure_ascii=False))

    def forget(self, device: str) -> None:
        """Remove the file of a device that is gone."""
        (self._devices / f"{device}.json").unlink(missing_ok=True)

    def keep_only(self, devices: Iterable[str]) -> None:
        """Remove what an earlier run left of devices that are no longer configured."""
        names = set(devices)
        for path in self._devices.glob("*.json"):
            if path.stem not in names:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the pid file; the last status stays for who asks why."""
        (self.path / PID).unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that no reader ever sees half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
