"""Times on the wire: whole milliseconds, cut off, so that no sample comes from the future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def unix_ms(at: datetime) -> int:
    """Return an aware time as whole milliseconds since 1970."""
    return (at - _EPOCH) // _MILLISECOND


def rfc3339(at: datetime) -> str:
    """Return an aware time as RFC 3339 text in UTC with milliseconds: ``2025-03-01T08:00:00.250Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
