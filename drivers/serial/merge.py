"""What of many frames is passed on: the newest value of each quantity, or the median."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from statistics import median_low

from lamppost.drivers.api import Quality, Reading, Value
from lamppost.drivers.serial.profile import Quantity
from lamppost.drivers.serial.reading import Raw, value

#: Values of which the median is taken at most: ten a second for more than a minute.
MOST = 1000


class Merge:
    """Collects the values of one device's frames; `take` gives what is due as readings."""

    def __init__(
        self,
        device: str,
        quantities: Mapping[str, Quantity],
        every_s: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._device = device
        self._sources = {name: quantity.source or name for name, quantity in quantities.items()}
        self._quantities = quantities
        self._every_s = every_s
        self._now = now
        self._values: dict[str, list[Value | None]] = {name: [] for name in quantities}
        self._at: dict[str, datetime] = {}
        self._due: dict[str, float] = {}

    def put(self, raw: Raw) -> Collection[str]:
        """Take what a frame says. Returns the quantities in it. Raises ValueError if one is no number."""
        found = {
            name: value(self._quantities[name], raw[source])
            for name, source in self._sources.items()
            if source in raw
        }
        at = self._now()
        for name, one in found.items():
            self._at[name] = at
            kept = self._values[name]
            if self._quantities[name].combine == "newest":
                kept.clear()
            kept.append(one)
            del kept[:-MOST]
        return found

    def take(self, now_s: float) -> list[Reading]:
        """Return the readings that are due at ``now_s``, of a clock that nobody sets."""
        readings = []
        for name, kept in self._values.items():
            if not kept or now_s < self._due.get(name, now_s):
                continue
            self._due[name] = now_s + 0.98 * self._every_s  # sensors' own clocks are a little off
            readings.append(self._reading(name, kept))
            kept.clear()
        return readings

    def _reading(self, name: str, kept: list[Value | None]) -> Reading:
        quantity = self._quantities[name]
        good = [one for one in kept if one is not None]
        if not good:
            return Reading(self._device, name, None, quantity.unit, self._at[name], Quality.BAD)
        newest = good[-1]
        numbers = [one for one in good if not isinstance(one, str)]
        chosen = median_low(numbers) if quantity.combine == "median" and numbers else newest
        return Reading(self._device, name, chosen, quantity.unit, self._at[name])


def plausible(quantities: Mapping[str, Quantity], read: Callable[[bytes], Raw], frame: bytes) -> bool:
    """Whether a frame holds values that can be, as far as the profile says."""
    try:
        raw = read(frame)
        known = [
            (one, raw[one.source or name]) for name, one in quantities.items() if (one.source or name) in raw
        ]
        return all(value(quantity, text) is not None for quantity, text in known)
    except ValueError:
        return False
