"""What the tests of the uplink share: settings, a subscriber, a spool filled with numbered messages."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiomqtt

from lamppost.agent.spool import Draft, Lane, Spool
from lamppost.agent.uplink import Removed, Uplink
from lamppost.agent.wire import NodeId, encode_will

NODE = NodeId("site-1", "pole-1")


@dataclass(frozen=True)
class Hub:
    """Settings with shorter times than the configuration allows."""

    port: int
    host: str = "127.0.0.1"
    tls: bool = False
    protocol: Literal["5", "3.1.1"] = "5"
    encoding: Literal["cbor", "json"] = "json"
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    client_id: str | None = None
    keepalive_s: int = 2
    window: int = 20
    connect_timeout_s: float = 2.0
    backoff_s: float = 0.05
    backoff_max_s: float = 0.2


@dataclass(frozen=True)
class SpoolSettings:
    path: Path
    max_mb: float = 64
    alarms_mb: float = 16
    events_mb: float = 16
    evidence_mb: float = 16
    telemetry_mb: float = 32
    alarms_days: float = 90
    events_days: float = 30
    evidence_days: float = 14
    telemetry_days: float = 7
    commit_ms: float = 1


def drafts(lane: Lane, count: int, topic: str = "", size: int = 20) -> list[Draft]:
    topic = topic or ("telemetry/meter" if lane is Lane.TELEMETRY else "event/test")
    draft = Draft(lane, topic, "text/plain", lambda s, n: f"{s}:{int(lane)}:{n}".encode().ljust(size))
    return [draft] * count


@dataclass
class Ear:
    """A subscriber to everything. ``messages`` holds what came, in order."""

    messages: list[aiomqtt.Message] = field(default_factory=list)

    def under(self, prefix: str) -> list[aiomqtt.Message]:
        return [message for message in self.messages if message.topic.value.startswith(NODE.base + prefix)]

    def sequences(self) -> Counter[str]:
        """How often each message of the spool came."""
        messages = self.under("telemetry/") + self.under("event/")
        return Counter(bytes(message.payload).decode().strip() for message in messages)

    def heard(self, sequence: str) -> bool:
        return any(bytes(message.payload).decode().strip() == sequence for message in self.messages)


@contextlib.asynccontextmanager
async def ear(port: int, **options: Any) -> AsyncIterator[Ear]:
    listening = Ear()
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, **options) as client:
        await client.subscribe("lamppost/#", qos=1)

        async def listen() -> None:
            async for message in client.messages:
                listening.messages.append(message)

        task = asyncio.create_task(listen())
        try:
            yield listening
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await task


@contextlib.asynccontextmanager
async def running(hub: Hub, spool: Spool, removed: list[Removed] | None = None) -> AsyncIterator[Uplink]:
    """An uplink that runs until the end of the block; fails if it ended by itself."""
    uplink = Uplink(
        hub,
        NODE,
        spool,
        status=lambda state: encode_will(node=NODE, encoding="json").replace(b"offline", state.encode()),
        report=(removed if removed is not None else []).append,
    )
    task = asyncio.create_task(uplink.run())
    try:
        yield uplink
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
