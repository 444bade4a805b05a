"""What can be done to simulated units and their lines in a scenario, by the word in ``do``."""
# ruff: noqa: D102 - each run does what its class says

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from lamppost.simulators.faults import Fault
from lamppost.simulators.modbus import PtyLine, TcpLine
from lamppost.simulators.scenarios.model import Name, Scenario
from lamppost.simulators.scenarios.stage import Stage
from lamppost.simulators.scenarios.step import Action, Seconds, action
from lamppost.simulators.serial import SerialLine


class UnitAction(Action):
    """Something done to a simulated unit."""

    unit: Name = Field(description="Name of the unit.")

    def check(self, scenario: Scenario) -> Iterator[str]:
        """Yield that there is no such unit."""
        if self.unit not in scenario.units():
            yield scenario.no_unit(self.unit)


@action("unit.fault")
class UnitFault(UnitAction):
    """Something goes wrong with its answers."""

    text = "{unit}: {fault}"

    fault: str = Field("no-answer", description="KIND[:PROBABILITY][,KEY=VALUE...], as in `simulate modbus`.")

    def check(self, scenario: Scenario) -> Iterator[str]:
        """Yield that there is no such unit or fault."""
        yield from super().check(scenario)
        try:
            Fault.parse(self.fault)
        except ValueError as error:
            yield str(error)

    async def run(self, stage: Stage) -> None:
        stage.units[self.unit].faults.add(Fault.parse(self.fault))


@action("unit.clear")
class UnitClear(UnitAction):
    """All its faults end."""

    text = "{unit} is well again"

    async def run(self, stage: Stage) -> None:
        stage.units[self.unit].faults.clear()


class QuantityAction(UnitAction):
    """Something done to a quantity of a unit."""

    quantity: str = Field(description="Name of the quantity.")

    def check(self, scenario: Scenario) -> Iterator[str]:
        """Yield that there is no such unit or quantity."""
        yield from super().check(scenario)
        if self.unit not in scenario.units():
            return
        line, unit_id, _ = scenario.units()[self.unit]
        try:
            scenario.lines[line].make(unit_id, scenario.seed).value(self.quantity)
        except KeyError as error:
            yield str(error)
        except (ValueError, TypeError):
            return  # the unit itself is wrong, which is told elsewhere


@action("set")
class Set(QuantityAction):
    """Hold a quantity at a value."""

    text = "{unit}: {quantity} is {to:g}"

    to: float

    async def run(self, stage: Stage) -> None:
        stage.units[self.unit].set(self.quantity, self.to)


@action("ramp")
class Ramp(QuantityAction):
    """Bring a quantity to a value slowly, and hold it there."""

    text = "{unit}: {quantity} goes to {to:g} within {over_s:g} s"

    to: float
    over_s: Seconds

    async def run(self, stage: Stage) -> None:
        stage.units[self.unit].ramp(self.quantity, self.to, self.over_s / stage.speed)


@action("freeze")
class Freeze(QuantityAction):
    """Hold a quantity where it is."""

    text = "{unit}: {quantity} is stuck"

    async def run(self, stage: Stage) -> None:
        stage.units[self.unit].freeze(self.quantity)


@action("release")
class Release(QuantityAction):
    """Let a quantity do what it does by itself."""

    text = "{unit}: {quantity} is free again"

    async def run(self, stage: Stage) -> None:
        stage.units[self.unit].release(self.quantity)


class LineAction(Action):
    """Something done to a whole line."""

    line: Name = Field(description="Name of the line.")

    def check(self, scenario: Scenario) -> Iterator[str]:
        """Yield that there is no such line."""
        if self.line not in scenario.lines:
            yield f"no line {self.line!r}; there are: {', '.join(scenario.lines) or 'none'}"


@action("line.unplug")
class LineUnplug(LineAction):
    """The serial port vanishes; the TCP port refuses."""

    text = "line {line} is unplugged"

    async def run(self, stage: Stage) -> None:
        line = stage.lines[self.line]
        if isinstance(line, PtyLine | SerialLine):
            line.unplug()
        elif isinstance(line, TcpLine):
            await line.close_port()


@action("line.plug")
class LinePlug(LineAction):
    """It is there again."""

    text = "line {line} is plugged in"

    async def run(self, stage: Stage) -> None:
        line = stage.lines[self.line]
        if isinstance(line, PtyLine | SerialLine):
            line.plug()
        elif isinstance(line, TcpLine):
            await line.open_port()


@action("line.fault")
class LineFault(LineAction):
    """Something goes wrong with all answers on it."""

    text = "line {line}: {fault}"

    fault: str = Field("no-answer", description="KIND[:PROBABILITY][,KEY=VALUE...], as in `simulate modbus`.")

    def check(self, scenario: Scenario) -> Iterator[str]:
        """Yield that there is no such line or fault."""
        yield from super().check(scenario)
        try:
            Fault.parse(self.fault)
        except ValueError as error:
            yield str(error)

    async def run(self, stage: Stage) -> None:
        stage.lines[self.line].faults.add(Fault.parse(self.fault))


@action("line.clear")
class LineClear(LineAction):
    """All its faults end."""

    text = "line {line} is well again"

    async def run(self, stage: Stage) -> None:
        stage.lines[self.line].faults.clear()
