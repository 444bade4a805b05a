"""What is known of the time through restarts of the agent, and of the box."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from lamppost.agent.clock import Clock

#: Under which it is saved.
CLOCK_KEY: Final = "clock"

MakeClock = Callable[[datetime | None, float | None], Clock]


def saved(clock: Clock) -> dict[str, bytes]:
    """Return what is to be saved; nothing while the clock is wrong."""
    if not clock.plausible:
        return {}
    state = {"at": clock.now().timestamp(), "boot": boot_id(), "gnss_s": clock.gnss_s}
    return {CLOCK_KEY: json.dumps(state).encode()}


def restored(state: bytes | None, make_clock: MakeClock = Clock, boot: str | None = None) -> Clock:
    """Return the clock of the box, with what was saved.

    What GNSS said is of use only while the box has not booted anew.
    """
    known: Any = json.loads(state) if state else None
    if known is None:
        return make_clock(None, None)
    if not isinstance(known, dict):  # as an older agent saved it
        return make_clock(datetime.fromtimestamp(known, UTC), None)
    same = known["boot"] == (boot_id() if boot is None else boot) != ""
    return make_clock(datetime.fromtimestamp(known["at"], UTC), known["gnss_s"] if same else None)


@cache
def boot_id() -> str:
    """Return what is another at each boot; empty if that cannot be known."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
