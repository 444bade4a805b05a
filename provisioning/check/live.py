"""Reading a device once without an agent."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from lamppost.drivers.api import Driver, Quality, Reading, Sample

#: What comes so soon after the first readings belongs to the same poll.
_SETTLE_S = 0.2


class _First:
    """An emit that keeps the newest reading of each quantity, and tells of the first."""

    def __init__(self) -> None:
        self.readings: dict[str, Any] = {}
        self.faults: dict[str, str] = {}
        self.came = asyncio.Event()

    def __call__(self, *samples: Sample) -> None:
        for r in samples:
            if isinstance(r, Reading):
                quality = "good" if r.quality is Quality.GOOD else "bad"
                at = r.at.isoformat(timespec="milliseconds")
                self.readings[r.quantity] = {"value": r.value, "unit": r.unit, "at": at, "quality": quality}
        self.came.set()

    def fault(self, kind: str, detail: str) -> None:
        self.faults[kind] = detail


async def sampled(driver: Driver) -> dict[str, Any]:
    """Run a driver until it has delivered; return its readings as the run directory has them.

    Raises DriverError. Waits as long as it takes: give it a timeout.
    """
    seen = _First()
    running = asyncio.ensure_future(driver.run(seen))
    waiting = asyncio.ensure_future(seen.came.wait())
    try:
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            await asyncio.wait({running}, timeout=_SETTLE_S)
        if running.done() and not seen.readings:
            await running
        return seen.readings
    finally:
        waiting.cancel()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await running
