"""`lamppost support`: what somebody who helps needs to know of this box."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from lamppost.agent.paths import tables
from lamppost.provisioning.cli.options import ConfigFile


def support(
    config: ConfigFile,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File; else support-NODE-TIME.tar.gz here.")
    ] = None,
    log: Annotated[
        list[Path] | None,
        typer.Option("--log", exists=True, dir_okay=False, help="Log file to add; again for more."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Put in what `lamppost check` finds.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> int:
    """Pack logs, status, configuration, checks and versions into one file, without secrets or pictures.

    It works with a configuration that does not hold, and without an agent. Look at it before you send it.

    Examples: `lamppost support`, `lamppost support --no-check --log agent.log -o support.tar.gz`.
    """
    from lamppost.provisioning.support import bundle, write  # noqa: PLC0415 - `--help` needs none of it

    node = tables(config).get("node", {})
    name = node.get("id", "box") if isinstance(node, dict) else "box"
    name = "".join(c if c.isalnum() or c in "._-" else "_" for c in str(name))
    path = out or Path(f"support-{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.gz")
    count = write(path, bundle(config, tuple(log or ()), check=check))
    size = path.stat().st_size
    if as_json:
        print(json.dumps({"file": str(path), "files": count, "bytes": size}))
    else:
        print(f"{path}: {count} files, {size / 1000:.0f} kB; no secrets, no pictures")
    return 0
