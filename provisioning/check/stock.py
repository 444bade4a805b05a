"""The spool: what waits in it, and what was lost."""

from __future__ import annotations

import time
from collections.abc import Iterator

from lamppost.agent.spool import SpoolError
from lamppost.agent.spool.look import look
from lamppost.provisioning.check.bench import Bench
from lamppost.provisioning.check.finding import Finding, green, red, yellow


def spool(bench: Bench) -> Iterator[Finding]:
    """Read the spool's figures beside the agent."""
    settings = bench.config.spool
    if not settings.path.exists():
        yield green("spool", "spool.none")
        return
    try:
        view = look(settings, time.time())
    except SpoolError as error:
        yield red("spool", "spool.trouble", "spool.trouble.todo", why=error)
        return
    for trouble in view.trouble:
        yield red("spool", "spool.trouble", "spool.trouble.todo", why=trouble)
    lanes = dict(view.stats.items()).values()
    depth, dropped = sum(lane.depth for lane in lanes), sum(lane.dropped_count for lane in lanes)
    if dropped:
        yield yellow("spool", "spool.dropped", "spool.dropped.todo", depth=depth, dropped=dropped)
    elif not view.trouble:
        yield green("spool", "spool.ok", depth=depth)
