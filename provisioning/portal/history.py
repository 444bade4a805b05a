"""The readings of the last minutes, for the page's lines."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from lamppost.agent.config import Config
from lamppost.provisioning.check.bench import Bench
from lamppost.provisioning.check.devices import line_of, newest

EVERY_S: Final = 2.0
#: Readings of a quantity that are kept, and quantities of a device that are followed.
KEPT, MOST = 150, 64


class History:
    """What devices said: the agent's newest readings, or our own where none runs."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._values: dict[tuple[str, str], deque[tuple[float, float]]] = defaultdict(
            lambda: deque(maxlen=KEPT)
        )
        #: Newest readings by device, as the run directory has them.
        self.newest: dict[str, dict[str, Any]] = {}

    async def run(self) -> None:
        """Follow all devices, until cancelled."""
        while True:
            config = self._config()
            bench = Bench.of(config)
            lines: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
            wanted = [device for device in config.devices.values() if device.enabled]
            found = await asyncio.gather(*(newest(bench, d, lines[line_of(d)]) for d in wanted))
            for device, readings in zip(wanted, found, strict=True):
                if readings or bench.status is not None:
                    self.newest[device.name] = readings
                self._keep(device.name, readings)
            for gone in self.newest.keys() - {device.name for device in wanted}:
                del self.newest[gone]
            await asyncio.sleep(EVERY_S)

    def _keep(self, device: str, readings: dict[str, Any]) -> None:
        for quantity, reading in list(readings.items())[:MOST]:
            value = reading["value"]
            if isinstance(value, bool | str) or value is None:
                continue
            at = datetime.fromisoformat(reading["at"]).timestamp()
            values = self._values[device, quantity]
            if not values or values[-1][0] != at:
                values.append((at, value))

    def of(self, device: str) -> dict[str, list[tuple[float, float]]]:
        """Return (unix seconds, value) of each quantity of a device, the oldest first."""
        return {quantity: list(values) for (name, quantity), values in self._values.items() if name == device}
