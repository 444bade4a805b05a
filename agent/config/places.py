"""Where a configuration puts its files, even if the rest of it does not hold.

Who looks on (`status`, `tail`, `spool`) must see a box whose file was just broken, and without the secrets
that only the service has.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lamppost.agent.config.load import load
from lamppost.agent.config.model import SpoolSettings, run_dir, state_dir
from lamppost.agent.config.problem import ConfigError


class Places(NamedTuple):
    """The run directory, and the spool's settings (its defaults where the file does not hold)."""

    run_dir: Path
    spool: SpoolSettings


def places(path: Path, env: Mapping[str, str] = os.environ) -> Places:
    """Return the places of a configuration. Raises ConfigError only if there is no such file."""
    try:
        config = load(path, env)
    except ConfigError:
        if not path.is_file():
            raise
        return _guess(path, env)
    return Places(config.node.run_dir, config.spool)


def _guess(path: Path, env: Mapping[str, str]) -> Places:
    try:
        data: Any = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError):
        data = {}
    base = path.absolute().parent
    state = _path(data, "node", "state_dir", base) or state_dir(env)
    spool = _path(data, "spool", "path", base) or state / "spool.db"
    return Places(_path(data, "node", "run_dir", base) or run_dir(env), SpoolSettings(path=spool))


def _path(data: Any, table: str, key: str, base: Path) -> Path | None:
    found = data.get(table)
    value = found.get(key) if isinstance(found, dict) else None
    if not isinstance(value, str) or "${" in value:
        return None
    return base / Path(value).expanduser()
