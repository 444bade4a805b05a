"""What the user who looks may do: ports, folders, key files."""

from __future__ import annotations

import grp
import os
import re
from collections.abc import Iterator
from pathlib import Path

from lamppost.agent.config import Config
from lamppost.drivers.api import SharesLine
from lamppost.provisioning.check.bench import Bench, user
from lamppost.provisioning.check.finding import Finding, green, red
from lamppost.provisioning.check.host import existing

_DEVICE_FILE = re.compile(r"(?:v4l2:)?(/dev/\S+)")


def permissions(bench: Bench) -> Iterator[Finding]:
    """Look at everything that the agent must open; one line for each that it may not."""
    config, who = bench.config, user()
    found = [*_ports(config, who), *_folders(config, who), *_keys(config)]
    yield from found or [green("permissions", "permissions.ok", user=who)]


def _ports(config: Config, who: str) -> Iterator[Finding]:
    for path in dict.fromkeys(ports(config)):
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            try:
                group = grp.getgrgid(path.stat().st_gid).gr_name
            except KeyError:
                group = str(path.stat().st_gid)
            yield red(
                "permissions", "permissions.port", "permissions.port.todo", user=who, path=path, group=group
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


def _folders(config: Config, who: str) -> Iterator[Finding]:
    wanted = (config.node.run_dir, config.node.state_dir, config.spool.path.parent)
    for path in dict.fromkeys(existing(wanted_path) for wanted_path in wanted):
        if not os.access(path, os.W_OK | os.X_OK):
            yield red("permissions", "permissions.folder", "permissions.folder.todo", user=who, path=path)


def _keys(config: Config) -> Iterator[Finding]:
    key = config.hub.key_file if config.hub else None
    if key is not None and key.is_file() and (mode := key.stat().st_mode & 0o777) & 0o077:
        yield red("permissions", "permissions.key", "permissions.key.todo", path=key, mode=mode)
