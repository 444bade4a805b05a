"""Wait for a condition instead of the clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


class NeverTrueError(AssertionError):
    """The condition did not become true within its time."""


def _complain(condition: Callable[[], object], within_s: float, what: str) -> NeverTrueError:
    return NeverTrueError(f"{what or condition!r} did not become true within {within_s:g} s")


async def until(condition: Callable[[], object], within_s: float = 10.0, what: str = "") -> None:
    """Return as soon as ``condition()`` is true; fail after ``within_s`` seconds."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise _complain(condition, within_s, what)
        await asyncio.sleep(0.01)


def until_sync(condition: Callable[[], object], within_s: float = 10.0, what: str = "") -> None:
    """Do the same outside an event loop."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise _complain(condition, within_s, what)
        time.sleep(0.01)
