"""Units as people write them."""

from __future__ import annotations

from typing import Final

#: SenML units (RFC 8428, section 12.1) that people write otherwise.
_SHOWN: Final = {"Cel": "°C", "/": "", "%RH": "% RH", "deg": "°"}


def shown_unit(unit: str) -> str:
    """Return a SenML unit for a person to read."""
    return _SHOWN.get(unit, unit)
