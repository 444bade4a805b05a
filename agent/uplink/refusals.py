"""What to do with a message that the hub refuses: set it aside and try again, or give it up.

A refusal must neither block the lane nor lose the message in silence. What can never be taken is
given up at once, counted and reported; anything else may be a quota or a right that a person will
mend: it waits, longer from time to time, while others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from lamppost.agent.spool import Lane, Message
from lamppost.agent.uplink.pace import Pace

Key: TypeAlias = tuple[Lane, int]

#: So many refusals of one message are enough; at the usual pace this is well over an hour.
ENOUGH = 20
#: So many messages may be aside before sending stops until the next of them is due.
MOST_ASIDE = 1000

# MQTT 5, section 3.4.2.1 and 2.4.
_NEVER = {
    0x81: "malformed packet",
    0x82: "protocol error",
    0x90: "topic name invalid",
    0x95: "packet too large",
    0x99: "payload format invalid",
}
_LATER = {
    0x80: "unspecified error",
    0x83: "implementation specific error",
    0x87: "not authorised",
    0x91: "message id in use",
    0x97: "quota exceeded",
}
SUCCESS_BELOW = 0x80


def reason(code: int) -> str:
    """Return the words for a PUBACK's reason code."""
    return _NEVER.get(code) or _LATER.get(code) or f"reason code 0x{code:02X}"


def is_final(code: int) -> bool:
    """Return whether the hub will never take the message."""
    return code in _NEVER


class Aside:
    """Messages that were refused and wait for their next try; lives longer than a connection."""

    def __init__(self, first_s: float, longest_s: float, clock: Callable[[], float]) -> None:
        self._pace_s = (first_s, longest_s)
        self._clock = clock
        self._waiting: dict[Key, float] = {}
        self._tries: dict[Key, tuple[int, Pace]] = {}

    def put(self, message: Message) -> bool:
        """Set a refused message aside; return False if it was refused often enough."""
        key = (message.lane, message.number)
        tries, pace = self._tries.pop(key, (0, Pace(*self._pace_s)))
        if tries + 1 >= ENOUGH:
            return False
        self._tries[key] = (tries + 1, pace)
        self._waiting[key] = self._clock() + pace.pause_s()
        return True

    def forget(self, key: Key) -> None:
        """Let go of a message that has been taken."""
        if self._tries:
            self._tries.pop(key, None)

    def due(self) -> list[Key]:
        """Take out those whose pause is over."""
        if not self._waiting:
            return []
        now = self._clock()
        keys = [key for key, at in self._waiting.items() if at <= now]
        for key in keys:
            del self._waiting[key]
        return keys

    @property
    def full(self) -> bool:
        """Whether so many wait that the hub seems to take nothing."""
        return len(self._waiting) >= MOST_ASIDE

    def keys(self) -> Iterable[Key]:
        """Return the messages that must not be sent yet."""
        return self._waiting.keys()

    def __len__(self) -> int:
        return len(self._waiting)
