"""When a rule of stays wants its pictures."""

from __future__ import annotations

from lamppost.agent.rules.api import Moment

#: What has stood for a shorter time, in seconds, passes by, and never costs a picture.
ARRIVED_S = 3.0


def moment_due(stood_s: float, allowed_s: float, arrived_s: float = ARRIVED_S) -> Moment | None:
    """Return which picture is due of what has stood for ``stood_s`` and may for ``allowed_s``.

    Arrival is when it has stood for ``arrived_s``; where little time is allowed, for a quarter of that.
    """
    if stood_s < min(arrived_s, allowed_s / 4):
        return None
    return "arrival" if stood_s < allowed_s / 2 else "half-way"
