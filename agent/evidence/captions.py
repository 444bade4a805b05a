"""What stands below a picture: when and where it was taken, and of what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lamppost.agent.clock import EARLIEST
from lamppost.agent.evidence.drawing import Caption
from lamppost.agent.evidence.exhibit import MOMENTS
from lamppost.agent.rules.api import Shot

if TYPE_CHECKING:
    from lamppost.agent.sight.scene import Scene


def captions(place: str, shot: Shot, scene: Scene, note: str = "") -> tuple[Caption, Caption]:
    """Return the two lines of a picture; ``place`` is site and node, ``note`` what `remark` says."""
    hidden = ", hidden" if shot.hidden else ""
    stood_s = (scene.at - shot.since).total_seconds()
    which = f"{MOMENTS.index(shot.moment) + 1}/{len(MOMENTS)} {shot.moment}{hidden}, after {stood_s:.0f} s"
    where = f"{place} / {scene.device} / zone {shot.zone}"
    since = f"since {clock(shot.since, short=True)}"
    return Caption(clock(scene.at), which), Caption(where, f"{note}, {since}" if note else since)


def remark(measures: Mapping[str, Any]) -> str:
    """Return what the measures of an event say of water: its share of the zone, level and state."""
    words = [str(measures[key]) for key in ("level", "state") if measures.get(key)]
    if isinstance(share := measures.get("share"), float):
        words.insert(0, f"water on {share:.0%}")
    if isinstance(level_mm := measures.get("level_mm"), int | float):
        words.insert(0, f"{level_mm:.0f} mm")
    return ", ".join(words)


def clock(at: datetime, *, short: bool = False) -> str:
    """Return ``2026-01-05 12:00:46.5 UTC (20:00:46 +0800)``: UTC, and the box's local time if it is another.

    ``short`` is ``01-05 12:00:46 UTC``. A clock that cannot be right is said to be one.
    """
    at = at.astimezone(UTC)
    if at < EARLIEST:
        return "clock not set"
    if short:
        return f"{at:%m-%d %H:%M:%S} UTC"
    local = at.astimezone()
    there = f" ({local:%H:%M:%S} {local:%z})" if local.utcoffset() else ""
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 100_000} UTC{there}"
