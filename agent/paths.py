"""Where the files of a box are if nobody says so. Light: who only looks imports nothing else of the agent."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path("lamppost.toml")
SYSTEM = Path("/etc/lamppost/lamppost.toml")


def default_path(env: Mapping[str, str] = os.environ) -> Path:
    """Return the configuration file: $LAMPPOST_CONFIG, else ./lamppost.toml if there, else the system's."""
    if given := env.get("LAMPPOST_CONFIG"):
        return Path(given)
    return HERE if HERE.is_file() else SYSTEM


def run_dir(env: Mapping[str, str] | None = None) -> Path:
    """Return where files live that a reboot may take away."""
    env = os.environ if env is None else env
    if given := env.get("RUNTIME_DIRECTORY"):
        return Path(given.split(":")[0])
    if os.geteuid() == 0:
        return Path("/run/lamppost")
    if xdg := env.get("XDG_RUNTIME_DIR"):
        return Path(xdg, "lamppost")
    return Path(f"/tmp/lamppost-{os.getuid()}")  # noqa: S108 - the agent makes it with mode 0700


def state_dir(env: Mapping[str, str] | None = None) -> Path:
    """Return where files live that must survive."""
    env = os.environ if env is None else env
    if given := env.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    if os.geteuid() == 0:
        return Path("/var/lib/lamppost")
    return Path(env.get("HOME") or "~").expanduser() / ".local/state/lamppost"


def tables(path: Path) -> dict[str, Any]:
    """Return what a configuration file says, unchecked; nothing if it cannot be read."""
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError):
        return {}


def named_path(data: Any, table: str, key: str, base: Path) -> Path | None:
    """Return a path of the file, None if it names none or only the environment knows it."""
    found = data.get(table)
    value = found.get(key) if isinstance(found, dict) else None
    if not isinstance(value, str) or "${" in value:
        return None
    return base / Path(value).expanduser()


def run_dir_of(path: Path, env: Mapping[str, str] = os.environ) -> Path:
    """Return the run directory of a configuration, without loading drivers and rules where that will do.

    Raises ConfigError if there is no such file.
    """
    data = tables(path)
    node = data.get("node")
    said = node.get("run_dir") if isinstance(node, dict) else None
    if not path.is_file() or (isinstance(said, str) and "${" in said):
        from lamppost.agent.config.places import places  # noqa: PLC0415 - loads the whole configuration

        return places(path, env).run_dir
    return named_path(data, "node", "run_dir", path.absolute().parent) or run_dir(env)
