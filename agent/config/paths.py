"""Where the configuration file is looked for when nobody names it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

HERE = Path("lamppost.toml")
SYSTEM = Path("/etc/lamppost/lamppost.toml")


def default_path(env: Mapping[str, str] = os.environ) -> Path:
    """Return $LAMPPOST_CONFIG, else ./lamppost.toml if it is there, else the system's."""
    if given := env.get("LAMPPOST_CONFIG"):
        return Path(given)
    return HERE if HERE.is_file() else SYSTEM
