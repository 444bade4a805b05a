"""Who may come in: a PIN of one run, slowed down and locked against guessing, and the sessions it opens."""

import hmac
import secrets
from collections.abc import Callable
from enum import Enum

DIGITS = 6
FREE_TRIES = 3
TRIES = 10
SLOWEST_S = 60.0
SESSIONS = 8


class Answer(Enum):
    """What a PIN was answered with."""

    IN = "in"
    WRONG = "wrong"
    WAIT = "wait"
    LOCKED = "locked"


def new_pin() -> str:
    """Six digits that nobody can foretell."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


class Gate:
    """One PIN and the sessions it opened; `clock` gives seconds that never go back.

    Tries are counted for everybody together: whoever guesses may change addresses at will.
    """

    def __init__(self, pin: str, clock: Callable[[], float]) -> None:
        self._pin = pin
        self._clock = clock
        self._wrong = 0
        self._again_at = 0.0
        self._sessions: list[str] = []

    def wait_s(self) -> float:
        """How long no PIN is looked at."""
        return max(0.0, self._again_at - self._clock())

    def enter(self, pin: str) -> tuple[Answer, str]:
        """The answer to a PIN, and the new session where it is the right one, else ""."""
        if self._wrong >= TRIES:
            return Answer.LOCKED, ""
        if self.wait_s() > 0:
            return Answer.WAIT, ""
        if not hmac.compare_digest(pin.encode(errors="replace"), self._pin.encode()):
            return self._refuse(), ""
        self._wrong = 0
        session = secrets.token_urlsafe(32)
        self._sessions = [*self._sessions, session][-SESSIONS:]
        return Answer.IN, session

    def knows(self, session: str) -> bool:
        """Whether the session was opened by this gate's PIN."""
        given = session.encode(errors="replace")
        return any(hmac.compare_digest(given, each.encode()) for each in self._sessions)

    def _refuse(self) -> Answer:
        self._wrong += 1
        if self._wrong >= TRIES:
            return Answer.LOCKED
        if self._wrong >= FREE_TRIES:
            delay_s = min(SLOWEST_S, 2.0 ** (self._wrong - FREE_TRIES + 1))
            self._again_at = self._clock() + delay_s
        return Answer.WRONG
