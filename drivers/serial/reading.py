"""From a frame to the values of a profile's quantities. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from lamppost.drivers.api import Value
from lamppost.drivers.serial import hj212, nmea
from lamppost.drivers.serial.profile import Profile, Quantity

WIDTHS = {"8": 1, "16": 2, "32": 4}

#: What a frame says of each source; a source that is missing was not in this frame.
Raw = Mapping[str, float | int | str | None]


def reader(profile: Profile, address: str = "") -> Callable[[bytes], Raw]:
    """Return what reads a frame of ``profile``; it raises ValueError for one it cannot read.

    ``address`` is the station (HJ 212's MN) whose messages count; all if it is empty.
    """
    if profile.codec == "nmea":
        return nmea.read
    if profile.codec == "hj212":
        return lambda frame: _station(frame, address)
    if profile.pattern is not None:
        pattern = re.compile(profile.pattern)
        return lambda frame: _matched(frame, pattern)
    return lambda frame: _fields(frame, profile.quantities)


def _station(frame: bytes, address: str) -> Raw:
    message = hj212.read(frame)
    if address and message.mn != address:
        raise ValueError(f"a message of station {message.mn[:24]!r}, expected {address!r}")
    return message.values


def _matched(frame: bytes, pattern: re.Pattern[str]) -> Raw:
    found = pattern.search(frame.decode("utf-8", "replace").strip("\r\n\0 "))
    if found is None:
        raise ValueError("a line that the pattern does not fit")
    return {name: text for name, text in found.groupdict().items() if text is not None}


def _fields(frame: bytes, quantities: Mapping[str, Quantity]) -> Raw:
    found: dict[str, float | int | str | None] = {}
    for name, quantity in quantities.items():
        assert quantity.at is not None  # the profile was checked
        kind = quantity.type.removesuffix("le")
        width = WIDTHS[kind.lstrip("uint")]
        part = frame[quantity.at : quantity.at + width]
        if len(part) < width:
            raise ValueError(f"a frame of {len(frame)} bytes, too short for {name}")
        order = "little" if quantity.type.endswith("le") else "big"
        found[quantity.source or name] = int.from_bytes(part, order, signed=not kind.startswith("u"))  # type: ignore[arg-type]
    return found


def value(quantity: Quantity, raw: float | str | None) -> Value | None:
    """Return the value of a quantity, scaled; None if the device has none, or one that is not believed.

    Raises ValueError for what is no number.
    """
    if raw is None or quantity.text:
        return None if raw is None else str(raw)[:200]
    number = float(raw)
    if not math.isfinite(number) or number in quantity.invalid:
        return None  # `is_integer` bears no infinity
    if quantity.scale == 1 and quantity.offset == 0:
        number = int(number) if number.is_integer() else number
    else:
        number = number * quantity.scale + quantity.offset
    if not math.isfinite(number):
        return None
    if quantity.decimals is not None:
        number = round(number, quantity.decimals)
    too_low = quantity.min is not None and number < quantity.min
    too_high = quantity.max is not None and number > quantity.max
    return None if too_low or too_high else number
