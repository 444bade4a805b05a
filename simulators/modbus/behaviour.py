"""What quantities do: small functions of simulated time, seeded, the same for the same (seed, t).

A behaviour is called with the time in seconds (days begin at multiples of 86,400) and a lookup for the
other quantities of its device, so that what depends on them follows when a person overrides one.
"""
# ruff: noqa: ARG001, ARG002, ARG005, D102 - all behaviours have the one signature that `points.Behaviour` explains

from __future__ import annotations

import math
from dataclasses import dataclass

from lamppost.simulators.modbus.points import Behaviour, Lookup

DAY_S = 86400.0


def _hash01(seed: int, n: int) -> float:
    """A number in [0, 1) that looks random but belongs to (seed, n); splitmix64."""
    z = (n * 0x9E3779B97F4A7C15 + seed * 0xBF58476D1CE4E5B9 + 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return float((z ^ (z >> 31)) >> 11) / 2.0**53


def wander(seed: int, t: float, period_s: float) -> float:
    """A smooth random curve in (-1, 1) that turns about once per ``period_s``."""
    cell = math.floor(t / period_s)
    part = t / period_s - cell
    part = part * part * (3.0 - 2.0 * part)
    left, right = _hash01(seed, cell), _hash01(seed, cell + 1)
    return 2.0 * (left + (right - left) * part) - 1.0


def jitter(seed: int, t: float, step_s: float = 1.0) -> float:
    """Noise in (-1, 1) that is new at every step."""
    return 2.0 * _hash01(seed, math.floor(t / step_s)) - 1.0


def daily_load(t: float) -> float:
    """How busy the mains is, 0 to 1: low before dawn, a hump in the morning, the peak in the evening."""
    hour = (t % DAY_S) / 3600.0
    morning = math.exp(-(((hour - 8.0) / 2.0) ** 2))
    evening = math.exp(-(((hour - 19.5) / 2.5) ** 2))
    return min(1.0, 0.25 + 0.45 * morning + 0.7 * evening)


# General


@dataclass(frozen=True)
class Constant:
    """Always the same."""

    value: float

    def __call__(self, t: float, of: Lookup) -> float:
        return self.value


@dataclass(frozen=True)
class Counter:
    """Counts up by ``per_s`` each second, from ``start`` at simulated time ``since``."""

    per_s: float = 1.0
    start: float = 0.0
    since: float = 0.0

    def __call__(self, t: float, of: Lookup) -> float:
        return self.start + math.floor((t - self.since) * self.per_s)


@dataclass
class StepEachRead:
    """One more at each read of its register, so that every poll sees another value."""

    value: float = 0.0
    by: float = 1.0

    def __call__(self, t: float, of: Lookup) -> float:
        return self.value

    def step(self) -> None:
        """Called by the unit after a read."""
        self.value += self.by


@dataclass(frozen=True)
class RandomWalk:
    """Walks between ``low`` and ``high``, turning about once per ``period_s``; needs no memory."""

    low: float
    high: float
    period_s: float = 60.0
    seed: int = 0

    def __call__(self, t: float, of: Lookup) -> float:
        coarse = wander(self.seed, t, self.period_s)
        fine = wander(self.seed + 1, t, self.period_s / 5.0)
        part = 0.5 + 0.5 * (0.8 * coarse + 0.2 * fine)
        return self.low + (self.high - self.low) * part


# Mains


def mains_voltage(seed: int, nominal: float = 230.0) -> Behaviour:
    """Volts: sags by up to 3.5 % when the town is busy, wanders, and is never quite still."""

    def volts(t: float, of: Lookup) -> float:
        sag = 0.035 * daily_load(t)
        return nominal * (1.0 - sag) + 1.5 * wander(seed, t, 90.0) + 0.2 * jitter(seed + 1, t)

    return volts


def mains_frequency(seed: int, nominal: float = 50.0) -> Behaviour:
    """Hertz, within 0.03 of nominal."""
    return lambda t, of: nominal + 0.025 * wander(seed, t, 40.0) + 0.005 * jitter(seed + 1, t)


def active_power(seed: int, peak_w: float, voltage: str = "voltage", nominal: float = 230.0) -> Behaviour:
    """Watts: follows the daily load and the square of the voltage; zero when the mains is away."""

    def watts(t: float, of: Lookup) -> float:
        busy = daily_load(t) * (1.0 + 0.06 * wander(seed, t, 30.0) + 0.01 * jitter(seed + 1, t))
        return peak_w * busy * (of(voltage) / nominal) ** 2

    return watts


def power_factor(seed: int) -> Behaviour:
    """Between 0.9 and 0.98."""
    return lambda t, of: 0.94 + 0.04 * wander(seed, t, 120.0)


def phase_current(power: str, voltage: str, factor: str = "", share: float = 1.0) -> Behaviour:
    """Amperes that belong to ``share`` of a power; the power factor is 0.95 if none is named."""

    def amperes(t: float, of: Lookup) -> float:
        volts, cos_phi = of(voltage), of(factor) if factor else 0.95
        return share * of(power) / (volts * cos_phi) if volts > 1.0 and cos_phi > 0.01 else 0.0

    return amperes


def total(*quantities: str) -> Behaviour:
    """The sum of other quantities."""
    return lambda t, of: sum(of(quantity) for quantity in quantities)


class Energy:
    """Kilowatt-hours: the quantity ``power`` (watts) summed in steps of one second since ``since``."""

    def __init__(self, power: str, *, since: float, start_kwh: float = 0.0) -> None:
        self._power = power
        self._since = math.floor(since)
        self._start_kwh = start_kwh
        self._second = self._since
        self._joules = 0.0
        self._watts: float | None = None

    def __call__(self, t: float, of: Lookup) -> float:
        if t < self._second:
            self._second, self._joules, self._watts = self._since, 0.0, None
        if self._watts is None:
            self._watts = of(self._power, self._second)
        while self._second + 1 <= t:
            self._joules += self._watts
            self._second += 1
            self._watts = of(self._power, self._second)
        joules = self._joules + self._watts * max(0.0, t - self._second)
        return self._start_kwh + joules / 3.6e6


# Street


def gutter(seed: int, *, rest_mm: float, high_mm: float, period_s: float) -> Behaviour:
    """Water level in mm: once per period rain fills it, each time to another height, then it drains."""

    def level(t: float, of: Lookup) -> float:
        storm = math.floor(t / period_s)
        part = t / period_s - storm
        high = high_mm * (0.4 + 0.6 * _hash01(seed, storm))
        filled = (part / 0.3) ** 0.7 if part < 0.3 else math.exp(-(part - 0.3) / 0.15)
        return max(0.0, rest_mm + (high - rest_mm) * filled + 0.6 * jitter(seed + 1, t))

    return level


def distance_to_water(level_mm: str, height_cm: str) -> Behaviour:
    """Millimetres from a gauge mounted at ``height_cm`` to the water."""
    return lambda t, of: max(0.0, 10.0 * of(height_cm) - of(level_mm))


def wind_speed(seed: int, mean: float = 3.0) -> Behaviour:
    """Metres per second, with gusts."""
    return lambda t, of: max(
        0.0, mean * (1.0 + 0.8 * wander(seed, t, 120.0)) + 0.6 * wander(seed + 1, t, 7.0)
    )


def wind_direction(seed: int) -> Behaviour:
    """Whole degrees, 0 to 359."""
    return lambda t, of: (200.0 + 90.0 * wander(seed, t, 900.0) + 15.0 * wander(seed + 1, t, 11.0)) % 359.5


def air_temperature(seed: int, mean: float = 24.0, swing: float = 6.0) -> Behaviour:
    """Degrees Celsius: warmest at 15 h, coldest at 3 h."""

    def celsius(t: float, of: Lookup) -> float:
        daily = math.cos(2.0 * math.pi * (t - 15.0 * 3600.0) / DAY_S)
        return mean + swing * daily + 1.5 * wander(seed, t, 3600.0) + 0.1 * wander(seed + 1, t, 30.0)

    return celsius


def humidity(seed: int, temperature: str) -> Behaviour:
    """Percent; falls as the air warms."""

    def percent(t: float, of: Lookup) -> float:
        return min(100.0, max(5.0, 65.0 - 2.2 * (of(temperature) - 24.0) + 6.0 * wander(seed, t, 1800.0)))

    return percent


def air_pressure(seed: int, factor: float = 1.0) -> Behaviour:
    """Hectopascal, times ``factor``."""
    return lambda t, of: (
        factor * (1012.0 + 8.0 * wander(seed, t, 6.0 * 3600.0) + 0.2 * wander(seed + 1, t, 60.0))
    )


def street_noise(seed: int) -> Behaviour:
    """Decibel: the town's hum and what passes by."""
    return lambda t, of: 48.0 + 12.0 * daily_load(t) + 5.0 * wander(seed, t, 8.0) + 1.0 * jitter(seed + 1, t)


def fine_dust(seed: int, mean: float = 32.0) -> Behaviour:
    """Micrograms per cubic metre."""
    return lambda t, of: max(0.0, mean * (1.0 + 0.5 * wander(seed, t, 1800.0)) + 2.0 * wander(seed, t, 20.0))


def proportional(quantity: str, factor: float) -> Behaviour:
    """Another quantity times ``factor``."""
    return lambda t, of: of(quantity) * factor


def daylight(seed: int, noon_lux: float = 60000.0) -> Behaviour:
    """Lux: day from 6 to 18 h, with clouds."""

    def lux(t: float, of: Lookup) -> float:
        sun = math.sin(2.0 * math.pi * (t - 6.0 * 3600.0) / DAY_S)
        return max(10.0, noon_lux * sun * (0.8 + 0.2 * wander(seed, t, 300.0)))

    return lux
