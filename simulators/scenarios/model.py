"""What a scenario file says; docs/scenarios.md tells each key's meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, SerializeAsAny

from lamppost.simulators.camera import CameraSettings
from lamppost.simulators.faults import Fault
from lamppost.simulators.modbus import Unit, device
from lamppost.simulators.scenarios.step import Action, Period, Seconds, Table, repeated
from lamppost.simulators.serial import Sensor, sensor
from lamppost.simulators.street.names import ZONES

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_PLACEHOLDER = re.compile(r"@\{([^}]*)\}")

#: Placeholders of the agent's configuration, besides those of lines and cameras.
PLACES = ("hub", "protocol", "run_dir", "state_dir")

Name = Annotated[str, Field(pattern=_NAME)]


class UnitTable(Table):
    """A simulated device on a line: ``[lines.NAME.units.ID]``."""

    device: str = Field(description="What it is, as `lamppost simulate modbus --list` or `serial` names it.")
    name: Name = Field(description="What actions and checks call it; the same for no other unit.")
    seed: int | None = Field(None, description="Other values for another number.")
    turnaround_s: Seconds = Field(0.0, description="How long it takes to begin an answer.")
    set: dict[str, float] = Field({}, description="Quantities that are held at a value from the start.")
    faults: list[str] = Field([], description="Faults that it has from the start.")
    options: dict[str, Any] = Field({}, description="Options of the device, such as count of a generic one.")

    def make(self, unit_id: int, seed: int) -> Unit:
        """Return the Modbus device. Raises ValueError, TypeError, KeyError for what there is not."""
        own = seed * 1000 + unit_id if self.seed is None else self.seed
        made = device(self.device, unit_id, seed=own, **self.options)
        made.turnaround_s = self.turnaround_s
        self._prepare(made)
        return made

    def make_sensor(self, unit_id: int) -> Sensor:
        """Return the serial sensor. Raises ValueError, TypeError, KeyError for what there is not."""
        made = sensor(self.device, unit_id, **self.options)
        self._prepare(made)
        return made

    def _prepare(self, made: Unit | Sensor) -> None:
        for quantity, value in self.set.items():
            made.set(quantity, value)
        made.faults.add(*map(Fault.parse, self.faults))


class LineTable(Table):
    """A line: ``[lines.NAME]``."""

    kind: Literal["tcp", "rtu-tcp", "pty", "serial"] = Field(
        description="Modbus TCP, RTU over TCP, RTU on a serial port; or serial sensors that speak no Modbus."
    )
    baud: int = Field(9600, description="Speed of a serial line.")
    paced: bool = Field(default=False, description="Bytes take the time that they take at this speed.")
    units: dict[int, UnitTable] = Field(min_length=1, description="The devices on it, by unit id.")

    def make(self, unit_id: int, seed: int) -> Unit | Sensor:
        """Return a device of the line. Raises ValueError, TypeError, KeyError for what there is not."""
        table = self.units[unit_id]
        return table.make_sensor(unit_id) if self.kind == "serial" else table.make(unit_id, seed)


class AgentTable(Table):
    """The box: ``[agent]``. Its configuration is a whole lamppost.toml with placeholders."""

    config: str = Field("", description="The configuration itself.")
    config_file: str = Field("", description="Or the name of a file beside the scenario.")


class ExpectTable(Table):
    """One event message that must come: ``[[expect]]``."""

    kind: str = Field(description="Kind of the event.")
    phase: Literal["open", "update", "close"] = Field(description="Phase of the message.")
    device: str | None = Field(None, description="Its device; without it any.")
    zone: str | None = Field(None, description="Its zone; without it any.")
    rule: str | None = Field(None, description="Its rule; without it any.")
    after_s: Seconds = Field(description="Earliest time in the scenario at which it becomes true.")
    within_s: Seconds = Field(5.0, description="How much later it may be.")
    every_s: Period | None = Field(None, description="Again and again after so long, until the end.")

    @property
    def window(self) -> str:
        """The times between which it must become true, in words."""
        return f"{self.after_s:g}-{self.after_s + self.within_s:g} s"

    def __str__(self) -> str:
        return " ".join(filter(None, (self.phase, self.kind, self.device, self.zone)))


class TotalsTable(Table):
    """What the hub's account must say in the end: ``[expect_totals]``."""

    lost: int = Field(0, ge=0, description="Messages missing in sequences and not reported as dropped.")
    dropped: int = Field(0, ge=0, description="Messages that the box reports as dropped.")
    duplicates: int = Field(0, ge=0, description="Readings or event messages that came twice.")
    undecodable: int = Field(0, ge=0, description="Messages that cannot be read or break their schema.")
    events_first: bool = Field(
        default=False, description="After an outage, events that waited come before any telemetry."
    )


class CounterTable(Table):
    """A counter that steps at each read, so that a hole is a lost poll: ``[[counters]]``."""

    unit: Name = Field(description='Simulated unit: device = "generic", options = { step_s = 0, ... }.')
    device: str = Field(description="The device that reads it, in the agent's configuration.")
    quantity: str = Field(description="The quantity that holds its first register.")
    may_lose_s: Seconds = Field(
        0.0, description="Age of the oldest poll that a kill -9 may cost: telemetry_memory_s and a little."
    )


class Scenario(Table):
    """A whole file."""

    name: Name = Field(description="Its name.")
    description: str = Field("", description="What it shows, in a sentence.")
    duration_s: float = Field(gt=0, le=7 * 86400, description="How long it lasts.")
    seed: int = Field(1, description="Other values for another number.")
    soak: bool = Field(default=False, description="It runs for long: not in the usual tests.")
    drain_s: Seconds = Field(30.0, description="How long the spool may take to drain in the end.")
    agent: AgentTable
    lines: dict[Name, LineTable] = Field({}, description="The lines.")
    cameras: dict[Name, CameraSettings] = Field({}, description="The cameras.")
    at: list[SerializeAsAny[Action]] = Field([], description="What happens.")
    expect: list[ExpectTable] = Field([], description="The event messages that must come, and no others.")
    allow_other: bool = Field(default=False, description="Other event messages may come too.")
    expect_totals: TotalsTable = TotalsTable()
    counters: list[CounterTable] = Field([], description="Counters that must have no hole.")

    _folder: Path = PrivateAttr(default=Path())

    def found_in(self, folder: Path) -> Scenario:
        """Return the scenario, knowing the folder that its file is in."""
        self._folder = folder
        return self

    def steps(self) -> list[Action]:
        """Return what happens, in the order of time."""
        found = [
            action.model_copy(update={"at_s": at_s})
            for action in self.at
            for at_s in repeated(action.at_s, action.every_s, self.duration_s)
        ]
        return sorted(found, key=lambda action: action.at_s)

    def expected(self) -> list[ExpectTable]:
        """Return the event messages that must come, in the order of time."""
        found = [
            expect.model_copy(update={"after_s": after_s})
            for expect in self.expect
            for after_s in repeated(expect.after_s, expect.every_s, self.duration_s)
        ]
        return sorted(found, key=lambda expect: expect.after_s + expect.within_s)

    def units(self) -> dict[str, tuple[str, int, UnitTable]]:
        """Return the simulated units by name: line, unit id, table."""
        return {
            unit.name: (line_name, unit_id, unit)
            for line_name, line in self.lines.items()
            for unit_id, unit in line.units.items()
        }

    def config(self) -> str:
        """Return the agent's configuration with its placeholders. Raises OSError."""
        if self.agent.config_file:
            return (self._folder / self.agent.config_file).read_text(encoding="utf-8")
        return self.agent.config

    def problems(self) -> Iterator[str]:
        """Yield everything that does not fit together."""
        yield from self._unit_problems()
        for number, action in enumerate(self.at, 1):
            where = f"[[at]] entry {number} ({action.do} at {action.at_s:g} s)"
            if action.at_s > self.duration_s:
                yield f"{where}: the scenario lasts only {self.duration_s:g} s"
            yield from (f"{where}: {problem}" for problem in action.check(self))
        for number, expect in enumerate(self.expect, 1):
            if expect.after_s > self.duration_s:
                yield f"[[expect]] entry {number}: the scenario lasts only {self.duration_s:g} s"
        for number, counter in enumerate(self.counters, 1):
            if counter.unit not in self.units():
                yield f"[[counters]] entry {number}: {self.no_unit(counter.unit)}"
            elif self.lines[self.units()[counter.unit][0]].kind == "serial":
                yield f"[[counters]] entry {number}: {counter.unit} is a serial sensor, which counts no reads"
        yield from self._config_problems()

    def no_unit(self, name: str) -> str:
        """Return that there is no unit of this name, and which there are."""
        return f"no unit {name!r}; there are: {', '.join(self.units()) or 'none'}"

    def _unit_problems(self) -> Iterator[str]:
        seen: set[str] = set()
        for line_name, line in self.lines.items():
            for unit_id, unit in line.units.items():
                where = f"[lines.{line_name}.units.{unit_id}]"
                if unit.name in seen:
                    yield f"{where}: another unit has the name {unit.name!r}"
                seen.add(unit.name)
                try:
                    line.make(unit_id, self.seed)
                except (ValueError, TypeError, KeyError) as error:
                    yield f"{where}: {error}"

    def _config_problems(self) -> Iterator[str]:
        if bool(self.agent.config) == bool(self.agent.config_file):
            yield "[agent]: give either config or config_file"
            return
        try:
            text = self.config()
        except OSError as error:
            yield f"[agent] config_file: {error.filename}: {error.strerror}"
            return
        names = [*PLACES, *(f"lines.{name}" for name in self.lines)]
        for name in self.cameras:
            names += [f"cameras.{name}", *(f"cameras.{name}.zones.{zone}" for zone in ZONES)]
        known = dict.fromkeys(names, "")
        try:
            filled(text, known, 1.0)
        except ValueError as error:
            yield f"[agent] config: {error}"


def filled(config: str, places: dict[str, str], speed: float) -> str:
    """Return a configuration with its placeholders filled. Raises ValueError for an unknown one.

    ``@{s:5}`` is five seconds of the scenario in seconds of the clock, which differ at another speed.
    """

    def fill(match: re.Match[str]) -> str:
        word = match[1]
        if word.startswith("s:"):
            return f"{float(word[2:]) / speed:g}"
        if word not in places:
            raise ValueError(f"unknown placeholder {match[0]}; there are: {', '.join(places)}, s:SECONDS")
        return places[word]

    return _PLACEHOLDER.sub(fill, config)
