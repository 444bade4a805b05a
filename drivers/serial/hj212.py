"""HJ 212-2017 messages of an environment station. Pure.

The data segment is ``QN=..;ST=..;CN=..;PW=..;MN=..;Flag=..;CP=&&..&&`` (HJ 212-2017, 6.3). In CP, ``;`` parts
the groups of the pollutants and ``,`` the pairs of one; stations are met that write either for both.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

#: Stations write China Standard Time.
CST = timezone(timedelta(hours=8))
#: What a value's flag may be for it to count: normal, set by hand, or not given (HJ 212-2017, table 8).
GOOD = frozenset({"N", "S", ""})
#: Fields of a pollutant that are no measured value.
BESIDE = frozenset({"Flag", "EFlag", "SampleTime", "Info", "SN"})
HEAD = len("##0000")
TAIL = len("CRC0")
_NUMBER = re.compile(r"[+-]?(\d{1,15}\.?\d{0,15}|\.\d{1,15})", re.ASCII)
_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})?", re.ASCII)

Pairs = dict[str, str]


class Message(NamedTuple):
    """One message: kind of station, command, the station's number.

    ``values`` has names as ``a34004-Rtd``; None where the station's own flag says that it is bad, or where
    it is no number.
    ``at`` is the station's own time as aware UTC, of DataTime, or of QN where there is none.
    """

    st: str
    cn: str
    mn: str
    at: datetime | None
    values: dict[str, float | None]


def read(frame: bytes) -> Message:
    """Return a message (``##`` to the checksum, it being right). Raises ValueError, without its content."""
    frame = frame.rstrip(b"\r\n")
    if not frame.startswith(b"##") or len(frame) < HEAD + TAIL:
        raise ValueError(f"{len(frame)} bytes that do not begin as a message does")
    head, mark, rest = frame[HEAD:-TAIL].decode("gb18030", "replace").partition("CP=&&")
    if not mark or "&&" not in rest:
        raise ValueError("a message without CP=&&...&&")
    outer = _pairs(re.split("[;,]", head))
    groups = [_pairs(group.split(",")) for group in rest[: rest.rindex("&&")].split(";")]
    every = {key: text for group in groups for key, text in group.items()}
    values: dict[str, float | None] = {}
    for group in groups:
        values |= _values(group, every)
    at = _moment(every.get("DataTime", "")) or _moment(outer.get("QN", ""))
    return Message(outer.get("ST", ""), outer.get("CN", ""), outer.get("MN", ""), at, values)


def _values(group: Pairs, every: Pairs) -> dict[str, float | None]:
    """Return the values of a group. A flag beside a value counts before one that stands elsewhere."""
    values: dict[str, float | None] = {}
    for key, text in group.items():
        name, _, kind = key.rpartition("-")
        if not name or kind in BESIDE:
            continue
        flag = f"{name}-Flag"
        good = group.get(flag, every.get(flag, "")).upper() in GOOD
        values[key] = float(text) if good and _NUMBER.fullmatch(text) else None
    return values


def _pairs(parts: list[str]) -> Pairs:
    pairs = (part.partition("=") for part in parts)
    return {key.strip(): value.strip() for key, equals, value in pairs if equals}


def _moment(text: str) -> datetime | None:
    """Return the moment of ``yyyymmddhhmmss``, with or without milliseconds; None if there is no such one."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    thousandth = int(match[7] or 0)
    try:
        local = datetime(year, month, day, hour, minute, second, thousandth * 1000, tzinfo=CST)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
