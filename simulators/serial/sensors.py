"""The serial sensors that can be simulated: what they measure, and how they say it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lamppost.simulators.faults import Faults
from lamppost.simulators.modbus import behaviour as does
from lamppost.simulators.modbus.points import Behaviour, Point
from lamppost.simulators.modbus.state import State
from lamppost.simulators.serial import write
from lamppost.simulators.serial.write import Values


class UnknownSensorError(ValueError):
    """There is no simulated sensor of this name; the message lists those that there are."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sensor. ``write`` is None for one that only answers; ``every_s`` is how often it speaks."""

    title: str
    baud: int
    parity: str
    every_s: float
    write: Callable[[Values, float], bytes] | None
    quantities: Sequence[tuple[str, str, Behaviour]]


def _always(value: float) -> Behaviour:
    return lambda _t, _other: value


def _about(value: float, by: float, seed: int, period_s: float = 60.0) -> Behaviour:
    return lambda t, _other: (
        value + by * does.wander(seed, t, period_s) + 0.1 * by * does.jitter(seed, t, 0.1)
    )


def _ultrasonic(mm: float) -> list[tuple[str, str, Behaviour]]:
    return [("distance", "mm", _about(mm, 3, 1, 20.0))]


def _energy(t: float, _other: object) -> float:
    return 1000 + t % 1e8 / 36000


SENSORS: dict[str, Kind] = {
    "a02yyuw": Kind("A02YYUW ultrasonic distance", 9600, "N", 0.1, write.a02yyuw, _ultrasonic(2400)),
    "maxbotix-mb7389": Kind(
        "MaxBotix MB7389 ultrasonic distance", 9600, "N", 0.15, write.maxbotix, _ultrasonic(2400)
    ),
    "nmea-gnss": Kind(
        "GNSS receiver", 9600, "N", 1.0, write.gnss,
        [
            ("lat", "lat", _about(22.7206, 0.00002, 5)), ("lon", "lon", _about(114.2461, 0.00002, 6)),
            ("alt", "m", _about(41, 2, 7)), ("speed", "m/s", _always(0.0)),
            ("satellites", "", _always(11.0)), ("fix", "", _always(1.0)),
        ],
    ),
    "dlt645-2007": Kind(
        "DL/T 645-2007 electricity meter", 2400, "E", 0.0, None,
        [
            ("voltage-a", "V", does.mains_voltage(3)), ("current-a", "A", _about(2.1, 0.4, 8)),
            ("power", "W", _about(460, 80, 9)), ("power-factor", "", _about(0.95, 0.02, 10)),
            ("frequency", "Hz", does.mains_frequency(4)), ("energy", "kWh", _energy),
        ],
    ),
    "hj212-2017": Kind(
        "HJ 212-2017 environment station", 9600, "N", 5.0, write.hj212,
        [
            ("pm25", "ug/m3", _about(38, 9, 11)), ("pm10", "ug/m3", _about(61, 12, 12)),
            ("temperature", "Cel", _about(24, 2, 13)), ("humidity", "%RH", _about(66, 5, 14)),
            ("pressure", "hPa", _about(1009, 2, 15)), ("wind-speed", "m/s", _about(2.4, 1.2, 16)),
            ("wind-direction", "deg", _about(140, 40, 17)), ("noise", "dB", _about(58, 6, 18, 5.0)),
        ],
    ),
    "text-line": Kind(
        "a sensor that writes lines", 9600, "N", 1.0, write.text_line, [("value", "mm", _about(120, 4, 19))]
    ),
}  # fmt: skip


class Sensor:
    """One sensor on a line. ``address`` is a meter's, from its id: 12 digits."""

    def __init__(self, kind: str, unit: int, clock: Callable[[], float] = time.time) -> None:
        self.kind = SENSORS[kind]
        self.id = unit
        self.name = kind
        self.address = f"{unit:012d}"
        self.faults = Faults(seed=unit)
        self.turnaround_s = 0.02
        self.clock = clock
        points = [
            Point(name, "input", 0, "f64", does_it, unit=what) for name, what, does_it in self.kind.quantities
        ]
        self.state = State(points, clock)
        #: Frames that it sent.
        self.sent = 0
        self.value, self.set, self.ramp = self.state.value, self.state.set, self.state.ramp
        self.freeze, self.release = self.state.freeze, self.state.release

    def values(self) -> dict[str, float]:
        """Return all quantities now."""
        return {name: self.state.value(name) for name in self.state.points}

    def says(self) -> bytes:
        """Return what it writes by itself now."""
        assert self.kind.write is not None
        return self.kind.write(self.values(), self.clock())

    def answers(self, request: bytes) -> bytes | None:
        """Return its answer to a request; None if that is not for it."""
        return (
            None if self.kind.write is not None else write.meter_answer(self.values(), self.address, request)
        )


def sensor(kind: str, unit: int = 1) -> Sensor:
    """Return a simulated sensor. Raises UnknownSensorError."""
    if kind not in SENSORS:
        raise UnknownSensorError(f"no simulated sensor {kind!r}; there are: {', '.join(SENSORS)}")
    return Sensor(kind, unit)
