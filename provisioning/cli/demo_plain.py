"""A scenario as plain lines, for a pipe or a log."""

from __future__ import annotations

import asyncio
from collections import Counter

from lamppost.simulators.scenarios import Note, Run

LOOK_S = 0.1
#: So often a line tells how all stand.
STATE_EVERY_S = 10.0

_TOPICS = {"step": "--", "event": "hub got", "status": "hub got", "problem": "PROBLEM"}


class Plain:
    """Prints what happens, a line each."""

    async def show(self, run: Run) -> None:
        """Print until cancelled."""
        print(f"{run.scenario.name}: {run.scenario.description} ({run.scenario.duration_s:g} s)", flush=True)
        told, phase, due_s = 0, "", STATE_EVERY_S
        try:
            while True:
                told = _tell(run, told)
                if run.phase != phase:
                    phase = run.phase
                    _say(run.elapsed_s, f"-- {phase}")
                if phase == "running" and run.elapsed_s >= due_s:
                    due_s += STATE_EVERY_S
                    _say(run.elapsed_s, f"   {state(run)}")
                await asyncio.sleep(LOOK_S)
        finally:
            _tell(run, told)


def _tell(run: Run, told: int) -> int:
    for note in run.notes[told:]:
        _say(note.at_s, line(note))
    return len(run.notes)


def _say(at_s: float, text: str) -> None:
    print(f"{at_s:6.1f} s  {text}", flush=True)


def line(note: Note) -> str:
    """Return what happened as a line."""
    return f"{_TOPICS[note.topic]} {note.text}"


def state(run: Run) -> str:
    """Return how box, spool, link and hub are, in a line."""
    stage = run.stage
    status, totals = stage.agent.status(), stage.hub.book.totals()
    devices = status.get("devices", {})
    states = Counter(device["state"] for device in devices.values())
    told = ", ".join(f"{n} {name}" for name, n in states.most_common()) or "no devices yet"
    waits = ", ".join(f"{name} {n}" for name, n in stage.agent.waiting().items() if n) or "nothing"
    agent = "agent running" if stage.agent.running else "AGENT DOWN"
    broker = "" if stage.broker.running else ", broker down"
    return (
        f"{agent}; devices: {told}; waiting: {waits}; link {stage.link.state}{broker}; "
        f"hub: {totals.messages} messages, {totals.readings} readings"
    )
