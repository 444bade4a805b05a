"""`lamppost check`: is everything on this box as it should be, and if not, what is to be done."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated

import typer

from lamppost.provisioning.check import NAMES, Colour, Finding, worst
from lamppost.provisioning.cli.look import paint
from lamppost.provisioning.cli.options import ConfigFile
from lamppost.provisioning.service_env import load_as_service

_MARKS = {Colour.GREEN: "ok", Colour.YELLOW: "!", Colour.RED: "X"}


def check(
    config: ConfigFile,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="NAME", help="Check this only: a group, device or rule. Again for more."
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 for yellow as well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as one JSON object.")] = False,
) -> int:
    """Check devices, pictures, models, disk, clock, rights, certificate and the way to the hub.

    One line each: green, yellow or red, and what to do. While the agent runs its own readings are looked
    at, and no port is taken from it. Exit code 0: nothing is red; 1: something is; 2: the file does not hold.

    Examples: `lamppost check`, `lamppost check --only hub --only supply`, `lamppost check --json`.
    """
    from lamppost.agent.config import ConfigError  # noqa: PLC0415 - `--help` and the shell need none of it
    from lamppost.provisioning.check import checks  # noqa: PLC0415

    try:
        settings = load_as_service(config)
    except ConfigError as error:
        if not as_json:
            raise
        _print_json([Finding("config", Colour.RED, str(problem), problem.hint) for problem in error.problems])
        return 2
    wanted = only or []
    known = {*NAMES, *settings.devices, *settings.rules}
    for name in wanted:
        if name.partition("/")[0] not in known and name not in known:
            raise typer.BadParameter(
                f"nothing is called {name!r}; there are {', '.join(NAMES)}, and the file's devices and rules",
                param_hint="--only",
            )

    async def all_of_them() -> list[Finding]:
        found = []
        async for finding in checks(settings, wanted):
            found.append(finding)
            if not as_json:
                _print(finding)
        return found

    findings = asyncio.run(all_of_them())
    colour = worst(findings)
    if as_json:
        _print_json(findings)
    bad = (Colour.YELLOW, Colour.RED) if strict else (Colour.RED,)
    return 1 if colour in bad else 0


def _print_json(findings: list[Finding]) -> None:
    shown = {"colour": worst(findings).value, "findings": [finding.as_json() for finding in findings]}
    print(json.dumps(shown, indent=2, ensure_ascii=False))


def _print(finding: Finding) -> None:
    """Print one finding; what to do stands below, where something is to be done."""
    mark = paint(f"{_MARKS[finding.colour]:>2}", finding.colour.value)
    print(f"{mark} {finding.name}: {finding.says}")
    if finding.todo:
        print(f"     -> {finding.todo}")
    sys.stdout.flush()
