"""`lamppost run --help`. The run itself never comes here: see `lamppost.provisioning.cli.main`."""

from __future__ import annotations

from typing import Annotated

import typer

from lamppost.agent.__main__ import LEVELS, main
from lamppost.provisioning.cli.options import ConfigFile


def run(
    config: ConfigFile,
    log_level: Annotated[
        str,
        typer.Option(metavar="|".join(LEVELS), help="Instead of node.log_level of the file."),
    ] = "",
) -> int:
    """Run the agent in the foreground until SIGTERM. SIGHUP reloads the configuration.

    Examples: `lamppost run`, `lamppost run --config pole.toml --log-level debug`.
    """
    return main(["--config", str(config), *(["--log-level", log_level] if log_level else [])])
