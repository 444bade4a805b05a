"""Telemetry as it waits to be sent: poll by poll, without what the readings of a poll have in common.

A reading is 100 bytes, its place in a poll 8: what rides in memory should be small, and a poll is best
taken apart at once, while the processor still has it at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from lamppost.drivers.api import Quality, Reading, Value

_GOOD = Quality.GOOD  # looking it up in the enumeration costs more than comparing with it
_at = itemgetter(4)


class Poll(NamedTuple):
    """Readings of one device and one time. A value is None where the quality is bad."""

    at: datetime
    quantities: tuple[str, ...]
    units: tuple[str, ...]
    values: tuple[Value | None, ...]


def polls(readings: Sequence[Reading], like: Poll | None = None) -> list[Poll]:
    """Take readings apart. Polls of the same quantities share their names, also with the poll ``like``.

    Cheapest if all readings of a poll share one ``at`` object.
    """
    if readings[0].at is readings[-1].at and (poll := _poll(readings, like)):
        return [poll]
    found: list[Poll] = []
    for _, group in groupby(readings, _at):
        like = _poll(list(group), like)
        found += [like] if like else []
    return found


def _poll(readings: Sequence[Reading], like: Poll | None) -> Poll | None:
    """Return the poll that these readings are, None if their times differ."""
    _, quantities, values, units, ats, qualities = zip(*readings, strict=True)
    if ats.count(ats[0]) < len(ats):
        return None
    if qualities.count(_GOOD) < len(qualities):
        values = tuple([v if q is _GOOD else None for v, q in zip(values, qualities, strict=True)])
    if like is not None and quantities == like.quantities and units == like.units:
        quantities, units = like.quantities, like.units
    return Poll(ats[0], quantities, units, values)
