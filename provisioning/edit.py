"""The one way in which a configuration is changed: by the CLI, by the page, and never by halves.

Comments and order stay. What would not hold together as a whole is refused in the configuration's own words,
and nothing is written. The old file is kept beside the new one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from lamppost.agent.config import ConfigError
from lamppost.agent.config.read import read
from lamppost.agent.durable import sync_folder
from lamppost.provisioning.service_env import load_as_service

#: Old files that are kept beside the configuration.
KEPT = 10
#: So long another editor may take.
PATIENCE_S = 5.0
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class EditError(Exception):
    """The change cannot be made: what is in its way, and what to do."""


class Editing:
    """A configuration that is being changed; ``text`` is what will be written."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        #: Where the old file was put; None while nothing was written, or there was none.
        self.backup: Path | None = None

    def set(self, keys: Sequence[str], value: Any) -> None:
        """Set a value by its keys, as ``("devices", "kerb-cam", "fps")``; tables on the way are made."""
        document = tomlkit.parse(self.text)
        table: Any = document
        for key in keys[:-1]:
            if key not in table:
                table[key] = tomlkit.table()
            table = table[key]
            if not isinstance(table, Mapping):
                raise EditError(f"{'.'.join(keys)}: {key} is a value, not a table")
        table[keys[-1]] = value
        self.text = tomlkit.dumps(document)

    def remove(self, keys: Sequence[str]) -> None:
        """Remove a key or a whole table. Raises EditError if it is not there."""
        document = tomlkit.parse(self.text)
        table: Any = document
        for key in keys[:-1]:
            table = table.get(key, {})
        if keys[-1] not in table:
            raise EditError(f"{self.path}: there is no {'.'.join(keys)}")
        del table[keys[-1]]
        self.text = tomlkit.dumps(document)

    def add_table(self, keys: Sequence[str], values: Mapping[str, Any], comment: str = "") -> None:
        """Put a new table at the end of the file. Raises EditError if it is there already."""
        table: Any = tomlkit.parse(self.text)
        for key in keys:
            table = table.get(key) if isinstance(table, Mapping) else None
            if table is None:
                break
        if table is not None:
            raise EditError(f"{self.path}: {'.'.join(keys)} is there already; choose another name")
        head = ".".join(key if _BARE.fullmatch(key) else f'"{key}"' for key in keys)
        lines = [f"# {line}" for line in comment.splitlines()]
        made = tomlkit.table()
        for key, value in values.items():
            made[key] = value
        before = self.text.rstrip("\n")
        body = tomlkit.dumps(made).rstrip("\n")
        self.text = "\n".join([*([before, ""] if before else []), *lines, f"[{head}]", body, ""])

    def add_device(self, name: str, values: Mapping[str, Any], comment: str = "") -> None:
        """Add a device. Raises EditError if there is one of this name."""
        self.add_table(("devices", name), values, comment)

    def remove_device(self, name: str) -> None:
        """Remove a device. Raises EditError if there is none, or rules watch it."""
        data = tomlkit.parse(self.text).unwrap()
        watching = [rule for rule, table in data.get("rules", {}).items() if _names(table, name)]
        if watching:
            raise EditError(
                f"{name} is watched by {', '.join(watching)}; remove or change rules.{watching[0]} first"
            )
        self.remove(("devices", name))

    def set_zone(self, camera: str, zone: str, points: Sequence[tuple[float, float]]) -> None:
        """Draw a zone of a camera; points (x, y) in 0..1. Raises EditError if there is no such camera."""
        data = tomlkit.parse(self.text).unwrap()
        if camera not in data.get("devices", {}):
            raise EditError(f"there is no device {camera!r}; add the camera first")
        polygon = tomlkit.array()
        for x, y in points:
            polygon.append([round(x, 4), round(y, 4)])
        self.set(("devices", camera, "zones", zone), polygon)

    def remove_zone(self, camera: str, zone: str) -> None:
        """Remove a zone. Raises EditError if there is none; a rule that needs it is told by the whole."""
        self.remove(("devices", camera, "zones", zone))


@contextmanager
def editing(path: Path, *, create: bool = False) -> Iterator[Editing]:
    """Change a configuration: what the block leaves in ``text`` is checked as a whole, and written.

    ``create`` begins with an empty text where there is no file. Raises ConfigError if the file cannot be read
    or the change would not hold together, EditError if another editor does not end; nothing is written then.
    """
    path = path.absolute()
    with _alone(path):
        old = "" if create and not path.exists() else read(path)[0]
        edit = Editing(path, old)
        try:
            yield edit
        except TOMLKitError as error:
            raise EditError(f"{path}: {error}; write it by hand") from error
        if edit.text != old:
            edit.backup = _write(path, edit.text)


def write_new(path: Path, text: str) -> Path | None:
    """Write a whole new configuration; return where the old one was put, if there was one.

    Raises ConfigError if it does not hold together; nothing is written then.
    """
    path = path.absolute()
    with _alone(path):
        return _write(path, text)


@contextmanager
def tried_out(path: Path) -> Iterator[tuple[Editing, Callable[[], Path]]]:
    """Change a configuration without writing it: give the change, and what makes a file of it to load.

    The file stands beside the real one, so that what it names is found, and is gone afterwards. Making it
    raises ConfigError if the change would not hold together.
    """
    path = path.absolute()
    fresh = path.with_name(f".{path.name}.trial-{secrets.token_hex(4)}")
    edit = Editing(path, read(path)[0])

    def made() -> Path:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(edit.text)
        _check(fresh, path)
        return fresh

    try:
        yield edit, made
    finally:
        fresh.unlink(missing_ok=True)


def _names(table: Any, device: str) -> bool:
    """Whether a value somewhere in a rule's table is the name of a device."""
    if isinstance(table, Mapping):
        return any(_names(value, device) for value in table.values())
    if isinstance(table, list):
        return any(_names(value, device) for value in table)
    return bool(table == device)


def _write(path: Path, text: str) -> Path | None:
    fresh = path.with_name(f".{path.name}.new")
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o640
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            if path.exists():
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), path.stat().st_uid, path.stat().st_gid)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _check(fresh, path)
        backup = _back_up(path)
        fresh.replace(path)
        sync_folder(path.parent)
    finally:
        fresh.unlink(missing_ok=True)
    return backup


def _check(fresh: Path, path: Path) -> None:
    """Hold the new text to the whole of what a configuration must be, in the name of the real file."""
    try:
        load_as_service(fresh)
    except ConfigError as error:
        raise ConfigError([replace(one, file=str(path)) for one in error.problems]) from None


def _back_up(path: Path) -> Path | None:
    """Keep the old file under its time; drop the oldest of many."""
    if not path.exists():
        return None
    backup = path.with_name(f"{path.name}.bak-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    for nth in range(1, 100):
        if not backup.exists():
            break
        backup = backup.with_name(f"{backup.name.partition('Z')[0]}Z-{nth}")
    os.link(path, backup)
    for old in sorted(path.parent.glob(f"{path.name}.bak-*"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return backup


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other editors of the same file out."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o660)
    except FileNotFoundError as error:
        raise EditError(f"{path.parent}: there is no such folder; make it first") from error
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EditError(f"{path}: another program is changing it; try again") from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)
