"""Making room: who goes when a lane or the whole spool is full, or a message too old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from lamppost.agent.spool.model import PLAUSIBLE, Lane
from lamppost.agent.spool.schema import PAGE, NoRoomError

if TYPE_CHECKING:
    from lamppost.agent.spool.store import Batch, Row, Store

SLACK = 32 * PAGE
"""Kept free of rows: the tables' inner pages, the figures, the rule states."""
CHUNK = 512
SIZE: Final = 2  # where a row keeps its bytes


def make(store: Store, incoming: Batch) -> dict[Lane, int]:
    """Drop stored or incoming rows until ``incoming`` fits into the limits; return its bytes per lane.

    First each lane is held within its own limit; then the lowest lane loses, its oldest first,
    and its incoming rows before anything of a higher lane. Raises `NoRoomError` on a full disk.
    """
    sizes = {lane: sum([row[SIZE] for row in rows]) for lane, rows in incoming.items()}
    for lane, rows in incoming.items():
        excess = store.tallies[lane].bytes + sizes[lane] - store.limits.lane_bytes[lane]
        if excess > 0:
            excess -= drop_oldest(store, lane, excess, store.reason)
            sizes[lane] -= _drop_incoming(store, lane, rows, excess, store.reason)
    if store.cap is not None:
        _make_on_full_disk(store, sizes, store.cap)
        return sizes
    if store.surely_fits(sum(sizes.values())):
        return sizes
    for lane in reversed(Lane):
        excess = _drop_stored(store, lane, sizes, store.limits.whole, store.reason)
        if excess <= 0:
            break
        if lane in incoming:
            sizes[lane] -= _drop_incoming(store, lane, incoming[lane], excess, store.reason)
    return sizes


def _make_on_full_disk(store: Store, sizes: Mapping[Lane, int], cap: int) -> None:
    """Drop telemetry, and what is lower than the highest incoming lane, if that is enough.

    It must not drop what comes in: memory can still hold that until the disk has room.
    """
    highest = min((lane for lane, size in sizes.items() if size), default=Lane.TELEMETRY)
    victims = [lane for lane in reversed(Lane) if lane is Lane.TELEMETRY or lane > highest]
    if _excess(store, sizes, cap) > sum(store.tallies[lane].bytes for lane in victims):
        raise NoRoomError("database or disk is full, and nothing of less importance is left to drop")
    for lane in victims:
        if _drop_stored(store, lane, sizes, cap, "disk") <= 0:
            return


def _drop_stored(store: Store, lane: Lane, sizes: Mapping[Lane, int], budget: int, reason: str) -> int:
    """Drop the oldest of a lane until all fits; return the bytes that are still too many."""
    while (excess := _excess(store, sizes, budget)) > 0 and store.tallies[lane].depth:
        drop_oldest(store, lane, excess, reason)
    return excess


def _excess(store: Store, sizes: Mapping[Lane, int], budget: int) -> int:
    return store.used() + store.slack + sum(sizes.values()) - budget


def drop_oldest(store: Store, lane: Lane, excess: int, reason: str) -> int:
    """Drop the oldest rows of a lane until ``excess`` bytes are gone; return the bytes that went."""
    freed = 0
    while freed < excess and (heads := store.heads(lane, CHUNK)):
        last = 0
        wanted = excess - freed
        for last, _, size in heads:  # noqa: B007
            wanted -= size
            if wanted <= 0:
                break
        count, size = store.delete(lane, heads[0][0], last)
        store.tallies[lane].drop(reason, count, size)
        freed += size
    store.find_oldest(lane)
    return freed


def _drop_incoming(store: Store, lane: Lane, rows: list[Row], excess: int, reason: str) -> int:
    """Drop rows that were not stored yet; their numbers stay used, so that the hub sees the gap."""
    gone = freed = 0
    while freed < excess and gone < len(rows):
        freed += rows[gone][SIZE]
        gone += 1
    del rows[:gone]
    if gone:
        store.tallies[lane].drop(reason, gone, freed)
    return freed


def drop_expired(store: Store, now: float) -> None:
    """Drop what is older than its lane allows, within a transaction.

    Rows that were created before the clock was plausible have no known age and stay.
    """
    for lane in Lane:
        oldest = now - store.limits.lane_s[lane]
        while True:
            heads = store.heads(lane, CHUNK)
            expired = [head for head in heads if PLAUSIBLE <= head[1] < oldest]
            for row_id, _, _ in expired:
                store.tallies[lane].drop("age", *store.delete(lane, row_id, row_id))
            if len(expired) < CHUNK:
                break
        store.find_oldest(lane)
