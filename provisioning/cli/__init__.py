"""The one command, `lamppost`, and the table of what it can do.

How a command is written: make a module beside this one with a function whose parameters are annotated
for typer, or a `typer.Typer` with several of them, and add its line to `COMMANDS`. The module is imported
only when its command is called, so it may import what it needs at its top. The configuration file
is a parameter ``config: ConfigFile`` (see `options`). A command returns None, or its exit code as an int:
0 fine, 1 something is wrong with the box or a device, 2 wrong input. It does not catch what it cannot mend:
a ConfigError, a DriverError, an OSError or any other of our errors that reaches `main` is printed as one
message, without secrets and without a traceback; LAMPPOST_DEBUG=1 shows that too.

`lamppost run` goes to the agent past all this: its process never imports typer, click or rich.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NamedTuple


class Command(NamedTuple):
    """Where a command lives (``name`` is a function or a `typer.Typer`) and what `--help` says of it."""

    module: str
    name: str
    help: str


_HERE = "lamppost.provisioning.cli"

COMMANDS = {
    "run": Command(f"{_HERE}.run", "run", "Run the agent in the foreground until SIGTERM."),
    "init": Command(f"{_HERE}.init", "init", "Write the first configuration of a box."),
    "config": Command(f"{_HERE}.config", "app", "Check a configuration file; print its JSON Schema."),
    "enrol": Command(f"{_HERE}.enrol", "enrol", "Give the box a certificate, or renew it."),
    "decommission": Command(
        f"{_HERE}.decommission", "decommission", "Wipe keys, spool and evidence of this box."
    ),
    "check": Command(f"{_HERE}.check", "check", "Check the box: devices, disk, clock, hub and more."),
    "camera": Command(f"{_HERE}.camera", "app", "Save a picture, draw zones, say that a road is dry."),
    "portal": Command(f"{_HERE}.portal", "portal", "Serve the page for the technician's phone or laptop."),
    "scan": Command(f"{_HERE}.scan", "scan", "Look for devices on ports and in the network."),
    "device": Command(f"{_HERE}.device", "app", "Add, test, read, write and remove devices."),
    "driver": Command(f"{_HERE}.driver", "app", "List the installed drivers and their profiles."),
    "model": Command(f"{_HERE}.model", "app", "List, verify, time and evaluate the models that see."),
    "status": Command(f"{_HERE}.status", "status", "Show how the box and its devices are."),
    "tail": Command(f"{_HERE}.tail", "tail", "Show samples and events as they pass."),
    "spool": Command(f"{_HERE}.spool", "spool", "Show what waits in the spool and what was dropped."),
    "support": Command(f"{_HERE}.support", "support", "Pack what a helper needs to know, without secrets."),
    "simulate": Command(f"{_HERE}.simulate", "app", "Simulate meters, a hub or a bad link."),
    "report": Command(f"{_HERE}.report", "report", "Write the acceptance record: one file for the city."),
    "replay": Command(f"{_HERE}.replay", "replay", "Run a recording through a camera's rules."),
    "completion": Command(f"{_HERE}.completion", "completion", "Let your shell complete commands and names."),
    "demo": Command(f"{_HERE}.demo", "demo", "Run a scenario with simulated devices, link and hub."),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1, 2, or 130 when interrupted."""
    args = sys.argv[1:] if argv is None else list(argv)
    try:
        if args[:1] == ["run"] and not {"--help", "-h"} & set(args):
            from lamppost.agent.__main__ import main as run  # noqa: PLC0415 - keeps the table light

            return run(args[1:])
        if args[:1] == ["__complete"]:
            from lamppost.provisioning.cli.completing import answer  # noqa: PLC0415 - `run` needs it never

            return answer(args[1:])
        from lamppost.provisioning.cli.app import call  # noqa: PLC0415 - `run` must not import typer

        code = call(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # `lamppost tail | head`: nobody reads on, and Python's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - no traceback reaches the user
        from lamppost.provisioning.cli.errors import report  # noqa: PLC0415

        return report(error)
    return code
