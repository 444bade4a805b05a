"""`lamppost report`: the acceptance record of this box."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from lamppost.provisioning.cli.options import ConfigFile
from lamppost.provisioning.service_env import load_as_service
from lamppost.provisioning.words import speaking


def report(
    config: ConfigFile,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File; else SITE-NODE-DATE.html (or .json) here.")
    ] = None,
    technician: Annotated[str, typer.Option("--technician", "-t", help="Who stands for it.")] = "",
    lang: Annotated[
        Literal["en", "zh"] | None, typer.Option("--lang", help="Language; else that of the locale.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the record as one JSON object, pictures in base64.")
    ] = False,
) -> int:
    """Write the acceptance record: checks, devices with readings, pictures with zones, versions, hashes.

    One HTML file with everything in it, for the screen and for A4. Exit code 0 if no check is red, else 1;
    the record is written either way.

    Examples: `lamppost report -t "Li Wei"`, `lamppost report --lang zh -o pole-17.html`.
    """
    from lamppost.agent.rundir import write_whole  # noqa: PLC0415 - `--help` needs none of it
    from lamppost.provisioning.report import gather, page  # noqa: PLC0415

    settings = load_as_service(config)
    with speaking(lang):
        record = asyncio.run(gather(settings, technician))
        text = json.dumps(record, indent=2, ensure_ascii=False) if as_json else page(record)
    if as_json and out is None:
        print(text)
    else:
        day = record["at"][:10]
        path = out or Path(f"{settings.node.site}-{settings.node.id}-{day}.html")
        write_whole(path, text)
        print(f"{path}: {record['colour']}", file=sys.stderr if as_json else sys.stdout)
    return 1 if record["colour"] == "red" else 0
