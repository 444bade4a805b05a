"""The products that can be simulated, as tables: quantity, registers, coding, scale, what it does.

Transcribed from public descriptions, apart from the profiles of the product, so that a slip in one
shows against the other. Addresses count from zero. Energies are in kWh, as the meters have them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lamppost.simulators.modbus import behaviour as does
from lamppost.simulators.modbus.memory import Area, Block, Pattern, PatternName, images
from lamppost.simulators.modbus.points import Behaviour, Coding, Point
from lamppost.simulators.modbus.unit import Unit


class UnknownDeviceError(ValueError):
    """There is no simulated device of this name; the message lists those that there are."""


@dataclass(frozen=True, slots=True)
class Product:
    """What a kind of device has, apart from its quantities.

    ``exists`` are the spans (table, first, last) that answer; whatever is in them without being a
    quantity reads 0. ``baud`` and ``unit`` are the factory settings.
    """

    title: str
    unit: int
    baud: int
    exists: tuple[tuple[Area, int, int], ...]
    points: Callable[[int, float], list[Point]]
    max_read: int = 125


def _inputs(rows: Sequence[tuple[str, int, str, Behaviour]]) -> list[Point]:
    """Eastron style: float32 in input registers."""
    return [Point(q, "input", at, "f32", does_it, unit=unit) for q, at, unit, does_it in rows]


def _words(rows: Sequence[tuple[str, int, Coding, float, str, Behaviour]]) -> list[Point]:
    """Scaled whole numbers in holding registers."""
    return [Point(q, "holding", at, code, what, scale=s, unit=u) for q, at, code, s, u, what in rows]


def _sdm120(seed: int, now: float) -> list[Point]:
    return _inputs(
        [
            ("voltage", 0x0000, "V", does.mains_voltage(seed)),
            ("current", 0x0006, "A", does.phase_current("power", "voltage", "power_factor")),
            ("power", 0x000C, "W", does.active_power(seed + 10, 340.0)),
            ("power_factor", 0x001E, "", does.power_factor(seed + 20)),
            ("frequency", 0x0046, "Hz", does.mains_frequency(seed + 30)),
            ("import_energy", 0x0048, "kWh", does.Energy("power", since=now, start_kwh=1234.5)),
            ("total_energy", 0x0156, "kWh", does.Energy("power", since=now, start_kwh=1236.0)),
        ]
    )


def _sdm630(seed: int, now: float) -> list[Point]:
    rows: list[tuple[str, int, str, Behaviour]] = []
    for n in (1, 2, 3):
        volts, watts, amps, factor = f"voltage_l{n}", f"power_l{n}", f"current_l{n}", f"power_factor_l{n}"
        own = seed + 100 * n
        rows += [
            (volts, 0x0000 + 2 * (n - 1), "V", does.mains_voltage(own)),
            (amps, 0x0006 + 2 * (n - 1), "A", does.phase_current(watts, volts, factor)),
            (watts, 0x000C + 2 * (n - 1), "W", does.active_power(own + 10, 400.0 * n, volts)),
            (factor, 0x001E + 2 * (n - 1), "", does.power_factor(own + 20)),
        ]
    rows += [
        ("power", 0x0034, "W", does.total("power_l1", "power_l2", "power_l3")),
        ("frequency", 0x0046, "Hz", does.mains_frequency(seed + 30)),
        ("total_energy", 0x0156, "kWh", does.Energy("power", since=now, start_kwh=98765.0)),
    ]
    return _inputs(rows)


def _dtsd1352(seed: int, now: float, pt: float = 1.0, ct: float = 1.0) -> list[Point]:
    rows: list[tuple[str, int, Coding, float, str, Behaviour]] = []
    for n in (1, 2, 3):
        amperes = does.phase_current("power", f"voltage_l{n}", share=1.0 / 3.0)
        rows += [
            (f"voltage_l{n}", 0x60 + n, "u16", 0.1 * pt, "V", does.mains_voltage(seed + n)),
            (f"current_l{n}", 0x63 + n, "u16", 0.01 * ct, "A", amperes),
        ]
    energy = does.Energy("power", since=now, start_kwh=4711.0)
    rows += [
        ("frequency", 0x77, "u16", 0.01, "Hz", does.mains_frequency(seed + 30)),
        # The register counts 0.001 kW, which is the watt.
        ("power", 0x16A, "i32", 1.0 * pt * ct, "W", does.active_power(seed + 10, 1800.0, "voltage_l1")),
        ("import_energy", 0x0A, "i32", 0.01 * pt * ct, "kWh", energy),
    ]
    return _words(rows)


def _rk900(seed: int, now: float) -> list[Point]:  # noqa: ARG001
    return _words(
        [
            ("wind_speed", 0, "u16", 0.01, "m/s", does.wind_speed(seed)),
            ("wind_direction", 1, "u16", 1.0, "deg", does.wind_direction(seed + 10)),
            ("temperature", 2, "i16", 0.1, "Cel", does.air_temperature(seed + 20)),
            ("humidity", 3, "u16", 0.1, "%RH", does.humidity(seed + 30, "temperature")),
            ("pressure", 4, "u16", 0.1, "hPa", does.air_pressure(seed + 40)),
        ]
    )


def _noise_station(seed: int, now: float) -> list[Point]:  # noqa: ARG001
    return _words(
        [
            ("wind_speed", 0x1F4, "u16", 0.1, "m/s", does.wind_speed(seed)),
            ("wind_direction", 0x1F7, "u16", 1.0, "deg", does.wind_direction(seed + 10)),
            ("humidity", 0x1F8, "u16", 0.1, "%RH", does.humidity(seed + 30, "temperature")),
            ("temperature", 0x1F9, "i16", 0.1, "Cel", does.air_temperature(seed + 20)),
            ("noise", 0x1FA, "u16", 0.1, "dB", does.street_noise(seed + 50)),
            ("pm2_5", 0x1FB, "u16", 1.0, "ug/m3", does.fine_dust(seed + 60)),
            ("pm10", 0x1FC, "u16", 1.0, "ug/m3", does.proportional("pm2_5", 1.7)),
            ("pressure", 0x1FD, "u16", 0.1, "kPa", does.air_pressure(seed + 40, 0.1)),
        ]
    )


def _wn90lp(seed: int, now: float) -> list[Point]:
    temperature = Point(
        "temperature", "holding", 0x167, "u16", does.air_temperature(seed + 20), 0.1, -40.0, unit="Cel"
    )
    return [
        temperature,
        *_words(
            [
                ("light", 0x165, "u16", 10.0, "lx", does.daylight(seed + 60)),
                ("humidity", 0x168, "u16", 1.0, "%RH", does.humidity(seed + 30, "temperature")),
                ("wind_speed", 0x169, "u16", 0.1, "m/s", does.wind_speed(seed)),
                ("rain", 0x16C, "u16", 0.1, "mm", does.Counter(0.01, since=now)),
                ("pressure", 0x16D, "u16", 0.1, "hPa", does.air_pressure(seed + 40)),
            ]
        ),
    ]


def _sen0676(seed: int, now: float) -> list[Point]:  # noqa: ARG001
    level = does.gutter(seed, rest_mm=20.0, high_mm=220.0, period_s=1800.0)
    return [
        *_words(
            [
                ("distance", 1, "u16", 1.0, "mm", does.distance_to_water("level", "mounting_height")),
                ("level", 3, "u16", 1.0, "mm", level),
                ("range", 0x7D4, "u16", 1.0, "m", does.Constant(8.0)),
            ]
        ),
        Point("mounting_height", "holding", 5, "u16", does.Constant(250.0), unit="cm", writable=True),
    ]


PRODUCTS: dict[str, Product] = {
    "eastron-sdm120": Product(
        "Eastron SDM120 single-phase meter",
        1,
        2400,
        (("input", 0x00, 0x5F), ("input", 0x156, 0x159)),
        _sdm120,
        max_read=80,
    ),
    "eastron-sdm630": Product(
        "Eastron SDM630 three-phase meter",
        1,
        9600,
        (("input", 0x00, 0x6B), ("input", 0xC8, 0x10F), ("input", 0x14E, 0x17F)),
        _sdm630,
        max_read=80,
    ),
    "acrel-dtsd1352": Product(
        "Acrel DTSD1352 three-phase meter",
        1,
        9600,
        (("holding", 0x00, 0x1F), ("holding", 0x61, 0x7F), ("holding", 0x164, 0x17F)),
        _dtsd1352,
    ),
    "rika-rk900-09": Product("Rika RK900-09 weather station", 1, 9600, (("holding", 0, 4),), _rk900),
    "noise-station-9in1": Product(
        "9-in-1 station with noise", 2, 9600, (("holding", 0x1F4, 0x1FD),), _noise_station
    ),
    "ecowitt-wn90lp": Product(
        "Ecowitt WN90LP weather station", 0x90, 9600, (("holding", 0x165, 0x16D),), _wn90lp
    ),
    "sen0676-level": Product(
        "SEN0676 / LD8001H radar level gauge",
        1,
        115200,
        (("holding", 0, 5), ("holding", 0x7D4, 0x7D4)),
        _sen0676,
    ),
}
ALIASES = {"sen0676": "sen0676-level", "ld8001h": "sen0676-level", "noise-station": "noise-station-9in1"}


def names() -> list[str]:
    """Return the names that `device` takes."""
    return [*PRODUCTS, "generic"]


def device(
    name: str,
    unit: int | None = None,
    *,
    seed: int | None = None,
    clock: Callable[[], float] = time.time,
    **options: Any,
) -> Unit:
    """Make a simulated device. Raises UnknownDeviceError.

    ``unit`` defaults to the factory setting and ``seed`` to the unit, so that neighbours differ.
    ``options``: those of `generic` for "generic"; ``pt`` and ``ct`` for acrel-dtsd1352.
    """
    if name == "generic":
        return generic(1 if unit is None else unit, seed=seed, clock=clock, **options)
    try:
        product = PRODUCTS[ALIASES.get(name, name)]
    except KeyError:
        raise UnknownDeviceError(f"no simulated device {name!r}; there are: {', '.join(names())}") from None
    unit_id = product.unit if unit is None else unit
    values: dict[Area, dict[int, int]] = {"holding": {}, "input": {}}
    for area, first, last in product.exists:
        values[area].update(dict.fromkeys(range(first, last + 1), 0))
    return Unit(
        unit_id,
        name=name,
        holding=values["holding"],
        input=values["input"],
        points=product.points(1000 * (unit_id if seed is None else seed), clock(), **options),
        max_read=product.max_read,
        clock=clock,
    )


def generic(
    unit: int = 1,
    *,
    count: int = 50,
    start: int = 0,
    area: Area = "holding",
    pattern: PatternName | None = "counter",
    step_s: float = 1.0,
    seed: int | None = None,
    writable: bool = False,
    max_read: int = 125,
    clock: Callable[[], float] = time.time,
) -> Unit:
    """Make a unit with ``count`` registers from ``start`` on.

    ``pattern`` (see `memory.Pattern`) says how they change, every ``step_s`` seconds or, with 0, at
    each read; None keeps them at 0 until somebody pokes or writes them.
    """
    own = unit if seed is None else seed
    block: Block
    if pattern is None:
        (block,) = images(dict.fromkeys(range(start, start + count), 0), 2)
    else:
        block = Pattern(start, count, pattern, step_s=step_s, clock=clock, seed=own)
    return Unit(
        unit,
        name="generic",
        blocks=[(area, block)],
        writable={area: range(start, start + count)} if writable else None,
        max_read=max_read,
        clock=clock,
    )
