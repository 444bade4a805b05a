"""`lamppost config check` and `lamppost config schema`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lamppost.agent.config import Config, ConfigError, Problem
from lamppost.provisioning.cli.look import paint
from lamppost.provisioning.cli.options import ConfigArgument
from lamppost.provisioning.service_env import load_as_service
from lamppost.provisioning.water import water_notes

app = typer.Typer(no_args_is_help=True)


@app.command(short_help="Check a configuration file.")
def check(
    file: ConfigArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> int:
    """Check a configuration file: every problem with its line, exit code 2; else one line of summary.

    Notes say what this box lacks for it, such as dry references of cameras that look for water.

    Examples: `lamppost config check`, `lamppost config check pole.toml --json`.
    """
    problems: Sequence[Problem] = ()
    config: Config | None = None
    try:
        config = load_as_service(file)
    except ConfigError as error:
        problems = error.problems
    if as_json:
        print(json.dumps(_as_json(file, config, problems), indent=2, ensure_ascii=False))
    elif config is None:
        _print_problems(problems)
    else:
        for warning in config.warnings:
            print(f"{_bold(warning.place)}: warning: {warning.text}", file=sys.stderr)
        for note in water_notes(config):
            print(config.redact(f"note: {note}"), file=sys.stderr)
        print(config.redact(_summary(config)))
    return 0 if config is not None else 2


@app.command(short_help="Print the JSON Schema of the file.")
def schema() -> int:
    """Print the JSON Schema of the file, with all installed drivers and rules, for editors.

    Example: `lamppost config schema > lamppost.schema.json`.
    """
    from lamppost.agent.config.schema import document  # noqa: PLC0415 - `check` does not need it

    made, troubles = document()
    for trouble in troubles:
        print(f"lamppost: left out of the schema: {trouble}", file=sys.stderr)
    print(json.dumps(made, indent=2, ensure_ascii=False))
    return 0


def _print_problems(problems: Sequence[Problem]) -> None:
    for problem in problems:
        print(f"{_bold(problem.place)}: {problem.text}", file=sys.stderr)
    count = len(problems)
    print(
        f"{count} problem{'s' if count != 1 else ''}; the box would not start with this file", file=sys.stderr
    )


def _summary(config: Config) -> str:
    hub = config.hub.url if config.hub else "none, nothing will be sent"
    devices = [
        f"{name} ({d.driver_name}{'' if d.enabled else ', off'})" for name, d in config.devices.items()
    ]
    return (
        f"{config.path}: good; node {config.node.id} at {config.node.site}; hub: {hub}; "
        f"{_counted(devices, 'device')}; {_counted(list(config.rules), 'rule')}"
    )


def _counted(names: Sequence[str], word: str) -> str:
    listed = f": {', '.join(names)}" if names else ""
    return f"{len(names)} {word}{'' if len(names) == 1 else 's'}{listed}"


def _as_json(file: Path, config: Config | None, problems: Sequence[Problem]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "file": str(file),
        "ok": config is not None,
        "problems": [problem.as_json() for problem in problems],
        "warnings": [warning.as_json() for warning in config.warnings] if config else [],
    }
    if config is not None:
        result["node"] = {"id": config.node.id, "site": config.node.site}
        result["hub"] = config.redact(config.hub.url) if config.hub else None
        result["devices"] = {name: device.driver_name for name, device in config.devices.items()}
        result["rules"] = list(config.rules)
        result["notes"] = [config.redact(note) for note in water_notes(config)]
    return result


def _bold(text: str) -> str:
    return paint(text, "bold", sys.stderr)
