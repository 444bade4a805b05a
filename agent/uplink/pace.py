"""When to try again: exponential back-off with full jitter.

A city's boxes lose their broker in the same second; what keeps them from coming back in the same
second is that each waits anything between nothing and the limit (M. Brooker, "Exponential Backoff
And Jitter", AWS Architecture Blog, 2015).
"""

from __future__ import annotations

import random
from collections.abc import Callable

_MAX_DOUBLINGS = 30


class Pace:
    """Pauses that grow: random between 0 and min(``longest_s``, ``first_s`` * 2^n)."""

    def __init__(
        self, first_s: float, longest_s: float, spread: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._spread = spread
        self._failures = 0

    def pause_s(self) -> float:
        """Return the next pause in seconds."""
        limit = min(self._longest_s, self._first_s * 2.0 ** min(self._failures, _MAX_DOUBLINGS))
        self._failures += 1
        return self._spread(0.0, limit)

    def reset(self) -> None:
        """Begin with the shortest pause again."""
        self._failures = 0
