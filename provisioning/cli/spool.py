"""`lamppost spool`: what waits for the hub, how old it is, and what was dropped and why."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lamppost.agent.config.places import Places, places
from lamppost.agent.spool import SpoolError
from lamppost.agent.spool.look import View, look
from lamppost.provisioning.cli.options import ConfigFile
from lamppost.provisioning.running import last_status, running
from lamppost.provisioning.words import span


def spool(
    config: ConfigFile,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Refresh until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
) -> None:
    """Show depth, age and bytes of each lane of the spool, and what was dropped and why.

    Reads the database without disturbing the agent. Exit code 1 if there is trouble with it.

    Examples: `lamppost spool`, `lamppost spool --watch`, `lamppost spool --json`.
    """
    where = places(config)
    if watch and not as_json:
        _watch(where)
    view = look(where.spool, time.time())
    trouble = troubles(view, where.run_dir)
    if as_json:
        typer.echo(json.dumps(_as_json(view, trouble), indent=2))
    else:
        Console().print(picture(view, trouble))
    raise typer.Exit(1 if trouble else 0)


def _watch(config: Places) -> None:
    with Live(console=Console(), refresh_per_second=2) as live:
        while True:
            try:
                view = look(config.spool, time.time())
                live.update(picture(view, troubles(view, config.run_dir)))
            except SpoolError as error:
                live.update(Text(str(error), style="red"))
            time.sleep(1.0)


def troubles(view: View, run_dir: Path) -> list[str]:
    """Return what the files show, and what the running agent says of them."""
    told = []
    if view.agent is not None and running(run_dir):
        status = last_status(run_dir) or {}
        with contextlib.suppress(KeyError, TypeError):
            told = [f"{t['kind']}: {t['detail']}" for t in status["spool"]["trouble"]]
    return [*told, *view.trouble]


def picture(view: View, trouble: list[str]) -> Group:
    """Return the view as rich shows it."""
    who = f"agent {view.agent} runs" if view.agent is not None else "no agent runs"
    head = Text.assemble(
        (f"{view.path}", "bold"),
        f" · {_size(view.file_bytes)} + log {_size(view.log_bytes)} · stream {view.stats.stream} · {who}",
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("lane")
    for column in ("waiting", "oldest", "bytes", "written", "dropped"):
        table.add_column(column, justify="right")
    table.add_column("why")
    for name, lane in view.stats.items():
        table.add_row(
            name,
            f"{lane.depth}",
            "" if lane.oldest_s is None else span(lane.oldest_s),
            _size(lane.bytes),
            f"{lane.written}",
            Text(f"{lane.dropped_count}", style="red" if lane.dropped_count else ""),
            ", ".join(f"{reason} {count} ({_size(size)})" for reason, (count, size) in lane.dropped.items()),
        )
    return Group(head, *(Text(f"! {line}", style="red") for line in trouble), table)


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def _as_json(view: View, trouble: list[str]) -> dict[str, Any]:
    return {
        "path": str(view.path),
        "agent": view.agent,
        "stream": view.stats.stream,
        "file_bytes": view.file_bytes,
        "log_bytes": view.log_bytes,
        "lanes": {
            name: {
                "depth": lane.depth,
                "bytes": lane.bytes,
                "oldest_s": lane.oldest_s,
                "written": lane.written,
                "dropped": {
                    reason: {"count": count, "bytes": size} for reason, (count, size) in lane.dropped.items()
                },
            }
            for name, lane in view.stats.items()
        },
        "set_aside": [str(file) for file in view.set_aside],
        "trouble": trouble,
    }
