"""`lamppost simulate serial`: sensors that speak no Modbus, on a serial port of their own."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

import typer

from lamppost.simulators.console import Action, Console
from lamppost.simulators.faults import Fault, Kind
from lamppost.simulators.serial import (
    SENSORS,
    Sensor,
    SerialLine,
    UnknownSensorError,
    sensor,
    serve_serial,
)

HELP = """\
set [UNIT] QUANTITY VALUE        hold a quantity at a value
ramp [UNIT] QUANTITY TO SECONDS  bring it there slowly
release [UNIT] QUANTITY          let it go on by itself
fault KIND[:PROBABILITY][,KEY=VALUE...]   for example: fault noise-before:0.3
clear                            end all faults
unplug, plug                     the adapter is pulled; it comes back under the same name
quit
Without UNIT the first sensor is meant."""


def serial(
    kinds: Annotated[
        list[str] | None, typer.Option("--device", "-d", help="What to simulate; meters may be repeated.")
    ] = None,
    pty: Annotated[str, typer.Option(help="Put a link to the port here.")] = "./tty-sensor",
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="[UNIT:]QUANTITY=VALUE at the start.")
    ] = None,
    faults: Annotated[
        list[str] | None, typer.Option("--fault", "-f", help="KIND[:PROBABILITY][,KEY=VALUE...] on the line.")
    ] = None,
    check_speed: Annotated[
        bool, typer.Option("--check-speed", help="Give garbage to a port that was opened at another speed.")
    ] = False,
    show_list: Annotated[bool, typer.Option("--list", help="List the sensors and faults, and stop.")] = False,
) -> None:
    """Simulate serial sensors that speak no Modbus until Ctrl-C, and show what they measure.

    Meters are units 1, 2, ... and have 12 digits of that as address. Type `help` while it runs.

    Examples: `lamppost simulate serial -d a02yyuw --pty ./tty-gauge`, `lamppost simulate serial --list`.
    """
    if show_list:
        _list()
        return
    made = _made(kinds or [])
    for text in sets or []:
        _preset(made, text)
    try:
        armed = [Fault.parse(text) for text in faults or []]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from None
    try:
        asyncio.run(_serve(made, pty, armed, check_speed=check_speed))
    except OSError as error:
        raise typer.BadParameter(f"{pty}: {error.strerror}", param_hint="--pty") from None


def _list() -> None:
    print("sensors:")
    for name, kind in SENSORS.items():
        quantities = ", ".join(quantity for quantity, *_ in kind.quantities)
        print(f"  {name:18} {kind.baud:>6} 8{kind.parity}1  {kind.title}: {quantities}")
    print("faults:")
    for fault in Kind:
        print(f"  {fault}")


def _made(kinds: list[str]) -> list[Sensor]:
    if not kinds:
        raise typer.BadParameter(f"name at least one of: {', '.join(SENSORS)}", param_hint="--device")
    try:
        made = [sensor(kind, nth) for nth, kind in enumerate(kinds, 1)]
    except UnknownSensorError as error:
        raise typer.BadParameter(str(error), param_hint="--device") from None
    if len(made) > 1 and any(unit.kind.write is not None for unit in made):
        raise typer.BadParameter(
            "a sensor that speaks by itself has its line alone; only meters share one", param_hint="--device"
        )
    return made


def _unit(made: list[Sensor], text: str) -> Sensor:
    for unit in made:
        if not text or text == str(unit.id):
            return unit
    raise ValueError(f"no unit {text}; there are: {', '.join(str(unit.id) for unit in made)}")


def _preset(made: list[Sensor], text: str) -> None:
    where, _, value = text.partition("=")
    unit, _, quantity = where.rpartition(":")
    try:
        _unit(made, unit).set(quantity, float(value))
    except (ValueError, KeyError) as error:
        raise typer.BadParameter(
            f"{text!r}: {error}; expected [UNIT:]QUANTITY=VALUE", param_hint="--set"
        ) from None


async def _serve(made: list[Sensor], pty: str, faults: list[Fault], *, check_speed: bool) -> None:
    async with serve_serial(made, link=pty, check_speed=check_speed) as line:
        line.faults.add(*faults)
        print(f"serving {line.where()}", flush=True)
        await Console(_actions(line), HELP).run(lambda: _show(line))


def _show(line: SerialLine) -> None:
    for unit in line.units.values():
        values = "  ".join(
            f"{name} {value:.2f} {unit.state.points[name].unit}".rstrip()
            for name, value in unit.values().items()
        )
        print(
            f"{time.strftime('%H:%M:%S')} {unit.name} #{unit.id}: {values} | {unit.sent} frames", flush=True
        )


def _actions(line: SerialLine) -> dict[str, Action]:
    async def clear(_: list[str]) -> str:
        line.faults.clear()
        return "no faults"

    async def fault(words: list[str]) -> str:
        line.faults.add(Fault.parse(words[0] if words else ""))
        return "armed"

    async def unplug(_: list[str]) -> str:
        line.unplug()
        return "unplugged"

    async def plug(_: list[str]) -> str:
        line.plug()
        return f"plugged: {line.path}"

    return {**_values(line), "fault": fault, "clear": clear, "unplug": unplug, "plug": plug}


def _values(line: SerialLine) -> dict[str, Action]:
    made = list(line.units.values())

    def split(words: list[str], wanted: int) -> tuple[Sensor, list[str]]:
        if len(words) == wanted + 1:
            return _unit(made, words[0]), words[1:]
        if len(words) != wanted:
            raise ValueError("arguments are missing or too many")
        return made[0], words

    async def set_(words: list[str]) -> str:
        unit, (quantity, value) = split(words, 2)
        unit.set(quantity, float(value))
        return ""

    async def ramp(words: list[str]) -> str:
        unit, (quantity, to, over_s) = split(words, 3)
        unit.ramp(quantity, float(to), float(over_s))
        return ""

    async def release(words: list[str]) -> str:
        unit, (quantity,) = split(words, 1)
        unit.release(quantity)
        return ""

    return {"set": set_, "ramp": ramp, "release": release}
