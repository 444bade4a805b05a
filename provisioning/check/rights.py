"""What the agent's user may do, or who looks if no agent runs: ports, folders, files."""

from __future__ import annotations

import grp
import os
import re
from collections.abc import Iterator
from pathlib import Path

from lamppost.agent.config import Config
from lamppost.drivers.api import SharesLine
from lamppost.provisioning.check.actor import Actor, actor
from lamppost.provisioning.check.bench import Bench
from lamppost.provisioning.check.finding import Finding, green, red, yellow
from lamppost.provisioning.check.host import existing

_DEVICE_FILE = re.compile(r"(?:v4l2:)?(/dev/\S+)")


def permissions(bench: Bench) -> Iterator[Finding]:
    """Look at everything that the agent must open; one line for each that it may not."""
    config, who = bench.config, actor(bench)
    found = [*_ports(config, who), *_folders(config, who), *_files(config, who)]
    yield from found or [green("permissions", "permissions.ok", user=who.name)]


def _ports(config: Config, who: Actor) -> Iterator[Finding]:
    for path in dict.fromkeys(ports(config)):
        if path.exists() and not who.may(path, os.R_OK | os.W_OK):
            try:
                group = grp.getgrgid(path.stat().st_gid).gr_name
            except KeyError:
                group = str(path.stat().st_gid)
            yield red(
                "permissions",
                "permissions.port",
                "permissions.port.todo",
                user=who.name,
                path=path,
                group=group,
            )


def ports(config: Config) -> Iterator[Path]:
    """Yield the files under /dev that devices are read from: serial ports, cameras at USB."""
    for device in config.devices.values():
        if not device.enabled:
            continue
        driver = device.driver
        line = driver.connection().line if isinstance(driver, SharesLine) else getattr(driver, "source", "")
        if match := _DEVICE_FILE.fullmatch(line):
            yield Path(match[1])


def _folders(config: Config, who: Actor) -> Iterator[Finding]:
    for wanted in dict.fromkeys((config.node.run_dir, config.node.state_dir, config.spool.path.parent)):
        path = existing(wanted)
        if not who.may(path, os.W_OK | os.X_OK):
            # What is not there yet may be made by the service's unit before the agent begins.
            make = red if path == wanted else yellow
            yield make(
                "permissions", "permissions.folder", "permissions.folder.todo", user=who.name, path=path
            )


def _files(config: Config, who: Actor) -> Iterator[Finding]:
    hub = config.hub
    named = (hub.ca_file, hub.cert_file, hub.key_file) if hub else ()
    for path in (config.path, *(path for path in named if path is not None)):
        if path.is_file() and not who.may(path, os.R_OK):
            yield red("permissions", "permissions.file", "permissions.folder.todo", user=who.name, path=path)
    key = hub.key_file if hub else None
    if key is not None and key.is_file() and (mode := key.stat().st_mode & 0o777) & 0o077:
        yield red("permissions", "permissions.key", "permissions.key.todo", path=key, mode=mode)
