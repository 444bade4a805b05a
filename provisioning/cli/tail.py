"""`lamppost tail`: samples and events as they pass."""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from lamppost.provisioning.cli.rundir import RunDirOption, find_run_dir
from lamppost.provisioning.running import running

#: The agent looks for new readers once a second; then it must be asked whether it is alive.
LOOK_S = 2.0


def tail(
    config: RunDirOption = None,
    device: Annotated[str, typer.Option(help="Only this device.")] = "",
    events: Annotated[bool, typer.Option("--events", help="Only events.")] = False,
    count: Annotated[int, typer.Option("--count", "-n", help="Stop after so many lines; 0 is never.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show samples and events as they pass, until Ctrl-C.

    Looking on costs the agent nothing while nobody does, and never slows it down: a reader that
    is too slow misses lines and is told how many.

    Examples: `lamppost tail`, `lamppost tail --device supply`, `lamppost tail --events --json`.
    """
    run_dir = find_run_dir(config)
    if not running(run_dir):
        typer.echo(f"no agent runs in {run_dir}; start it with `lamppost run`", err=True)
        raise typer.Exit(1)
    known = json.loads((run_dir / "status.json").read_text(encoding="utf-8"))["devices"]
    if device and device not in known:
        raise typer.BadParameter(
            f"no device {device!r}; the agent has {', '.join(known)}", param_hint="--device"
        )
    console = Console(highlight=False, soft_wrap=True)
    shown = 0
    with reading(run_dir) as lines:
        for line in lines:
            record = json.loads(line)
            if not _wanted(record, device, events):
                continue
            if as_json:
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
            else:
                console.print(_shown(record))
            shown += 1
            if count and shown >= count:
                return
    typer.echo("the agent stopped", err=True)
    raise typer.Exit(1)


@contextmanager
def reading(run_dir: Path) -> Iterator[Iterator[str]]:
    """Make a FIFO, let the agent find it, give its lines, remove it."""
    folder = run_dir / "tail"
    hidden, shown = folder / f".{os.getpid()}", folder / f"{os.getpid()}"
    try:
        os.mkfifo(hidden, 0o600)
    except PermissionError:
        typer.echo(f"{folder} is not writable by this user; try as root or as the agent's user", err=True)
        raise typer.Exit(1) from None
    try:
        handle = os.open(hidden, os.O_RDONLY | os.O_NONBLOCK)
        hidden.rename(shown)
        try:
            yield _lines(handle, run_dir)
        finally:
            os.close(handle)
    finally:
        for path in (hidden, shown):
            with contextlib.suppress(OSError):
                path.unlink()


def _lines(handle: int, run_dir: Path) -> Iterator[str]:
    begun, rest = False, b""
    while True:
        ready, _, _ = select.select([handle], [], [], LOOK_S)
        data = os.read(handle, 1 << 16) if ready else b""
        if not data:
            if begun or not running(run_dir):
                return
            if ready:  # no writer yet: the end of the file is always ready
                select.select([], [], [], 0.1)
            continue
        begun = True
        *whole, rest = (rest + data).split(b"\n")
        yield from (line.decode() for line in whole)
        while True:  # a quiet agent is no closed one
            if select.select([handle], [], [], LOOK_S)[0]:
                break
            if not running(run_dir):
                return


def _wanted(record: dict[str, Any], device: str, events: bool) -> bool:
    if "missed" in record:
        return True
    if events and record.get("type") != "event":
        return False
    return not device or record.get("device") == device


def _shown(record: dict[str, Any]) -> Text:
    if "missed" in record:
        return Text(f"… {record['missed']} lines missed", style="yellow")
    at = str(record["at"])[11:23]
    if record["type"] == "event":
        colour = {"open": "bold red", "update": "yellow", "close": "green"}[record["phase"]]
        where = " ".join(filter(None, (record["device"], record["zone"])))
        measures = " ".join(f"{k}={v}" for k, v in record["measures"].items())
        return Text.assemble(
            f"{at} ", (f"{record['phase']:<6} {record['kind']}", colour), f" {where} {measures}"
        )
    value = "bad" if record["quality"] == "bad" else f"{record['value']} {record['unit']}"
    style = "red" if record["quality"] == "bad" else ""
    return Text.assemble((at, "dim"), f" {record['device']:<14} {record['quantity']:<18} ", (value, style))
