"""A Modbus line for use by hand: what it shows each second and what can be typed to change it."""

from __future__ import annotations

import time
from collections import Counter

from lamppost.simulators.console import Action, Console
from lamppost.simulators.faults import Fault, Kind
from lamppost.simulators.modbus.line import ModbusLine
from lamppost.simulators.modbus.pty import PtyLine
from lamppost.simulators.modbus.server import TcpLine
from lamppost.simulators.modbus.unit import Unit

HELP = """\
set [UNIT] QUANTITY VALUE        hold a quantity at a value
ramp [UNIT] QUANTITY TO SECONDS  bring it there slowly
freeze|release [UNIT] QUANTITY   hold it where it is; let it go on
fault [UNIT] KIND[:PROBABILITY][,KEY=VALUE...]   for example: fault slow-answer:0.1,delay_s=2
clear                            end all faults
unplug, plug                     of a pty: the port vanishes and comes back
close, open, reset               of a TCP port: refuse connections; take them; reset those that are open
quit
Without UNIT a fault strikes the whole line; the others need UNIT where there are several."""


class Standalone:
    """Shows and changes one line."""

    def __init__(self, line: ModbusLine) -> None:
        self.line = line
        self._seen = dict.fromkeys(line.units, 0)

    async def run(self) -> None:
        """Serve until stopped."""
        actions: dict[str, Action] = {
            "set": self._set,
            "ramp": self._ramp,
            "freeze": self._freeze,
            "release": self._release,
            "fault": self._fault,
            "clear": self._clear,
            **self._port_actions(),
        }
        await Console(actions, HELP).run(self.show)

    def show(self) -> None:
        """Print a line for each unit: values, requests in all and since the last line."""
        for unit in self.line.units.values():
            new = unit.requests - self._seen[unit.id]
            self._seen[unit.id] = unit.requests
            print(f"{time.strftime('%H:%M:%S')} {self._describe(unit)} | {unit.requests} requests (+{new})")
        line = self.line
        struck: Counter[Kind] = sum((u.faults.struck for u in line.units.values()), line.faults.struck)
        if struck or line.collisions or line.bad_frames:
            faults = " ".join(f"{kind} {count}" for kind, count in sorted(struck.items()))
            print(
                f"         line: {line.collisions} collisions, {line.bad_frames} bad frames; faults: {faults}"
            )
        print(end="", flush=True)

    def _describe(self, unit: Unit) -> str:
        values = "  ".join(
            f"{name} {value:.2f}{' ' if unit.state.points[name].unit else ''}{unit.state.points[name].unit}"
            for name, value in unit.values().items()
        )
        return f"{unit.name} #{unit.id}: {values or 'registers'}"

    def _unit(self, words: list[str], wanted: int) -> tuple[Unit, list[str]]:
        """Split off the unit, which may be left out where there is only one."""
        if len(words) == wanted + 1:
            unit = self.line.units.get(int(words[0]))
            if unit is None:
                raise ValueError(f"no unit {words[0]}; there are: {', '.join(map(str, self.line.units))}")
            return unit, words[1:]
        if len(words) != wanted or len(self.line.units) != 1:
            raise ValueError("arguments are missing or too many")
        return next(iter(self.line.units.values())), words

    async def _set(self, words: list[str]) -> str:
        unit, (quantity, value) = self._unit(words, 2)
        unit.set(quantity, float(value))
        return ""

    async def _ramp(self, words: list[str]) -> str:
        unit, (quantity, to, over_s) = self._unit(words, 3)
        unit.ramp(quantity, float(to), float(over_s))
        return ""

    async def _freeze(self, words: list[str]) -> str:
        unit, (quantity,) = self._unit(words, 1)
        unit.freeze(quantity)
        return ""

    async def _release(self, words: list[str]) -> str:
        unit, (quantity,) = self._unit(words, 1)
        unit.release(quantity)
        return ""

    async def _fault(self, words: list[str]) -> str:
        fault = Fault.parse(words[-1]) if words else Fault.parse("")
        faults = self.line.faults if len(words) == 1 else self._unit(words, 1)[0].faults
        faults.add(fault)
        return f"armed: {fault}"

    async def _clear(self, words: list[str]) -> str:  # noqa: ARG002
        for faults in (self.line.faults, *(unit.faults for unit in self.line.units.values())):
            faults.clear()
        return "no faults"

    def _port_actions(self) -> dict[str, Action]:
        """Return what can be done to the port of this kind of line."""
        line = self.line

        async def unplug(_: list[str]) -> str:
            assert isinstance(line, PtyLine)
            line.unplug()
            return "unplugged"

        async def plug(_: list[str]) -> str:
            assert isinstance(line, PtyLine)
            line.plug()
            return f"plugged: {line.path}"

        async def close(_: list[str]) -> str:
            assert isinstance(line, TcpLine)
            await line.close_port()
            return "closed"

        async def open_(_: list[str]) -> str:
            assert isinstance(line, TcpLine)
            await line.open_port()
            return f"open: {line.host}:{line.port}"

        async def reset(_: list[str]) -> str:
            assert isinstance(line, TcpLine)
            line.reset_connections()
            return "reset"

        if isinstance(line, PtyLine):
            return {"unplug": unplug, "plug": plug}
        return {"close": close, "open": open_, "reset": reset}
