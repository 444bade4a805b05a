"""Figures of the disk store and the memory store together."""

from __future__ import annotations

from collections.abc import Sequence

from lamppost.agent.spool.model import Lane, LaneStats, SpoolStats
from lamppost.agent.spool.store import Store


def stats(stores: Sequence[Store], now: float) -> SpoolStats:
    """Return the figures per lane."""
    found = SpoolStats()
    for lane in Lane:
        found[lane.label] = _lane(stores, lane, now)
    return found


def losses(stores: Sequence[Store]) -> dict[str, tuple[int, int]]:
    """Return what was dropped, as (count, bytes) per ``lane.reason``."""
    return {
        f"{lane.label}.{reason}": lost for lane in Lane for reason, lost in _dropped(stores, lane).items()
    }


def _dropped(stores: Sequence[Store], lane: Lane) -> dict[str, tuple[int, int]]:
    dropped: dict[str, tuple[int, int]] = {}
    for store in stores:
        for reason, (count, size) in dict(store.tallies[lane].dropped).items():
            had_count, had_size = dropped.get(reason, (0, 0))
            dropped[reason] = (had_count + count, had_size + size)
    return dropped


def _lane(stores: Sequence[Store], lane: Lane, now: float) -> LaneStats:
    tallies = [store.tallies[lane] for store in stores]
    acknowledged = sum(store.acknowledged[lane].count for store in stores)
    depth = max(0, sum(tally.depth for tally in tallies) - acknowledged)
    oldest = [tally.oldest for tally in tallies if tally.oldest is not None]
    dropped = _dropped(stores, lane)
    return LaneStats(
        depth,
        sum(tally.bytes for tally in tallies),
        max(0.0, now - min(oldest)) if oldest and depth else None,
        sum(count for count, _ in dropped.values()),
        sum(size for _, size in dropped.values()),
        sum(tally.written for tally in tallies),
        dropped,
    )
