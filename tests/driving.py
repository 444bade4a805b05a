"""Run a driver in a test and see what it emits."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager


class Emitted:
    """An emit that remembers."""

    def __init__(self):
        self.polls = []
        self.faults = []

    def __call__(self, *samples):
        self.polls.append(samples)

    def fault(self, kind, detail):
        self.faults.append((kind, detail))

    @property
    def kinds(self):
        return [kind for kind, _ in self.faults]

    def newest(self):
        return {r.quantity: r.value for r in self.polls[-1]}

    def qualities(self):
        return {r.quantity: r.quality for r in self.polls[-1]}


@asynccontextmanager
async def running(driver):
    """Run a driver; what it emits; what it raises is raised at the end."""
    emitted = Emitted()
    task = asyncio.create_task(driver.run(emitted))
    emitted.task = task
    try:
        yield emitted
    finally:
        task.cancel()
        await asyncio.wait({task})
