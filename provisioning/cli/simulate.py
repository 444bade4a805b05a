"""`lamppost simulate`: street hardware and a bad link on this machine, to try things by hand."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

import typer

from lamppost.provisioning.cli.simulate_camera import camera
from lamppost.provisioning.cli.simulate_est import est
from lamppost.provisioning.cli.simulate_hub import hub
from lamppost.provisioning.cli.simulate_scenario import scenario
from lamppost.provisioning.cli.simulate_serial import serial
from lamppost.simulators.console import Action, Console
from lamppost.simulators.link import Link
from lamppost.simulators.modbus import (
    Fault,
    Kind,
    ModbusLine,
    Unit,
    UnknownDeviceError,
    device,
    names,
    serve_rtu_pty,
    serve_rtu_tcp,
    serve_tcp,
)
from lamppost.simulators.modbus.devices import PRODUCTS
from lamppost.simulators.modbus.standalone import Standalone

app = typer.Typer(no_args_is_help=True)
app.command()(camera)
app.command()(est)
app.command()(hub)
app.command()(scenario)
app.command()(serial)


@app.callback()
def simulate() -> None:
    """Simulate meters, serial sensors, a camera, a hub, an office for certificates or a bad link."""


@app.command()
def modbus(
    kinds: Annotated[
        list[str] | None, typer.Option("--device", "-d", help="What to simulate; may be repeated.")
    ] = None,
    units: Annotated[
        list[int] | None, typer.Option("--unit", "-u", help="Its unit id, in the order of the devices.")
    ] = None,
    tcp: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Serve Modbus TCP on this port; 0 takes a free one.")
    ] = None,
    rtu_tcp: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Serve RTU frames over TCP on this port.")
    ] = None,
    pty: Annotated[str | None, typer.Option(help="Serve RTU on a pty and put a link to it here.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    baud: Annotated[int, typer.Option(help="Speed of the serial line, for --paced.")] = 9600,
    paced: Annotated[bool, typer.Option("--paced", help="Let bytes take the time of a serial line.")] = False,
    faults: Annotated[
        list[str] | None,
        typer.Option("--fault", "-f", help="KIND[:PROBABILITY][,KEY=VALUE...] on the whole line."),
    ] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="[UNIT:]QUANTITY=VALUE at the start.")
    ] = None,
    count: Annotated[int, typer.Option(help="Registers of each generic device.")] = 50,
    seed: Annotated[int | None, typer.Option(help="Other values for another number.")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the devices and faults, and stop.")] = False,
) -> None:
    """Simulate Modbus devices on one line until Ctrl-C, and show what they measure.

    Type `help` while it runs: values and faults can be changed.

    Examples: `lamppost simulate modbus -d eastron-sdm120 --tcp 5020`, `lamppost simulate modbus --list`.
    """
    if show_list:
        _list()
        return
    made = _make(kinds or [], units or [], count, seed)
    for text in sets or []:
        _preset(made, text)
    serving = _serving(made, host, tcp, rtu_tcp, pty, baud, paced)
    armed = [_fault(text) for text in faults or []]
    asyncio.run(_serve_modbus(serving, armed))


def _list() -> None:
    print("devices:")
    for name, product in PRODUCTS.items():
        print(f"  {name:20} unit {product.unit:<4} {product.baud:>6} baud  {product.title}")
    print(f"  {'generic':20} --count registers that change every second")
    print("faults:")
    for kind in Kind:
        print(f"  {kind}")


def _make(kinds: list[str], ids: list[int], count: int, seed: int | None) -> list[Unit]:
    if not kinds:
        raise typer.BadParameter(f"name at least one of: {', '.join(names())}", param_hint="--device")
    if len(ids) > len(kinds):
        raise typer.BadParameter("there are more units than devices", param_hint="--unit")
    made: list[Unit] = []
    for nth, kind in enumerate(kinds):
        options: dict[str, Any] = {"count": count} if kind == "generic" else {}
        try:
            made.append(device(kind, ids[nth] if nth < len(ids) else None, seed=seed, **options))
        except UnknownDeviceError as error:
            raise typer.BadParameter(str(error), param_hint="--device") from None
    if len({unit.id for unit in made}) < len(made):
        found = ", ".join(str(unit.id) for unit in made)
        raise typer.BadParameter(f"two devices have the same unit ({found})", param_hint="--unit")
    return made


def _preset(made: list[Unit], text: str) -> None:
    where, _, value = text.partition("=")
    unit_id, colon, quantity = where.rpartition(":")
    try:
        unit = made[0] if not colon else next(u for u in made if u.id == int(unit_id))
        unit.set(quantity, float(value))
    except (ValueError, LookupError, StopIteration) as error:
        raise typer.BadParameter(
            f"{text!r}: {error or 'no such unit'}; expected [UNIT:]QUANTITY=VALUE", param_hint="--set"
        ) from None


def _fault(text: str) -> Fault:
    try:
        return Fault.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from None


def _serving(
    made: list[Unit], host: str, tcp: int | None, rtu_tcp: int | None, pty: str | None, baud: int, paced: bool
) -> AbstractAsyncContextManager[ModbusLine]:
    if sum(port is not None for port in (tcp, rtu_tcp, pty)) != 1:
        raise typer.BadParameter("give one of --tcp PORT, --rtu-tcp PORT, --pty PATH", param_hint="--tcp")
    if tcp is not None:
        return serve_tcp(made, host, tcp)
    if rtu_tcp is not None:
        return serve_rtu_tcp(made, host, rtu_tcp, baud=baud if paced else None)
    return serve_rtu_pty(made, baud=baud, paced=paced, link=pty)


async def _serve_modbus(serving: AbstractAsyncContextManager[ModbusLine], faults: list[Fault]) -> None:
    async with serving as line:
        line.faults.add(*faults)
        print(f"serving {line.where()}", flush=True)
        await Standalone(line).run()


LINK_HELP = """\
cut                              end all connections and refuse new ones
stall                            keep connections open and let nothing pass
slow BYTES_PER_S [DELAY_S]       pass little, and late
restore                          let everything pass
reset                            end the open connections
quit"""


@app.command()
def link(
    to: Annotated[str, typer.Option(help="HOST:PORT that the link leads to.")],
    listen: Annotated[
        int, typer.Option(min=0, max=65535, help="Port for the near end; 0 takes a free one.")
    ] = 0,
) -> None:
    """Simulate a TCP link that can be cut, stalled and slowed by typed commands, until Ctrl-C.

    Example: `lamppost simulate link --to 127.0.0.1:1883 --listen 1884`.
    """
    host, _, port = to.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise typer.BadParameter(f"{to!r} is no HOST:PORT", param_hint="--to")
    asyncio.run(_serve_link(Link(host.strip("[]"), int(port), listen)))


async def _serve_link(near: Link) -> None:
    async def cut(_: list[str]) -> str:
        await near.cut()
        return "cut"

    async def stall(_: list[str]) -> str:
        near.stall()
        return "stalled"

    async def restore(_: list[str]) -> str:
        await near.restore()
        return "up"

    async def reset(_: list[str]) -> str:
        await near.reset()
        return "reset"

    async def slow(words: list[str]) -> str:
        if not words or len(words) > 2:
            raise ValueError("slow takes BYTES_PER_S [DELAY_S]")
        near.slow(float(words[0]), *map(float, words[1:]))
        return "slow"

    shown = ""

    def show() -> None:
        nonlocal shown
        line = (
            f"{near.state}: {near.connections} connections, "
            f"{near.sent_bytes} bytes up, {near.received_bytes} bytes down"
        )
        if line != shown:
            print(line, flush=True)
            shown = line

    actions: dict[str, Action] = {
        "cut": cut,
        "stall": stall,
        "restore": restore,
        "reset": reset,
        "slow": slow,
    }
    async with near:
        print(f"link {near.host}:{near.port} -> {near.upstream[0]}:{near.upstream[1]}", flush=True)
        await Console(actions, LINK_HELP).run(show)
