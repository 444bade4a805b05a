"""Exact proofs that nothing was lost: a counter that steps at each read, and the order after an outage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from lamppost.simulators.agent_process import AgentProcess
from lamppost.simulators.hub import Book, Kept
from lamppost.simulators.modbus import Unit
from lamppost.simulators.scenarios.model import CounterTable
from lamppost.simulators.scenarios.stage import Outage
from lamppost.simulators.scenarios.verdict import Check

#: A 16-bit register counts around.
MODULUS = 1 << 16
#: A poll may be on its way when the agent is stopped or killed: its value is read by nobody.
IN_FLIGHT = 1
#: What happened so shortly before the way was free again may come behind telemetry that waited.
JUST_BEFORE_S = 0.5


def counter(table: CounterTable, unit: Unit, book: Book, agent: AgentProcess) -> Check:
    """Check that each value that the unit gave out is at the hub.

    Allowed holes: one value where the agent was stopped, and where it was killed those of the last
    ``may_lose_s`` seconds.
    """
    name = f"polls of {table.device}"
    log = sorted(
        (kept for kept in book.log if (kept.device, kept.quantity) == (table.device, table.quantity)),
        key=lambda kept: kept.at,
    )
    if not log:
        return Check(name, ok=False, found=f"{table.quantity} never came")
    values = [int(kept.value) for kept in log if isinstance(kept.value, int | float)]
    holes, allowed = _holes(log, values, table, agent)
    first_missing = (values[0] - 1) % MODULUS  # the first read gives 1
    last_missing = (unit.peek("holding", 0)[0] - 1 - values[-1]) % MODULUS  # looking steps it, too
    told = [f"{hole} missing after {when:%H:%M:%S}" for hole, when in holes]
    missing = sum(hole for hole, _ in holes)
    if first_missing:
        told.append(f"the first {first_missing} missing")
    if last_missing > IN_FLIGHT:
        told.append(f"the last {last_missing} missing")
    ok = missing <= allowed and not first_missing and last_missing <= IN_FLIGHT
    polls = first_missing + len(values) + missing + last_missing
    text = f"{len(values)} of {polls} polls at the hub"
    if allowed:
        text += f", {allowed} rode in memory when the agent was ended"
    return Check(name, ok, text if ok else f"{text}: {', '.join(told)}")


def _holes(
    log: Sequence[Kept], values: Sequence[int], table: CounterTable, agent: AgentProcess
) -> tuple[list[tuple[int, datetime]], int]:
    """Return how many values are missing where, and how many of them may be."""
    holes: list[tuple[int, datetime]] = []
    allowed = 0
    for index in range(1, len(values)):
        missing = (values[index] - values[index - 1] - 1) % MODULUS
        if not missing:
            continue
        before, after = log[index - 1].at, log[index].at
        holes.append((missing, before))
        if any(
            before <= killed <= after and killed - before <= timedelta(seconds=table.may_lose_s)
            for killed in agent.killed
        ):
            allowed += missing
        elif any(before <= stopped <= after for stopped in agent.stopped):
            allowed += min(missing, IN_FLIGHT)
    return holes, allowed


def events_first(book: Book, outages: Sequence[Outage]) -> Check:
    """Check that, after each outage, all event messages of that time came before any telemetry."""
    waited = 0
    for outage in outages:
        if outage.ended is None:
            continue
        first = min(
            (order for order, received, _ in book.telemetry_arrivals if received >= outage.ended),
            default=None,
        )
        for letter in book.event_messages:
            if outage.began <= letter.at.timestamp() < outage.ended - JUST_BEFORE_S:
                waited += 1
                if first is not None and letter.order > first:
                    found = f"{letter.phase} {letter.kind} came after telemetry"
                    return Check("events before telemetry", ok=False, found=found)
    return Check("events before telemetry", ok=True, found=f"{waited} events waited out an outage")
