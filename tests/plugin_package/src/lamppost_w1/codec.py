"""The two lines of a `w1_slave` file. Pure: text in, number out."""

from __future__ import annotations

import re

_TEMPERATURE = re.compile(r"t=(-?\d+)\s*$")
#: What the chip's register holds before its first conversion: 85 degrees, and no measurement.
POWER_ON = 85000


class BadFileError(ValueError):
    """The file holds no temperature: a wrong checksum, or not the file of a thermometer."""


def parse(text: str) -> float | None:
    """Return degrees Celsius, or None where the chip has not measured yet. Raises BadFileError."""
    lines = text.splitlines()
    if len(lines) < 2:
        raise BadFileError(f"expected two lines, got {len(lines)}")
    if not lines[0].endswith("YES"):
        raise BadFileError("wrong checksum")
    match = _TEMPERATURE.search(lines[1])
    if match is None:
        raise BadFileError("no t= in the second line")
    return None if int(match[1]) == POWER_ON else int(match[1]) / 1000
