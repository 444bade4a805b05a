"""Configurations of small boxes, and a hub that takes JSON, for tests with a whole agent."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress

import aiomqtt


def device(name: str, port: int, unit: int = 1, **more: object) -> str:
    settings = {
        "driver": "modbus",
        "url": f"tcp://127.0.0.1:{port}",
        "unit": unit,
        "every_s": 0.1,
        "timeout_s": 0.3,
        **more,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    return "\n".join([f"[devices.{name}]", *lines, "registers.level = { address = 0 }", ""])


def hub(port: int) -> str:
    return (
        f'[hub]\nurl = "mqtt://127.0.0.1:{port}"\nencoding = "json"\ncompress = "none"\nbackoff_max_s = 1\n'
        "[spool]\ntelemetry_memory_s = 0.2\n"
    )


RULE = """
[rules.high]
kind = "threshold"
device = "tank"
quantity = "level"
above = 100
event = "water.high"
"""


@asynccontextmanager
async def listening(port: int):
    """Collect (topic, decoded payload) of all that the hub gets."""
    got: list[tuple[str, dict]] = []
    ready = asyncio.Event()

    async def listen() -> None:
        async with aiomqtt.Client("127.0.0.1", port, identifier="test-hub") as client:
            await client.subscribe("lamppost/#", qos=1)
            ready.set()
            async for message in client.messages:
                got.append((str(message.topic), json.loads(message.payload)))  # noqa: PERF401 - as they come

    task = asyncio.create_task(listen())
    await asyncio.wait_for(ready.wait(), 10)
    try:
        yield got
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, aiomqtt.MqttError):
            await task


def events(got, kind=""):
    """Return the events, each once: a repeat after a kill carries the same id."""
    return list({p["id"]: p["data"] for t, p in got if f"/event/{kind}" in t}.values())


def phases(got, kind="water.high"):
    return [(event["phase"], event["revision"]) for event in events(got, kind)]
