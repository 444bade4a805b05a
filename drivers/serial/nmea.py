"""NMEA 0183 sentences of a GNSS receiver: RMC and GGA. Pure.

Fields as in IEC 61162-1 (NMEA 0183), sentences RMC (recommended minimum) and GGA (fix data), of any talker.
"""

from __future__ import annotations

import calendar
import re

KNOT_M_S = 1852 / 3600
#: Two digits of a year from here on are of the last century: there is no GNSS time before 1980.
CENTURY = 80
#: Modes of an RMC sentence whose time is not the satellites': none, estimated, by hand, simulated.
UNTRUE = frozenset("NEMS")
_NUMBER = re.compile(r"-?(\d{1,15}\.?\d{0,15}|\.\d{1,15})", re.ASCII)
_ANGLE = re.compile(r"(\d{0,3})(\d\d(?:\.\d{0,15})?)", re.ASCII)
_DATE = re.compile(r"(\d\d)(\d\d)(\d\d)", re.ASCII)
_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)(\.\d{0,15})?", re.ASCII)

Fields = dict[str, float | int | str | None]


def read(frame: bytes) -> Fields:
    """Return what a sentence (``$..RMC,...*hh``, its checksum being right) says; {} for other sentences.

    RMC: lat, lon (degrees, north and east positive), speed (m/s), course (degrees), utc (unix seconds, only
    with status A and a date). GGA: lat, lon, alt (m above the geoid), satellites, hdop, fix (0 is none). None
    for what the receiver does not know. Raises ValueError for a sentence that is not as the standard has it.
    """
    text = frame.decode("ascii", "replace").strip()
    fields = text.removeprefix("$").partition("*")[0].split(",")
    name = fields[0]
    if len(name) == 5 and name.endswith("RMC"):
        return _rmc(fields)
    if len(name) == 5 and name.endswith("GGA"):
        return _gga(fields)
    return {}


def _rmc(fields: list[str]) -> Fields:
    if len(fields) < 10:
        raise ValueError(f"an RMC sentence with {len(fields)} fields, expected 10 at least")
    valid = fields[2] == "A"
    true_time = valid and fields[1] and fields[9] and (len(fields) < 13 or fields[12] not in UNTRUE)
    knots, course = _number(fields[7], "speed"), _number(fields[8], "course")
    return {
        "lat": _angle(fields[3], fields[4], "NS", 90) if valid else None,
        "lon": _angle(fields[5], fields[6], "EW", 180) if valid else None,
        "speed": knots * KNOT_M_S if valid and knots is not None else None,
        "course": course if valid else None,
        "utc": _utc(fields[9], fields[1]) if true_time else None,
    }


def _gga(fields: list[str]) -> Fields:
    if len(fields) < 10:
        raise ValueError(f"a GGA sentence with {len(fields)} fields, expected 10 at least")
    quality = _whole(fields[6], "fix quality") or 0
    fixed = quality > 0
    return {
        "lat": _angle(fields[2], fields[3], "NS", 90) if fixed else None,
        "lon": _angle(fields[4], fields[5], "EW", 180) if fixed else None,
        "fix": quality,
        "satellites": _whole(fields[7], "satellites"),
        "hdop": _number(fields[8], "hdop") if fixed else None,
        "alt": _number(fields[9], "altitude") if fixed else None,
    }


def _angle(text: str, side: str, sides: str, most: int) -> float | None:
    """Return degrees of ``ddmm.mmmm`` or ``dddmm.mmmm``."""
    if not text:
        return None
    match = _ANGLE.fullmatch(text)
    minutes = float(match[2]) if match else 60.0
    if match is None or minutes >= 60 or side not in tuple(sides):
        raise ValueError(
            f"position {text!r} {side!r}: expected degrees and minutes, and {' or '.join(sides)}"
        )
    angle = int(match[1] or "0") + minutes / 60
    if angle > most:
        raise ValueError(f"position {text!r} {side!r}: beyond {most} degrees")
    return round(-angle if side == sides[1] else angle, 7)


def _utc(date: str, time: str) -> float:
    """Return unix seconds of ``ddmmyy`` and ``hhmmss.ss``. A leap second counts as the second before it."""
    dated, timed = _DATE.fullmatch(date), _TIME.fullmatch(time)
    if dated is None or timed is None:
        raise ValueError(f"date {date!r} and time {time!r}: expected ddmmyy and hhmmss")
    day, month, year = map(int, dated.groups())
    year += 1900 if year >= CENTURY else 2000
    hour, minute, second = map(int, timed.groups()[:3])
    in_month = 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
    leap = second == 60 and minute == 59
    if not in_month or hour > 23 or minute > 59 or (second > 59 and not leap):
        raise ValueError(f"date {date!r} and time {time!r}: there is no such moment")
    return calendar.timegm((year, month, day, hour, minute, min(second, 59))) + float(f"0{timed[4] or ''}")


def _number(text: str, what: str) -> float | None:
    """Return a plain decimal number; None if the field is empty."""
    if not text:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{what} {text!r} is no number")
    return float(text)


def _whole(text: str, what: str) -> int | None:
    number = _number(text, what)
    if number is None:
        return None
    if number < 0 or number % 1:
        raise ValueError(f"{what} {text!r} is no count")
    return int(number)
