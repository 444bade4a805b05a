"""Which profile fits a device: the one whose values can be true."""

from __future__ import annotations

from collections.abc import Iterable

from lamppost.drivers.api import Look

#: What values of a unit are on a street.
USUAL = {
    "V": (80, 480), "A": (-200, 200), "W": (-2e5, 2e5), "kW": (-200, 200), "Hz": (45, 65), "Cel": (-45, 85),
    "%RH": (1, 100), "hPa": (600, 1100), "mm": (-500, 40000), "m": (0, 100), "m/s": (0, 75), "deg": (0, 360),
    "dB": (15, 140), "ug/m3": (0, 2000), "lux": (0, 2e5), "kWh": (0, 1e8), "cm": (1, 6000), "/": (-1, 1),
}  # fmt: skip
#: So much of what a profile reads must be plausible, and say something.
ENOUGH = 0.8
#: Units whose values tell something: what hangs on a street is never without them.
TELLING = ("V", "Hz", "hPa", "Cel", "%RH")


def score(looks: Iterable[Look], unread: Iterable[str] = ()) -> tuple[float, int]:
    """Return how well values fit, 0 to 1, and how many of them could hardly do so by chance.

    ``unread`` are the units of what is still to be read: they count as if they fitted, so that what
    comes back is the most that can be reached. A device that says nothing but zeros fits nothing.
    """
    found, hoped = list(looks), list(unread)
    count = len(found) + len(hoped)
    if not count:
        return 0.0, 0
    limited = [one for one in found if one.unit in TELLING]
    hopes = sum(unit in TELLING for unit in hoped)
    telling = sum(_fits(one) and one.value != 0 for one in limited) + hopes
    share = (sum(map(_fits, found)) + len(hoped)) / count
    most = len(limited) + hopes
    return round(share * (0.5 + 0.5 * telling / most) if most else share, 2), telling


def _fits(one: Look) -> bool:
    if one.value is None or isinstance(one.value, str):
        return False
    low, high = USUAL.get(one.unit, (-1e9, 1e9))
    return low <= one.value <= high
