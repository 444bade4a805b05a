"""`lamppost simulate hub`."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import typer


def hub(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the broker that is started; 0 takes a free one.")
    ] = 1883,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    broker: Annotated[
        str, typer.Option(metavar="URL", help="Use a running broker: mqtt://user:word@host:1883.")
    ] = "",
    protocol: Annotated[Literal["5", "3.1.1"] | None, typer.Option(help="MQTT version.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="CA certificates for mqtts://.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write totals to this file, as JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for each message.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No lines for telemetry.")] = False,
) -> int:
    """Be the hub: read all that nodes send, show it, and count what is lost, double or unreadable.

    Exit code 1 if anything was.

    Examples: `lamppost simulate hub`, `lamppost simulate hub --broker mqtt://hub.example --json`.
    """
    from lamppost.simulators.hub.standalone import Settings, serve  # noqa: PLC0415 - MQTT for the hub only

    if broker and not _is_broker(broker):
        expected = "expected mqtt://host:1883 or mqtts://host:8883"
        raise typer.BadParameter(f"{broker!r} names no broker; {expected}", param_hint="--broker")
    settings = Settings(
        broker=broker,
        host=host,
        port=port,
        protocol=protocol,
        schemas=Path(str(files("lamppost.agent.schemas"))),
        ca_file=ca_file,
        report=report,
        json=as_json,
        quiet=quiet,
    )
    return asyncio.run(serve(settings))


def _is_broker(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("mqtt", "mqtts") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # no port, or no address
        return False
