"""A bundle for whoever helps from afar: logs, status, configuration, versions. No secret, no picture."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

from lamppost.agent.config import Config, ConfigError
from lamppost.agent.config.places import places
from lamppost.agent.spool import LaneStats, SpoolError, SpoolSettings
from lamppost.agent.spool.look import look
from lamppost.provisioning.running import last_status, newest_readings, running
from lamppost.provisioning.scrub import scrub_tree, scrubber, secret_values
from lamppost.provisioning.service_env import NAME, load_as_service, read_env

#: Lines of the journal, and bytes of a log file's end.
_LOG_LINES: Final = 10_000
_LOG_BYTES: Final = 8 << 20
_PROGRAM_S: Final = 15.0

ABOUT: Final = """What is in this bundle
  about.json        time, versions, machine, hashes; packages and their versions
  config.toml       the configuration, secrets taken out
  problems.txt      what is wrong with it, if something is
  check.json        the findings of `lamppost check`
  status.json       what the agent wrote last; readings/: the newest of each device
  spool.json        figures of the spool; nothing of what is in it
  files.txt         names, sizes and modes in the state directory
  journal.txt, kernel.txt, logs/: logs, where this user may read them
What is not: secrets (********), keys, pictures, events and telemetry.
"""


def bundle(
    config: Path, logs: tuple[Path, ...] = (), *, check: bool = True, env: Mapping[str, str] = os.environ
) -> Iterator[tuple[str, str]]:
    """Yield the files of the bundle: name and text, secrets taken out.

    A configuration that does not hold is no obstacle. Raises ConfigError if there is none at all.
    """
    service = read_env(config.absolute().parent / NAME)
    settings, problems = _loaded(config, env)
    scrub = scrubber({*service.values(), *secret_values(env)})
    for name, text in _files(config, settings, problems, logs):
        yield name, scrub(text)
    for name, value in _values(config, settings, check=check):
        yield name, json.dumps(scrub_tree(value, scrub), indent=2, ensure_ascii=False, default=str)


def write(path: Path, files: Iterator[tuple[str, str]]) -> int:
    """Write a .tar.gz that only this user can read; return how many files it holds. Raises OSError."""
    count = 0
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, text in files:
            data = text.encode(errors="replace")
            member = tarfile.TarInfo(f"{path.name.removesuffix('.tar.gz')}/{name}")
            member.size, member.mtime, member.mode = len(data), int(time.time()), 0o600
            archive.addfile(member, io.BytesIO(data))
            count += 1
    return count


def _loaded(path: Path, env: Mapping[str, str]) -> tuple[Config | None, str]:
    try:
        return load_as_service(path, env), ""
    except ConfigError as error:
        if not path.is_file():
            raise
        return None, str(error)


def _files(
    path: Path, settings: Config | None, problems: str, logs: tuple[Path, ...]
) -> Iterator[tuple[str, str]]:
    yield "README.txt", ABOUT
    yield "config.toml", _end_of(path)
    if problems:
        yield "problems.txt", f"{problems}\n"
    state = settings.node.state_dir if settings else places(path).spool.path.parent
    yield "files.txt", "".join(_listed(state))
    for name, arguments in (("journal.txt", ("-u", "lamppost")), ("kernel.txt", ("-k",))):
        if text := _journal(*arguments):
            yield name, text
    for number, log in enumerate(logs):
        yield f"logs/{number}-{log.name}", _end_of(log)


async def _checked(settings: Config) -> list[dict[str, str]]:
    from lamppost.provisioning.check import checks  # noqa: PLC0415 - heavy

    return [finding.as_json() async for finding in checks(settings)]


def _values(path: Path, settings: Config | None, *, check: bool) -> Iterator[tuple[str, Any]]:
    if settings is not None and check:
        yield "check.json", asyncio.run(_checked(settings))
    where = places(path)
    status = last_status(where.run_dir)
    yield "about.json", _about(settings, where.run_dir)
    if status is not None:
        yield "status.json", status
        for device in status.get("devices", {}):
            yield f"readings/{device}.json", newest_readings(where.run_dir, device)
    yield "spool.json", _spool(where.spool)


def _about(settings: Config | None, run_dir: Path) -> dict[str, Any]:
    told: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "agent_running": running(run_dir),
        "uid": os.geteuid(),
        "load": os.getloadavg(),
        "packages": {found.name: found.version for found in distributions()},
    }
    if settings is not None:
        from lamppost.provisioning.report.identity import identity  # noqa: PLC0415 - hashes the program

        told["identity"] = identity(settings)
    return told


def _spool(settings: SpoolSettings) -> dict[str, Any]:
    try:
        view = look(settings, time.time())
    except SpoolError as error:
        return {"problem": str(error)}
    return {
        "path": str(view.path),
        "file_bytes": view.file_bytes,
        "log_bytes": view.log_bytes,
        "agent": view.agent,
        "stream": view.stats.stream,
        "lanes": {name: _lane(lane) for name, lane in view.stats.items()},
        "trouble": list(view.trouble),
        "set_aside": [str(file) for file in view.set_aside],
    }


def _lane(lane: LaneStats) -> dict[str, Any]:
    return {
        "depth": lane.depth,
        "bytes": lane.bytes,
        "oldest_s": lane.oldest_s,
        "written": lane.written,
        "dropped": lane.dropped,
    }


def _listed(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        try:
            about = path.lstat()
        except OSError:
            continue
        yield f"{about.st_mode & 0o7777:04o} {about.st_size:>10} {path.relative_to(folder)}\n"


def _journal(*arguments: str) -> str:
    """Return the newest lines of the journal; empty where there is none for us."""
    program = shutil.which("journalctl")
    if program is None:
        return ""
    command = [program, "--no-pager", "-o", "short-iso", "-n", str(_LOG_LINES), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            command, capture_output=True, timeout=_PROGRAM_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")


def _end_of(path: Path) -> str:
    """Return the end of a text file. Raises OSError."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LOG_BYTES))
        return file.read().decode(errors="replace")
