"""The running devices: one supervised task each, started, stopped and exchanged singly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lamppost.agent.channel import Channel
from lamppost.agent.health import DeviceHealth
from lamppost.agent.supervisor import EXIT_GRACE_S, supervise
from lamppost.drivers.api import Sample

if TYPE_CHECKING:
    from lamppost.agent.config import DeviceConfig


@dataclass(slots=True)
class Running:
    """One device that runs."""

    config: DeviceConfig
    health: DeviceHealth
    channel: Channel
    task: asyncio.Task[None]


class Devices:
    """All devices of the box. One that changes or fails does not touch the others."""

    def __init__(
        self,
        make_channel: Callable[[DeviceConfig], Channel],
        now: Callable[[], datetime],
        on_change: Callable[[], None],
        stamp: Callable[[Sequence[Sample]], Sequence[Sample]],
    ) -> None:
        self._now = now
        self._make_channel = make_channel
        self._on_change = on_change
        self._stamp = stamp
        self._running: dict[str, Running] = {}

    def __getitem__(self, name: str) -> Running:
        return self._running[name]

    def all(self) -> Mapping[str, Running]:
        """Return the running devices by name."""
        return self._running

    def start(self, config: DeviceConfig) -> Running:
        """Begin to run a device."""
        channel = self._make_channel(config)
        health = DeviceHealth(config.name, self._now)
        task = asyncio.create_task(
            supervise(config, channel.take, health, on_change=self._on_change, stamp=self._stamp),
            name=f"supervise {config.name}",
        )
        self._running[config.name] = Running(config, health, channel, task)
        return self._running[config.name]

    async def stop(self, *names: str) -> None:
        """Stop these devices and forget them."""
        await self._end([self._running.pop(name).task for name in names])

    async def stop_all(self) -> None:
        """Stop every device; how they were can still be read."""
        await self._end([running.task for running in self._running.values()])

    async def _end(self, gone: list[asyncio.Task[None]]) -> None:
        """Cancel all at the same time; wait no longer than the supervisor's grace."""
        for task in gone:
            task.cancel()
        if gone:
            await asyncio.wait(gone, timeout=EXIT_GRACE_S + 0.5)
