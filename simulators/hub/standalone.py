"""A hub for use by hand and for measurements: prints what comes, and writes its totals to a file."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lamppost.simulators.hub.book import Book, Entry
from lamppost.simulators.hub.broker import Broker
from lamppost.simulators.hub.hub import Hub
from lamppost.simulators.hub.letters import TelemetryLetter
from lamppost.simulators.hub.words import as_json, line

REPORT_EVERY_S = 0.5


@dataclass(frozen=True)
class Settings:
    """What a person asks of a hub. ``broker`` is the URL of a running one; without it one is started."""

    broker: str = ""
    host: str = "127.0.0.1"
    port: int = 1883
    protocol: Literal["5", "3.1.1"] | None = None
    schemas: Path | None = None
    ca_file: Path | None = None
    report: Path | None = None
    json: bool = False
    quiet: bool = False


async def serve(settings: Settings) -> int:
    """Run until SIGINT or SIGTERM; return 1 if a message was lost, double or could not be read, else 0.

    Raises BrokerError, NeverHappenedError.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        url, protocol = settings.broker, settings.protocol
        if not url:
            broker = await stack.enter_async_context(Broker(host=settings.host, port=settings.port))
            url, protocol = broker.url, protocol or broker.protocol
        hub = await stack.enter_async_context(
            Hub(
                url,
                protocol=protocol or "5",
                schemas=settings.schemas,
                tell=_teller(settings),
                ca_file=settings.ca_file,
            )
        )
        _say(settings, f"hub at {url}; Ctrl-C ends it")
        await _until(stop, lambda: _write(settings.report, hub))
    _write(settings.report, hub)
    _say(settings, summary(hub.book))
    return 0 if sound(hub.book) else 1


async def _until(stop: asyncio.Event, now_and_then: Callable[[], None]) -> None:
    while not stop.is_set():
        now_and_then()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), REPORT_EVERY_S)


def _teller(settings: Settings) -> Callable[[Entry], None]:
    def tell(entry: Entry) -> None:
        if settings.quiet and isinstance(entry.letter, TelemetryLetter):
            return
        print(as_json(entry) if settings.json else line(entry), flush=True)

    return tell


def _say(settings: Settings, text: str) -> None:
    print(text, file=sys.stderr if settings.json else sys.stdout, flush=True)


def _write(path: Path | None, hub: Hub) -> None:
    """Replace the report, so that a reader sees the old or the new one and never half."""
    if path is None:
        return
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(json.dumps(report(hub)) + "\n", encoding="utf-8")
    fresh.replace(path)


def report(hub: Hub) -> dict[str, Any]:
    """Return the totals and states for a program."""
    nodes = {str(node): status.online for node, status in hub.book.nodes.items()}
    gaps = [f"{g.node} {g.stream}:{g.lane}:{g.first}-{g.last}" for g in hub.book.gaps()]
    bad = [f"{letter.topic}: {letter.reason}" for letter in hub.book.bad]
    return {
        "connected": hub.connected,
        **hub.book.totals().as_json(),
        "nodes": nodes,
        "missing": gaps[:100],
        "problems": bad[:100],
    }


def sound(book: Book) -> bool:
    """Whether nothing is lost, double or unreadable."""
    totals = book.totals()
    return not (totals.lost or totals.duplicates or totals.undecodable or totals.altered)


def summary(book: Book) -> str:
    """Return the totals as people read them."""
    t = book.totals()
    return (
        f"{t.messages} messages: {t.events} of events, {t.telemetry} of telemetry ({t.readings} readings), "
        f"{t.pictures} pictures ({t.matched} as their events say, {t.missing} missing); "
        f"{t.repeats} repeats removed; lost {t.lost}, duplicates {t.duplicates}, undecodable {t.undecodable}"
    )
