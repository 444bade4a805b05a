"""Where the running agent's files are, for the commands that only look."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lamppost.agent.paths import default_path, run_dir_of

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
    return run_dir_of(config or default_path())
