"""The configuration of a box whose key and certificate are not there: not yet, or not any more."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lamppost.agent.config import Config, ConfigError
from lamppost.agent.paths import tables
from lamppost.provisioning.edit import editing, tried_out
from lamppost.provisioning.service_env import load_as_service

FILES: Final = ("ca_file", "cert_file", "key_file")
_KEYS: Final = {f"hub.{name}" for name in FILES}


def load_unenrolled(path: Path) -> Config:
    """Load a configuration; files of the hub that are not there are as if they were not named.

    Raises ConfigError for everything else.
    """
    try:
        return load_as_service(path)
    except ConfigError as error:
        missing = {problem.key for problem in error.problems}
        if not missing <= _KEYS:
            raise
    with tried_out(path) as (edit, made):
        for key in sorted(missing):
            edit.remove(key.split("."))
        return load_as_service(made()).model_copy(update={"path": path})


def forget(path: Path) -> None:
    """Let the configuration name no file of the hub that is gone. Raises ConfigError and EditError."""
    hub = tables(path).get("hub", {})
    gone = [key for key in FILES if key in hub and not (path.absolute().parent / str(hub[key])).exists()]
    if gone:
        with editing(path) as edit:
            for key in gone:
                edit.remove(("hub", key))
