"""`lamppost demo`: a scenario on simulated hardware, link and hub, before your eyes, with a verdict."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lamppost.provisioning.cli.demo_plain import Plain
from lamppost.provisioning.cli.demo_screen import Screen
from lamppost.provisioning.cli.demo_verdict import show
from lamppost.simulators.scenarios import ScenarioError, Verdict, View, find, run_scenario

#: What a shell makes of a program that SIGTERM ended.
TERMINATED = 143
WRONG_INPUT = 2

ScenarioOption = Annotated[
    str, typer.Option("--scenario", metavar="FILE", help="Scenario file, or the name of a shipped one.")
]
SpeedOption = Annotated[
    float, typer.Option(min=0.1, max=20, metavar="X", help="Let the scenario's time run faster or slower.")
]


def demo(
    scenario: ScenarioOption = "street",
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of a live view.")] = False,
    speed: SpeedOption = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="The verdict as JSON, nothing else.")] = False,
) -> int:
    """Run a scenario: simulated street hardware read by a real agent, a link that fails, a hub that counts.

    Ends with the verdict: expected against received, lost, duplicates. Exit code 0 if all is right.

    Examples: `lamppost demo`, `lamppost demo --plain | tee demo.log`, `lamppost demo --scenario outage`.
    """
    return play(scenario, plain=plain, speed=speed, as_json=as_json)


def play(scenario: str, *, plain: bool, speed: float, as_json: bool) -> int:
    """Run a scenario, show it, and return the exit code of its verdict; 2 if there is none that holds."""
    console = Console(highlight=False, soft_wrap=False)
    view: View | None
    if as_json:
        view = None
    elif plain or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        view = Plain()
    else:
        view = Screen(console)
    try:
        verdict = asyncio.run(_run(find(scenario), speed, view))
    except ScenarioError as error:
        print(error, file=sys.stderr)
        return WRONG_INPUT
    except asyncio.CancelledError:
        return TERMINATED
    if as_json:
        print(json.dumps(verdict.as_json(), indent=2, ensure_ascii=False))
    else:
        show(verdict, console)
    return verdict.exit_code


async def _run(path: Path, speed: float, view: View | None) -> Verdict:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    schemas = Path(str(files("lamppost.agent.schemas")))
    return await run_scenario(path, speed=speed, view=view, schemas=schemas)
