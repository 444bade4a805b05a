"""The durable outbox: the only thing that stands between an event and a dead link."""

from lamppost.agent.spool.model import (
    Draft,
    Lane,
    LaneStats,
    Message,
    SpoolError,
    SpoolSettings,
    SpoolStats,
    SpoolTrouble,
)
from lamppost.agent.spool.spool import Spool, open_spool

__all__ = [
    "Draft",
    "Lane",
    "LaneStats",
    "Message",
    "Spool",
    "SpoolError",
    "SpoolSettings",
    "SpoolStats",
    "SpoolTrouble",
    "open_spool",
]
