"""What the quantities of a device are now: their behaviour, or what a person has set in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lamppost.simulators.modbus.points import Point


class UnknownQuantityError(KeyError):
    """The device has no such quantity; the message lists those it has."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class _Ramp:
    start: float
    to: float
    begins: float
    over_s: float

    def __call__(self, t: float) -> float:
        part = 1.0 if self.over_s <= 0 else min(1.0, max(0.0, (t - self.begins) / self.over_s))
        return self.start + (self.to - self.start) * part


class State:
    """The values of a set of points at the time of ``clock`` (seconds), with overrides."""

    def __init__(self, points: Iterable[Point], clock: Callable[[], float]) -> None:
        self.points = {point.quantity: point for point in points}
        self.clock = clock
        self._overrides: dict[str, _Ramp] = {}
        self._raw: dict[str, bytes] = {}

    def point(self, quantity: str) -> Point:
        """Return the point of a quantity. Raises UnknownQuantityError."""
        try:
            return self.points[quantity]
        except KeyError:
            known = ", ".join(self.points) or "none"
            raise UnknownQuantityError(f"no quantity {quantity!r} here; there are: {known}") from None

    def value(self, quantity: str, t: float | None = None) -> float:
        """Return the physical value now, or at simulated time ``t``."""
        when = self.clock() if t is None else t
        override = self._overrides.get(quantity)
        if override is not None:
            return override(when)

        def other(name: str, at: float | None = None, /) -> float:
            return self.value(name, when if at is None else at)

        return self.point(quantity).behaviour(when, other)

    def set(self, quantity: str, value: float) -> None:
        """Hold a quantity at a value until it is released."""
        self.ramp(quantity, value, 0.0)

    def ramp(self, quantity: str, to: float, over_s: float) -> None:
        """Bring a quantity from where it is to ``to`` within ``over_s`` seconds, and hold it there."""
        now = self.clock()
        start = self.value(quantity, now)
        self._settle(now)
        self._raw.pop(quantity, None)
        self._overrides[quantity] = _Ramp(start, to, now, over_s)

    def freeze(self, quantity: str) -> None:
        """Hold a quantity where it is."""
        self.ramp(quantity, self.value(quantity), 0.0)

    def release(self, quantity: str) -> None:
        """Let a quantity follow its behaviour again."""
        self.point(quantity)
        self._settle(self.clock())
        self._overrides.pop(quantity, None)
        self._raw.pop(quantity, None)

    def set_raw(self, quantity: str, data: bytes) -> None:
        """Put these very bytes in the registers of a quantity until it is set or released."""
        self.point(quantity)
        self._raw[quantity] = data

    def encoded(self) -> list[tuple[Point, bytes]]:
        """Return the register bytes of all points, all of the same moment."""
        t = self.clock()
        return [
            (point, self._raw[name] if name in self._raw else point.encode(self.value(name, t)))
            for name, point in self.points.items()
        ]

    def _settle(self, now: float) -> None:
        """Let quantities that integrate others (energy) catch up before those others change."""
        for name in self.points:
            if name not in self._overrides:
                self.value(name, now)
