"""Loading the configuration as the service would: with the secrets that only its unit file gives it.

`deploy/lamppost.service` reads `secrets.env` beside the configuration. A person's shell has not got these
variables, and must not be told that the file does not hold for want of them.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lamppost.agent.config import Config

NAME: Final = "secrets.env"
_LINE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)")


def load_as_service(path: Path, env: Mapping[str, str] = os.environ) -> Config:
    """Load a configuration; variables of the environment win. Raises ConfigError."""
    from lamppost.agent.config import load  # noqa: PLC0415 - heavy

    return load(path, {**read_env(path.absolute().parent / NAME), **env})


def read_env(path: Path) -> dict[str, str]:
    """Return the variables of an EnvironmentFile (systemd.exec(5)); none if it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    found = {}
    for line in lines:
        if match := _LINE.fullmatch(line):
            found[match[1]] = _unquoted(match[2].strip())
    return found


def _unquoted(text: str) -> str:
    if text[:1] not in ('"', "'"):
        return text
    try:
        return "".join(shlex.split(text))
    except ValueError:  # a quote that is never closed
        return text
