"""Bringing what memory holds to the disk when the disk takes messages again."""

from __future__ import annotations

import os

from lamppost.agent.spool.model import Lane
from lamppost.agent.spool.schema import NUMBER_BITS, NUMBER_MASK
from lamppost.agent.spool.store import Row, State, Store


def move(source: Store, target: Store, states: State, limit: int = 500) -> bool:
    """Move the oldest rows of one lane in one transaction; return whether all is moved.

    Streams and numbers stay as the hub may have seen them. The figures, the states and the last
    numbers go with the first rows, so that a kill in between leaves a gap and no number twice.
    """
    with source.transaction():
        pass  # what was acknowledged need not move
    lane = next((lane for lane in Lane if source.tallies[lane].depth), None)
    rows = list(source.rows(lane, 0, 1 << 62, limit)) if lane is not None else []
    with target.transaction():
        _adopt(source, target)
        target.set_states(states)
        if lane is not None:
            target.insert({lane: _with_ids_of(target, source, rows)})
    for tally in source.tallies.values():
        tally.dropped.clear()
    if lane is None:
        return True
    with source.transaction():
        source.delete(lane, rows[0][0], rows[-1][0])
        source.find_oldest(lane)
    return False


def _with_ids_of(target: Store, source: Store, rows: list[Row]) -> list[Row]:
    bases = {epoch: target.streams[stream] << NUMBER_BITS for stream, epoch in source.streams.items()}
    return [(bases[row[0] >> NUMBER_BITS] | row[0] & NUMBER_MASK, *row[1:]) for row in rows]


def _adopt(source: Store, target: Store) -> None:
    for stream in source.streams:
        if stream not in target.streams:
            target.begin_stream(stream)
    for lane, tally in source.tallies.items():
        target.tallies[lane].last = tally.last
        for reason, (count, size) in tally.dropped.items():
            target.tallies[lane].drop(reason, count, size)


def part(source: Store, target: Store) -> None:
    """Let the memory store begin another stream after a move that stopped half-way.

    The disk has adopted its stream with the numbers so far: if memory counted on and the process
    were killed, the next one would give the same numbers again.
    """
    if source.stream in target.streams:
        with source.transaction():
            source.begin_stream(os.urandom(4).hex())
