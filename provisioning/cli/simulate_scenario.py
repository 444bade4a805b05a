"""`lamppost simulate scenario`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def scenario(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Scenario file, or a shipped one's name.")] = "",
    speed: Annotated[float, typer.Option(min=0.1, max=20, metavar="X", help="Faster or slower.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="The verdict as JSON, nothing else.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only say whether the file holds.")] = False,
    show_list: Annotated[bool, typer.Option("--list", help="List the shipped ones, and stop.")] = False,
) -> int:
    """Run a scenario as a test: plain lines, a verdict, exit code 0 if all is right, else 1.

    Examples: `lamppost simulate scenario outage`, `lamppost simulate scenario ./mine.toml --check`.
    """
    from lamppost.provisioning.cli.demo import play  # noqa: PLC0415 - rich and MQTT for this command only
    from lamppost.simulators.scenarios import load, shipped  # noqa: PLC0415

    if show_list:
        for name, path in shipped().items():
            one = load(path)
            print(f"{name:12} {one.duration_s:6g} s  {one.description}")
        return 0
    if not file:
        raise typer.BadParameter("name a file, or --list", param_hint="FILE")
    if check:
        return _check(file)
    return play(file, plain=True, speed=speed, as_json=as_json)


def _check(file: str) -> int:
    from lamppost.simulators.scenarios import ScenarioError, find, load  # noqa: PLC0415

    try:
        path = find(file)
        one = load(path)
    except ScenarioError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{path}: ok: {len(one.steps())} steps, {len(one.expected())} expected event messages")
    return 0
