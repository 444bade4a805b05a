"""`lamppost portal`: the page on the technician's phone or laptop."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Annotated

import typer

from lamppost.provisioning.cli.options import ConfigFile

LOOPBACK = "127.0.0.1"


def portal(
    config: ConfigFile,
    interface: Annotated[
        str,
        typer.Option(
            "--interface",
            "-i",
            metavar="NAME",
            help="Network interface to serve on, as wlan0; else this machine only.",
        ),
    ] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = 8480,
    idle_min: Annotated[
        float, typer.Option("--idle-min", min=0.01, max=720, help="Stop after so many minutes without use.")
    ] = 15.0,
) -> int:
    """Serve a page for phone or laptop: pictures, zones, readings, events, checks.

    By default only programs of this machine reach it. On a named interface it asks for a PIN, shown here as
    text and in a QR code, which is good for this run only. It stops by itself when nobody uses it.

    Examples: `lamppost portal`, `lamppost portal --interface wlan0`, `lamppost portal -i eth0 --idle-min 60`.
    """
    from lamppost.provisioning.portal.desk import Desk  # noqa: PLC0415 - `--help` needs none of it
    from lamppost.provisioning.portal.gate import Gate, new_pin  # noqa: PLC0415
    from lamppost.provisioning.portal.serve import listener, serve  # noqa: PLC0415

    address = _address(interface) if interface else LOOPBACK
    pin = new_pin() if interface else ""
    try:
        sock = listener(address, port)
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}; choose another --port", f"port {port}") from error
    url = f"http://{address}:{sock.getsockname()[1]}/"

    async def run() -> bool:
        desk = Desk(config, Gate(pin, time.monotonic) if pin else None)
        _show(url, pin)
        return await serve(desk, sock, idle_min * 60)

    with sock:
        if asyncio.run(run()):
            print(f"not used for {idle_min:g} min: stopped")
    return 0


def _show(url: str, pin: str) -> None:
    """Say how to come in."""
    if not pin:
        print(f"{url}  (this machine only; --interface NAME serves a phone; Ctrl-C ends)", flush=True)
        return
    import segno  # noqa: PLC0415 - with a PIN only

    print(f"{url}  PIN {pin}  (Ctrl-C ends)", flush=True)
    if sys.stdout.isatty():
        # The part behind # is never sent: no proxy or log sees the PIN.
        segno.make(f"{url}#{pin}", error="m").terminal(compact=True)


def _address(interface: str) -> str:
    """Return an interface's IPv4 address. Raises BadParameter that says which there are."""
    from lamppost.provisioning.scan.ports import addresses  # noqa: PLC0415

    found = addresses()
    if interface not in found:
        known = ", ".join(f"{name} ({address})" for name, address in found.items()) or "none"
        raise typer.BadParameter(
            f"no interface {interface!r} with an IPv4 address; there are {known}", param_hint="--interface"
        )
    return found[interface]
