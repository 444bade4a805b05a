"""A scenario as a live picture that fills a terminal of 80x24 or more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from lamppost.provisioning.cli.status import COLOURS
from lamppost.simulators.hub.words import short
from lamppost.simulators.scenarios import Run

FRAME_S = 0.2
#: Fewer devices than this are shown only where there is really no room.
FEWEST_DEVICES = 4
_PHASES = {"open": "bold red", "update": "yellow", "close": "green"}
_LINKS = {"up": "green", "cut": "bold red", "stalled": "bold red", "slow": "yellow"}


class Screen:
    """Shows a run on the whole terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    async def show(self, run: Run) -> None:
        """Show until cancelled; what was on the terminal before comes back then."""
        with Live(console=self._console, screen=True, auto_refresh=False) as live:
            while True:
                width, height = self._console.size
                live.update(Group(*picture(run, width, height)), refresh=True)
                await asyncio.sleep(FRAME_S)


def picture(run: Run, width: int, height: int) -> list[Text]:
    """Return at most ``height`` lines of at most ``width`` cells."""
    status = run.stage.agent.status()
    lines = [*_head(run, width), *_parts(run, status), Text()]
    devices = status.get("devices", {})
    left = height - len(lines) - 4  # three headings and a pause
    shown = min(len(devices), max(FEWEST_DEVICES, left // 2))
    lines += [*_devices(run, devices, shown), Text()]
    left = height - len(lines) - 2
    timeline = list(_timeline(run, max(3, min(len(run.steps) + 1, left // 2))))
    events = list(_events(run, max(1, left - len(timeline))))
    lines += [Text("events at the hub", style="dim"), *events, Text("timeline", style="dim"), *timeline]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines[:height]


def _head(run: Run, width: int) -> Iterator[Text]:
    total = run.scenario.duration_s
    at_s = min(run.elapsed_s, total)
    phase = run.phase if run.phase != "running" else ""
    right = f"{phase} {_clock(at_s)} / {_clock(total)}".strip()
    left = f"Lamppost · {run.scenario.name}"
    yield Text.assemble((left, "bold"), " " * max(1, width - len(left) - len(right)), right)
    done = round(width * at_s / total)
    yield Text.assemble(("━" * done, "green"), ("─" * (width - done), "dim"))


def _parts(run: Run, status: dict[str, Any]) -> Iterator[Text]:
    stage = run.stage
    totals = stage.hub.book.totals()
    yield Text.assemble(
        _part("hub", "up" if stage.broker.running else "DOWN", ok=stage.broker.running),
        ("link ", "dim"),
        (stage.link.state.upper() if stage.link.state != "up" else "up", _LINKS.get(stage.link.state, "")),
        "   ",
        _part("agent", _agent(run, status), ok=stage.agent.running),
    )
    spool = Text.assemble(("spool ", "dim"))
    for name, waiting in stage.agent.waiting().items():
        spool.append(f"{name} {waiting}  ", style="yellow" if waiting else "")
    yield spool
    yield Text.assemble(
        ("hub has ", "dim"),
        f"{totals.readings} readings, {totals.events} event messages, {totals.bytes / 1000:.1f} kB; ",
        (f"lost {totals.lost}, duplicates {totals.duplicates}", "red" if totals.lost else "green"),
        f", repeats {totals.repeats}",
    )


def _part(name: str, state: str, *, ok: bool) -> Text:
    return Text.assemble((f"{name} ", "dim"), (state, "green" if ok else "bold red"), "   ")


def _agent(run: Run, status: dict[str, Any]) -> str:
    agent = run.stage.agent
    if not agent.running:
        return "DOWN"
    if not status or status["pid"] != agent.pid:
        return "starting"
    hub = status["hub"] or {}
    return f"running, {status['rss_mb']:.0f} MB, {'connected' if hub.get('connected') else 'NOT connected'}"


def _devices(run: Run, devices: dict[str, Any], shown: int) -> Iterator[Text]:
    yield Text(f"{'device':<10} {'state':<9} newest", style="dim")
    for name, health in list(devices.items())[:shown]:
        line = Text.assemble(f"{name:<10} ", (f"{health['state']:<9} ", COLOURS.get(health["state"], "")))
        if health["error"]:
            line.append(short(health["error"]), style="red")
        else:
            line.append("  ".join(_values(run.stage.agent.newest(name))))
        yield line
    if shown < len(devices):
        yield Text(f"and {len(devices) - shown} more", style="dim")


def _values(newest: dict[str, Any]) -> Iterable[str]:
    for quantity, reading in newest.items():
        if reading["quality"] == "bad":
            yield f"{quantity} bad"
        else:
            yield f"{quantity} {_number(reading['value'])} {reading['unit']}".strip()


def _number(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _events(run: Run, room: int) -> Iterator[Text]:
    """Yield the newest notes from the hub, and blank lines up to ``room``."""
    notes = [note for note in run.notes if note.topic in ("event", "problem")][-room:]
    for note in notes:
        style = _PHASES.get(note.phase, "bold red")
        word, _, rest = note.text.partition(" ")
        yield Text.assemble((f"{_clock(note.at_s)} ", "dim"), (f"{word:<6} ", style), rest.strip())
    yield from (Text() for _ in range(room - len(notes)))


def _timeline(run: Run, room: int) -> Iterator[Text]:
    """Yield the last step and the next ones."""
    first = max(0, min(run.done - max(1, room // 2), len(run.steps) + 1 - room))
    for number, step in list(enumerate(run.steps))[first : first + room]:
        if number < run.done:
            yield Text(f"  {_clock(step.at_s)} {step.told}", style="dim")
        elif number == run.done:
            yield Text(f"> {_clock(step.at_s)} {step.told} (in {max(0, step.at_s - run.elapsed_s):.0f} s)")
        else:
            yield Text(f"  {_clock(step.at_s)} {step.told}")
    if first + room > len(run.steps):
        yield Text(f"  {_clock(run.scenario.duration_s)} the end, and the verdict", style="dim")


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60):02}:{int(seconds % 60):02}"
