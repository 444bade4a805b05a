"""What can be wrong with the link, and what can be seen of it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from lamppost.agent.spool import Message


class LinkError(Exception):
    """The hub cannot be reached or is gone: what failed, with whom, and what to do about it.

    ``by_hub`` says that the other side ended a working connection; ``taken_over`` that it did so
    because somebody else came with the same client id.
    """

    def __init__(self, words: str, *, by_hub: bool = False, taken_over: bool = False) -> None:
        super().__init__(words)
        self.by_hub = by_hub
        self.taken_over = taken_over


class LinkState(NamedTuple):
    """The link as status files show it. Times are aware UTC.

    ``since`` is when it came up or went down; ``last_error`` stays after it came up again.
    ``latency_s`` is how long the hub takes for a PUBACK (smoothed), None before the first.
    ``sent`` counts acknowledged messages, ``refused`` the hub's refusals, ``removed`` the messages
    that were given up because the hub will never take them, ``aside`` those that wait for another try.
    """

    connected: bool
    since: datetime
    last_error: str
    next_try_at: datetime | None
    latency_s: float | None
    in_flight: int
    sent: int
    sent_bytes: int
    refused: int
    removed: int
    aside: int
    connects: int


class Removed(NamedTuple):
    """A message that was taken out of the spool without reaching the hub, and why."""

    message: Message
    reason: str
