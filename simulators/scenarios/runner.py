"""Play a scenario from its first second to the verdict."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, TypeAlias

from lamppost.simulators.hub import BadLetter, Entry, EventLetter, NeverHappenedError, StatusLetter
from lamppost.simulators.hub.words import event, status
from lamppost.simulators.modbus import Unit
from lamppost.simulators.scenarios.load import load
from lamppost.simulators.scenarios.model import Scenario
from lamppost.simulators.scenarios.proofs import counter, events_first
from lamppost.simulators.scenarios.stage import Stage
from lamppost.simulators.scenarios.step import Action
from lamppost.simulators.scenarios.verdict import Check, Verdict, account, rows

Topic: TypeAlias = Literal["step", "event", "status", "problem"]

#: How long the hub may take to get what the broker has, in the end.
LAST_S = 15.0


class Note(NamedTuple):
    """Something that happened: for who watches. ``at_s`` is scenario time, ``phase`` that of an event."""

    at_s: float
    topic: Topic
    text: str
    phase: str = ""


class View(Protocol):
    """Who watches a run."""

    async def show(self, run: Run) -> None:
        """Show the run until cancelled."""
        ...


class Run:
    """A scenario while it plays, for a `View`. The attributes are for reading."""

    def __init__(self, scenario: Scenario, folder: Path, speed: float, schemas: Path | None) -> None:
        self.scenario = scenario
        self.speed = speed
        self.stage = Stage(scenario, folder, speed=speed, schemas=schemas, tell=self._told)
        self.notes: list[Note] = []
        self.phase = "starting"
        self.began = datetime.now(UTC)
        self.steps = scenario.steps()
        self.done = 0
        self._started = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds of the scenario that have passed."""
        return (time.monotonic() - self._started) * self.speed

    @property
    def next_step(self) -> Action | None:
        """What will be done next."""
        return self.steps[self.done] if self.done < len(self.steps) else None

    def note(self, topic: Topic, text: str, phase: str = "") -> None:
        """Remember what happened now."""
        self.notes.append(Note(self.elapsed_s, topic, text, phase))

    def begin(self) -> None:
        """Let the scenario's time begin."""
        self._started = time.monotonic()
        self.began = datetime.now(UTC)
        self.phase = "running"

    async def play(self) -> None:
        """Do what is to be done when it is time. Ends early if the agent dies."""
        await self._do_until(0.0)
        self.begin()
        await self.stage.agent.start()
        while (step := self.next_step) is not None:
            if not await self._wait_until(step.at_s):
                return
            await self._do_until(step.at_s)
        await self._wait_until(self.scenario.duration_s)

    async def _do_until(self, at_s: float) -> None:
        while (step := self.next_step) is not None and step.at_s <= at_s:
            self.done += 1
            self.note("step", step.told)
            await step.run(self.stage)

    async def _wait_until(self, at_s: float) -> bool:
        """Wait for a time of the scenario; return False if the agent dies before."""
        left_s = (at_s - self.elapsed_s) / self.speed
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stage.agent.died.wait(), max(0.0, left_s))
        return not self.stage.agent.died.is_set()

    async def drain(self) -> list[Check]:
        """Let the box send what it has, stop it, and let the hub read it all."""
        self.phase = "draining"
        stage, agent = self.stage, self.stage.agent
        checks = [Check("agent", ok=not agent.died.is_set(), found=self._lives())]
        if agent.running and stage.reachable:
            await self._until_drained()
        if agent.running:
            await stage.stop_agent()
        self.phase = "reading"
        if stage.broker.running:
            try:
                await stage.hub.caught_up(LAST_S)
            except NeverHappenedError as error:
                stage.problems.append(str(error))
        left = sum(agent.waiting().values())
        checks.append(Check("spool", ok=not left, found=f"{left} messages left in the box"))
        checks += [Check("course", ok=False, found=problem) for problem in stage.problems]
        return checks

    async def _until_drained(self) -> None:
        """Wait until only what is new waits; what is left after the agent's end tells the verdict."""
        agent, since = self.stage.agent, datetime.now(UTC)

        def drained() -> bool:
            status, waiting = agent.status(), agent.waiting()
            if agent.died.is_set():
                return True
            if not status or datetime.fromisoformat(status["at"]) < since:
                return False
            new = len(status["devices"])
            return all(n == 0 or (lane == "telemetry" and n <= new) for lane, n in waiting.items())

        with suppress(NeverHappenedError):
            await self.stage.hub.until(drained, self.scenario.drain_s)

    def _lives(self) -> str:
        agent = self.stage.agent
        if agent.died.is_set():
            return f"it ended by itself with exit code {agent.exit_code}: {agent.logged(800).strip()}"
        return f"started {_times(agent.starts)}, killed -9 {_times(len(agent.killed))}"

    def judge(self, checks: list[Check]) -> Verdict:
        """Return the verdict."""
        self.phase = "judging"
        stage, scenario, book = self.stage, self.scenario, self.stage.hub.book
        found = rows(scenario, book.event_messages, self.began, self.speed)
        expected = [row for row in found if row.expected is not None]
        met = sum(row.ok for row in expected)
        more = len(found) - len(expected)
        extra = f", and {more} more" if more else ""
        all_checks = [
            Check(
                "events", all(row.ok for row in found), f"{met} of {len(expected)} expected messages{extra}"
            ),
            *account(scenario, book),
            *(
                counter(one, unit, book, stage.agent)
                for one in scenario.counters
                if isinstance(unit := stage.units[one.unit], Unit)
            ),
        ]
        if scenario.expect_totals.events_first:
            all_checks.append(events_first(book, stage.outages))
        totals = book.totals()
        notes = [f"{totals.repeats} repeats came and were removed by their sequence"]
        return Verdict(
            scenario.name,
            found,
            [*all_checks, *checks],
            totals,
            (datetime.now(UTC) - self.began).total_seconds(),
            notes,
        )

    def _told(self, entry: Entry) -> None:
        match entry.letter:
            case _ if entry.repeat:
                return
            case EventLetter() as letter:
                self.note("event", event(letter), letter.phase)
            case StatusLetter() as letter:
                self.note("status", status(letter))
            case BadLetter() as letter:
                self.note("problem", f"cannot be read: {letter.topic}: {letter.reason}")


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


async def run_scenario(
    path: Path,
    *,
    speed: float = 1.0,
    view: View | None = None,
    folder: Path | None = None,
    schemas: Path | None = None,
) -> Verdict:
    """Play the scenario of a file and return the verdict.

    ``folder`` takes the agent's files and logs; without it a temporary one is used, and kept only
    if not all is as it should be. ``schemas`` is a folder of JSON Schemas to hold messages to.
    Raises ScenarioError, BrokerError, OSError.
    """
    scenario = load(path)
    own = Path(tempfile.mkdtemp(prefix="lamppost-")) if folder is None else None
    keep = False
    try:
        run = Run(scenario, folder or own or Path(), speed, schemas)
        verdict = await _played(run, view)
        keep = not verdict.ok
    finally:
        if own is not None and not keep:
            shutil.rmtree(own, ignore_errors=True)
    verdict.folder = str(own or "") if keep else ""
    return verdict


async def _played(run: Run, view: View | None) -> Verdict:
    async with run.stage, _shown(run, view):
        await run.play()
        checks = await run.drain()
        return run.judge(checks)


@asynccontextmanager
async def _shown(run: Run, view: View | None) -> AsyncIterator[None]:
    """Let the view show the run meanwhile; if it fails, so does the run, in the end."""
    if view is None:
        yield
        return
    watching = asyncio.create_task(view.show(run), name="view")
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
