"""Where the running agent's files are, for the commands that only look."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RunDirOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="Configuration of the agent to look at; the default is the one `lamppost run` takes.",
        show_default=False,
    ),
]


def find_run_dir(config: Path | None) -> Path:
    """Return the run directory of the agent with this configuration."""
    from lamppost.agent.config.paths import default_path  # noqa: PLC0415 - only when a command needs it
    from lamppost.agent.config.places import places  # noqa: PLC0415

    return places(config or default_path()).run_dir
