"""Lines that several devices of one process share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar

from lamppost.drivers.api import DriverError


class Shareable(Protocol):
    """What devices may share: ``members`` counts them."""

    members: int

    def close(self) -> None:
        """Close it; nobody is left."""


L = TypeVar("L", bound=Shareable)


class Shared(Generic[L]):
    """The lines of one kind: the first device that joins makes one, the last that leaves closes it."""

    def __init__(self) -> None:
        self._lines: dict[tuple[asyncio.AbstractEventLoop, str], L] = {}

    @asynccontextmanager
    async def join(
        self, place: str, spoken: object, make: Callable[[], L], spoken_of: Callable[[L], object]
    ) -> AsyncIterator[L]:
        """Share the line at ``place`` with whoever uses it already.

        ``spoken`` is how this device wants it spoken to, ``spoken_of`` tells how it is. Raises DriverError if
        the two differ.
        """
        key = (asyncio.get_running_loop(), place)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = make()
        if spoken_of(line) != spoken:
            raise DriverError(
                f"{place} is already in use as {spoken_of(line)}; this device asks for {spoken}: "
                "all devices of one line need the same settings",
                retry=False,
            )
        line.members += 1
        try:
            yield line
        finally:
            line.members -= 1
            if not line.members:
                self._lines.pop(key, None)
                line.close()
