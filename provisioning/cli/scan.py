"""`lamppost scan`: what hangs on this box."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from lamppost.agent.config import ConfigError
from lamppost.drivers.api import DriverError, SharesLine
from lamppost.provisioning.cli.commissioning_texts import TEXTS as _TEXTS  # noqa: F401 - makes them known
from lamppost.provisioning.cli.options import ConfigFile
from lamppost.provisioning.edit import editing
from lamppost.provisioning.running import running
from lamppost.provisioning.scan import (
    Found,
    discover,
    local_hosts,
    scan_cameras,
    scan_port,
    scan_tcp,
    serial_ports,
    usb_cameras,
)
from lamppost.provisioning.scan.modbus import SETTINGS
from lamppost.provisioning.service_env import load_as_service
from lamppost.provisioning.words import say

Pairs: TypeAlias = Sequence[tuple[int, str]]
_SPEED = re.compile(r"(\d{2,7})(?:[:/ ]?8?([NEO])1?)?", re.IGNORECASE)
#: Of a port so much is shown while it is asked.
_PORT_SHOWN = 40


def scan(
    config: ConfigFile,
    ports: Annotated[
        list[str] | None,
        typer.Option("--port", help="Serial port; again for more. All are scanned otherwise."),
    ] = None,
    units: Annotated[str, typer.Option(help="Modbus units: 1-32, or 1,3,17.")] = "1-32",
    speeds: Annotated[
        str | None, typer.Option(help="Speeds of Modbus lines, as 9600N,2400E; common ones otherwise.")
    ] = None,
    serial: Annotated[bool, typer.Option("--serial/--no-serial", help="Scan serial ports.")] = True,
    tcp: Annotated[
        bool, typer.Option("--tcp/--no-tcp", help="Look for Modbus TCP in the own networks.")
    ] = True,
    subnet: Annotated[
        str | None, typer.Option(metavar="NETWORK", help="Private network for Modbus TCP, as 192.168.1.0/24.")
    ] = None,
    tcp_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of Modbus TCP.")] = 502,
    cameras: Annotated[
        bool, typer.Option("--cameras/--no-cameras", help="Look for cameras: USB, ONVIF.")
    ] = True,
    camera_hosts: Annotated[
        list[str] | None,
        typer.Option("--camera-host", metavar="HOST", help="Ask this host for RTSP; again for more."),
    ] = None,
    add: Annotated[bool, typer.Option("--add", help="Add what is found for sure, without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as one JSON array.")] = False,
) -> int:
    """Look for devices: Modbus units, sensors that speak, meters, Modbus TCP, cameras. Only reads.

    A line that the running agent uses is left alone. Offers to add what it found. Exit code 1 if nothing was.
    Ctrl-C ends the search, not the offer: what was found until then can be added; exit code 130.

    Examples: `lamppost scan`, `lamppost scan --port /dev/serial/by-id/NAME --speeds 9600N --units 1-247`,
    `lamppost scan --no-serial --subnet 192.168.1.0/24 --add`.
    """
    wanted = _units(units)
    pairs = _speeds(speeds) if speeds else SETTINGS
    try:
        hosts = local_hosts(subnet) if tcp else []
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--subnet") from None
    paths = (ports or [port.path for port in serial_ports()]) if serial else []
    held = _held(config)
    shown = _Shown(quiet=as_json)

    free = [path for path in paths if not _is_held(path, held)]
    stopped = False
    try:
        asyncio.run(_everything(free, pairs, wanted, hosts, tcp_port, shown))
        if cameras or camera_hosts:
            asyncio.run(_cameras(camera_hosts or [], shown, everywhere=cameras))
    except KeyboardInterrupt:
        stopped = True
    shown.clear()
    found = shown.all
    if stopped:
        print(say("scan.stopped", count=len(found)), file=sys.stderr)
    elif not found and not as_json:
        print(say("scan.nothing", ports=len(free), hosts=len(hosts)))
    added: dict[str, str] = {}
    try:
        # Who stops a scan has not seen all of it: nothing is added then without being asked.
        ask = sys.stdin.isatty() and not as_json
        _offer(config, found, added, add=add and not stopped, ask=ask, quiet=as_json)
    finally:
        if as_json:
            told = [{**one.as_json(), "added": added.get(one.where)} for one in found]
            print(json.dumps(told, indent=2, ensure_ascii=False))
    return 130 if stopped else 0 if found else 1


def _is_held(path: str, held: set[str]) -> bool:
    if path in held or str(Path(path).resolve()) in held:
        print(say("scan.used", path=path), file=sys.stderr)
        return True
    return False


async def _everything(
    paths: list[str], pairs: Pairs, units: list[int], hosts: list[str], tcp_port: int, shown: _Shown
) -> None:
    for path in paths:
        try:
            async for one in scan_port(path, pairs, units, partial(shown.at, path)):
                shown.found(one)
        except DriverError as error:
            shown.clear()
            print(f"lamppost: {error}", file=sys.stderr)
    if hosts:
        async for one in scan_tcp(hosts, port=tcp_port, progress=shown.progress):
            shown.found(one)


async def _cameras(named: list[str], shown: _Shown, *, everywhere: bool) -> None:
    for one in usb_cameras() if everywhere else ():
        shown.found(one)
    says: dict[str, str] = {}
    if everywhere:
        shown.progress("ONVIF cameras", 0.0)
        says = await discover()
    async for one in scan_cameras(list(dict.fromkeys([*named, *says])), progress=shown.progress):
        maker = says.get(one.where.removeprefix("rtsp://").partition("/")[0], "")
        shown.found(one._replace(evidence=f"{one.evidence}; {maker}".removesuffix("; ")))


class _Shown:
    """What was found, and the progress on a terminal, in one line; nothing where nobody looks."""

    def __init__(self, *, quiet: bool) -> None:
        self.all: list[Found] = []
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._any = False

    def progress(self, text: str, done: float) -> None:
        """Show what is being asked."""
        if self._live:
            bar = "#" * round(20 * done)
            print(f"\r\033[K[{bar:20}] {text[:90]}", end="", file=sys.stderr, flush=True)
            self._any = True

    def at(self, path: str, text: str, done: float) -> None:
        """Show what is being asked at a port; of a long name its end, so that the rest is seen, too."""
        shown = path if len(path) <= _PORT_SHOWN else f"...{path[3 - _PORT_SHOWN :]}"
        self.progress(f"{shown}: {text}", done)

    def clear(self) -> None:
        """Take the line away."""
        if self._any:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
            self._any = False

    def found(self, one: Found) -> None:
        """Keep a device, and print it."""
        self.all.append(one)
        self.clear()
        if not self._quiet:
            profile = one.settings.get("profile") or one.settings["driver"]
            print(f"{one.where}: {profile}{'' if one.sure else ' ?'}  ({one.evidence})", flush=True)


def _offer(
    config: Path, found: list[Found], added: dict[str, str], *, add: bool, ask: bool, quiet: bool
) -> None:
    """Add what was found: all that is sure, or what the technician says yes to; ``added`` gets the names."""
    if not found or not (add or ask):
        return
    taken = _taken(config)
    for one in found:
        if not one.complete or (add and not one.sure):
            continue
        name = _free(one.name, taken)
        if not add and not typer.confirm(
            f"Add {one.where} as {name} ({one.settings.get('profile')})", default=one.sure
        ):
            continue
        with editing(config) as change:
            change.add_device(name, one.settings, f"found by scan: {one.evidence}")
        taken.add(name)
        added[one.where] = name
        if not quiet:
            print(say("scan.added", file=config, name=name))


def _taken(config: Path) -> set[str]:
    return set(load_as_service(config).devices)


def _free(name: str, taken: set[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free


def _held(config: Path) -> set[str]:
    """Return the serial ports that a running agent uses."""
    try:
        settings = load_as_service(config)
    except ConfigError:
        return set()
    if not running(settings.node.run_dir):
        return set()
    lines = [
        one.driver.connection().line
        for one in settings.devices.values()
        if isinstance(one.driver, SharesLine)
    ]
    return {form for line in lines if line.startswith("/") for form in (line, str(Path(line).resolve()))}


def _units(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        low, dash, high = part.strip().partition("-")
        if not low.isdecimal() or (dash and not high.isdecimal()):
            raise typer.BadParameter(f"{text!r}: expected 1-32, or 1,3,17", param_hint="--units")
        found += range(int(low), int(high or low) + 1)
    if not found or not all(1 <= unit <= 247 for unit in found):
        raise typer.BadParameter(f"{text!r}: a serial line has units 1 to 247", param_hint="--units")
    return found


def _speeds(text: str) -> list[tuple[int, str]]:
    found = []
    for part in text.split(","):
        match = _SPEED.fullmatch(part.strip())
        if match is None:
            raise typer.BadParameter(
                f"{part!r}: expected a speed as 9600, 9600N or 2400E", param_hint="--speeds"
            )
        parities = [match[2].upper()] if match[2] else ["N", "E"]
        found += [(int(match[1]), parity) for parity in parities]
    return found
