"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

WHERE = "$LAMPPOST_CONFIG, ./lamppost.toml or /etc/lamppost/lamppost.toml"


def _default() -> Path:
    from lamppost.agent.config.paths import default_path  # noqa: PLC0415 - `--help` needs no pydantic

    return default_path()


#: ``config: ConfigFile`` is the path of the configuration file.
ConfigFile: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        default_factory=_default,
        show_default=WHERE,
        help="Configuration file.",
    ),
]

#: The same as an argument: ``lamppost config check FILE``.
ConfigArgument: TypeAlias = Annotated[
    Path,
    typer.Argument(metavar="FILE", default_factory=_default, show_default=WHERE, help="Configuration file."),
]
