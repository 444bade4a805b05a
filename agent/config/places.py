"""Where a configuration puts its files, even if the rest of it does not hold.

Who looks on (`status`, `tail`, `spool`) must see a box whose file was just broken, and without the secrets
that only the service has.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lamppost.agent.config.load import load
from lamppost.agent.config.model import SpoolSettings
from lamppost.agent.config.problem import ConfigError
from lamppost.agent.paths import named_path, run_dir, state_dir, tables


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
    data = tables(path)
    base = path.absolute().parent
    state = named_path(data, "node", "state_dir", base) or state_dir(env)
    spool = named_path(data, "spool", "path", base) or state / "spool.db"
    return Places(named_path(data, "node", "run_dir", base) or run_dir(env), SpoolSettings(path=spool))
