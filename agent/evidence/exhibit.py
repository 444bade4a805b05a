"""The pictures of one event on their way into the spool, some of which may still be drawn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

from lamppost.agent.event import Event, Missing, Picture

#: In the order of their numbers, which count from 1.
MOMENTS = ("arrival", "half-way", "alarm")


class Print(NamedTuple):
    """A finished picture. ``at`` is when it was taken, ``sha256`` that of the JPEG."""

    moment: str
    at: datetime
    jpeg: bytes
    sha256: str


Work: TypeAlias = "Future[Print | str]"


@dataclass(eq=False)
class Taken:
    """A picture that was taken. Its work gives the print, or the reason in words why there is none.

    ``moved_s``: the box's clock was found to be so much behind when it was taken.
    """

    moment: str
    work: Work
    moved_s: float = 0.0
    kept: bool = False

    @property
    def print(self) -> Print | None:
        """The print, once it is there."""
        result = self.work.result() if self.work.done() else None
        return result if isinstance(result, Print) else None


class Exhibit:
    """What belongs to one open event: for each moment a picture, or the reason why there is none."""

    def __init__(self, wanted: Sequence[Taken | Missing], stored: Callable[[], None]) -> None:
        self._wanted = wanted
        #: To be called when event and pictures are safe.
        self.stored = stored

    def _unfinished(self) -> list[Work]:
        return [one.work for one in self._wanted if isinstance(one, Taken) and not one.work.done()]

    async def ready(self, within_s: float) -> None:
        """Wait until all is drawn, but not longer. May be called again; cancelling costs nothing."""
        if left := self._unfinished():
            await asyncio.wait([asyncio.wrap_future(work) for work in left], timeout=within_s)

    def wait(self, within_s: float) -> None:
        """Wait as `ready` does, without an event loop."""
        wait_for(self._unfinished(), within_s)

    def complete(self, event: Event) -> tuple[Event, list[tuple[int, bytes]]]:
        """Return the event as it names its pictures, and (number, JPEG) of each."""
        pictures: list[Picture] = []
        jpegs: list[tuple[int, bytes]] = []
        missing: list[Missing] = []
        for one in self._wanted:
            if isinstance(one, Missing):
                missing.append(one)
                continue
            number = MOMENTS.index(one.moment) + 1
            made = one.work.result() if one.work.done() else "it was not drawn in time"
            if isinstance(made, str):
                missing.append(Missing(number, one.moment, made))
                continue
            at = made.at + timedelta(seconds=one.moved_s)
            pictures.append(Picture(number, made.sha256, at, made.moment, len(made.jpeg)))
            jpegs.append((number, made.jpeg))
        return replace(event, evidence=tuple(pictures), missing=tuple(missing)), jpegs
