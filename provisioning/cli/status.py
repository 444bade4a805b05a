"""`lamppost status`: how the box and its devices are, from the files of the run directory."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lamppost.provisioning.cli.rundir import RunDirOption, find_run_dir
from lamppost.provisioning.cli.status_texts import TEXTS as _TEXTS  # noqa: F401 - makes them known
from lamppost.provisioning.running import running
from lamppost.provisioning.words import say, span

COLOURS = {
    "ok": "green",
    "starting": "cyan",
    "degraded": "yellow",
    "stalled": "red",
    "failing": "red",
    "connected": "green",
}


def status(
    config: RunDirOption = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Refresh until Ctrl-C.")] = False,
    device: Annotated[
        str, typer.Option(help="Show the newest reading of every quantity of this device.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the status file as it is.")] = False,
) -> None:
    """Show how the agent, its hub, its devices and its spool are.

    Exit code 1 when no agent runs.

    Examples: `lamppost status`, `lamppost status --watch`, `lamppost status --device supply`.
    """
    run_dir = find_run_dir(config)
    if as_json:
        typer.echo(_status_text(run_dir))
        raise typer.Exit(0 if running(run_dir) else 1)
    console = Console()
    if not watch:
        console.print(picture(run_dir, device))
        raise typer.Exit(0 if running(run_dir) else 1)
    if not console.is_terminal:
        while True:
            console.print(picture(run_dir, device))
            time.sleep(2.0)
    with Live(picture(run_dir, device), console=console, refresh_per_second=2, screen=False) as live:
        while True:
            time.sleep(1.0)
            live.update(picture(run_dir, device))


def _status_text(run_dir: Path) -> str:
    try:
        return (run_dir / "status.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        typer.echo(
            say("status.none", run_dir=run_dir),
            err=True,
        )
        raise typer.Exit(1) from None


def picture(run_dir: Path, device: str) -> Group:
    """Return the whole picture as rich shows it."""
    status = json.loads(_status_text(run_dir))
    # What must be seen stands first: a screen full of failing devices cuts off the end.
    parts: list[Any] = [_head(status, running(run_dir)), _hub(status), _spool(status)]
    parts.extend(Text(f"! {trouble}", style="red") for trouble in _troubles(status))
    if status["open_events"]:
        parts.append(_open_events(status))
    parts.append(_devices(status))
    parts.extend(_water(status))
    parts.extend(_weaker(status))
    if device:
        parts.append(_newest(run_dir, status, device))
    else:
        parts.extend(_remarks(status))
    return Group(*parts)


def _head(status: dict[str, Any], alive: bool) -> Text:
    text = Text.assemble(
        (f"{status['node']}", "bold"),
        say("status.head", site=status["site"], version=status["version"]),
        (say("status.running"), "green") if alive else (say("status.dead"), "bold red"),
        say("status.up", span=span(status["uptime_s"]), rss=status["rss_mb"]),
    )
    if status["clock"].get("source") == "gnss":
        text.append(say("status.gnss"), style="cyan")
    if not alive:
        text.append(say("status.seen", ago=ago(status["at"], status)), style="red")
    return text


def _troubles(status: dict[str, Any]) -> list[str]:
    troubles = [f"spool: {t['kind']}: {t['detail']}" for t in status["spool"]["trouble"]]
    if status["config_problem"]:
        troubles.append(say("status.config", why=status["config_problem"]))
    if problem := (status["sight"] or {}).get("problem"):
        troubles.append(say("status.no-detector", why=problem))
    water = (status["sight"] or {}).get("water") or {}
    if problem := water.get("problem"):
        troubles.append(say("status.no-segmenter", why=problem))
    if not status["clock"]["plausible"]:
        troubles.append(say("status.clock"))
    return troubles


def _hub(status: dict[str, Any]) -> Text:
    hub = status["hub"]
    if hub is None:
        return Text(say("status.hub-none"), style="yellow")
    if hub["connected"]:
        since = say("status.to-since", url=hub["url"], ago=ago(hub["since"], status))
        return Text.assemble(say("status.hub"), (say("status.connected"), "green"), since)
    where = say("status.to", url=hub["url"])
    text = Text.assemble(say("status.hub"), (say("status.not-connected"), "red"), where)
    if hub["last_error"]:
        text.append(f": {hub['last_error']}")
    if hub["next_try_at"]:
        text.append(say("status.next-try", until=until(hub["next_try_at"], status)), style="dim")
    return text


def _devices(status: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("device", "state", "last-sample", "samples", "restarts", "faults"):
        justify: Any = "right" if column in ("samples", "restarts") else "left"
        table.add_column(say(f"status.{column}"), justify=justify)
    for name, health in status["devices"].items():
        table.add_row(
            name,
            Text(say(f"status.state.{health['state']}"), style=COLOURS.get(health["state"], "")),
            ago(health["last_sample_at"], status) if health["last_sample_at"] else say("status.never"),
            f"{health['samples']:,}",
            str(health["restarts"]),
            ", ".join(f"{kind} {fault['count']}" for kind, fault in health["faults"].items()),
        )
    return table


def _water(status: dict[str, Any]) -> Iterator[Text]:
    """Yield for each camera that looks for water what is known of its dry road, and what is not."""
    water = (status["sight"] or {}).get("water") or {}
    for camera, seen in water.get("cameras", {}).items():
        known = [
            f"{light} by {road['by']} {ago(road['at'], status)}" if road else f"{light} none"
            for light, road in seen["dry"].items()
        ]
        yield Text.assemble(
            (f"  {camera}: ", "bold"), f"looks for water by {seen['light']}; dry: {', '.join(known)}"
        )
        if seen["problem"]:
            yield Text(f"    {seen['problem']}", style="yellow")


def _weaker(status: dict[str, Any]) -> Iterator[Text]:
    """Yield the rules that run weaker than they could, and why."""
    for rule, remarks in status["remarks"].items():
        yield Text.assemble((f"  rule {rule}: ", "bold"), ("; ".join(remarks), "yellow"))


def _remarks(status: dict[str, Any]) -> list[Text]:
    """Return what is to be said of devices, each below the table, where there is room for it."""
    return [
        Text.assemble((f"  {name}: ", "bold"), remark)
        for name, health in status["devices"].items()
        if (remark := _remark(health, status))
    ]


def _remark(health: dict[str, Any], status: dict[str, Any]) -> Text | None:
    if health["error"]:
        text = Text(health["error"], style="red")
        if health["next_try_at"]:
            text.append(say("status.next-try", until=until(health["next_try_at"], status)), style="dim")
        return text
    if health["bad"]:
        return Text(say("status.no-value", names=", ".join(health["bad"][:8])), style="yellow")
    if health["state"] != "degraded":
        return None
    newest = max(health["faults"].values(), key=lambda fault: str(fault["at"]), default=None)
    return Text(newest["detail"], style="yellow") if newest else None


def _newest(run_dir: Path, status: dict[str, Any], device: str) -> Table:
    if device not in status["devices"]:
        known = ", ".join(status["devices"])
        raise typer.BadParameter(f"no device {device!r}; the agent has {known}", param_hint="--device")
    table = Table(title=device, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for column in ("quantity", "value", "unit", "read"):
        table.add_column(say(f"status.{column}"), justify="right" if column == "value" else "left")
    try:
        newest = json.loads((run_dir / "devices" / f"{device}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        newest = {}
    for quantity, reading in newest.items():
        value = (
            Text(say("status.bad"), style="red")
            if reading["quality"] == "bad"
            else Text(f"{reading['value']}")
        )
        table.add_row(quantity, value, reading["unit"], ago(reading["at"], status))
    return table


def _spool(status: dict[str, Any]) -> Text:
    lanes = status["spool"]["lanes"]
    text = Text(say("status.spool"))
    for name, lane in lanes.items():
        text.append(f"{name} {lane['depth']}", style="yellow" if lane["depth"] else "")
        text.append(say("status.dropped", count=lane["dropped"]) if lane["dropped"] else "  ", style="red")
    return text


def _open_events(status: dict[str, Any]) -> Table:
    table = Table(
        title=say("status.open-events"), title_justify="left", box=None, pad_edge=False, header_style="dim"
    )
    for column in ("kind", "device", "zone", "rule", "since"):
        table.add_column(say(f"status.{column}"))
    for event in status["open_events"]:
        table.add_row(
            event["kind"], event["device"], event["zone"], event["rule"], ago(event["since"], status)
        )
    return table


def ago(at: str, status: dict[str, Any]) -> str:
    """Return how long ago a time of the status was."""
    return say("status.ago", span=span((_now(status) - datetime.fromisoformat(at)).total_seconds()))


def until(at: str, status: dict[str, Any]) -> str:
    """Return how far ahead a time of the status is."""
    return say("status.in", span=span((datetime.fromisoformat(at) - _now(status)).total_seconds()))


def _now(status: dict[str, Any]) -> datetime:
    """Return the time by the agent's clock, which may know better than the system's."""
    return datetime.now(UTC) + timedelta(seconds=status["clock"].get("ahead_s", 0.0))
