"""What simulated devices measure: physical, repeatable, and under the hand of whoever plays."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest

from lamppost.simulators.modbus import UnknownDeviceError, device, names
from lamppost.simulators.modbus.behaviour import Counter, RandomWalk, daily_load
from lamppost.simulators.modbus.devices import PRODUCTS
from lamppost.simulators.modbus.state import UnknownQuantityError


class Clock:
    """Simulated seconds that a test sets."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def hour(h: float) -> float:
    return h * 3600.0


@pytest.mark.parametrize("name", PRODUCTS)
def test_every_device_gives_sound_values_all_day_and_fits_them_in_its_registers(name):
    clock = Clock()
    unit = device(name, clock=clock)
    for step in range(48):
        clock.now = hour(step / 2)
        for quantity, value in unit.values().items():
            point = unit.state.points[quantity]
            written = point.decode(point.encode(value))
            assert written == pytest.approx(value, abs=max(point.scale, abs(value) * 1e-6)), quantity


@pytest.mark.parametrize("name", PRODUCTS)
def test_same_seed_and_time_give_the_same_values_and_another_seed_others(name):
    one, two, other = (device(name, seed=seed, clock=Clock(hour(11))) for seed in (3, 3, 4))
    assert one.values() == two.values()
    assert one.values() != other.values()


def test_mains_sags_in_the_evening():
    clock = Clock(hour(19.5))
    meter = device("eastron-sdm120", clock=clock)
    evening = meter.values()
    clock.now = hour(28)
    night = meter.values()
    assert daily_load(hour(19.5)) > 3 * daily_load(hour(28))
    assert evening["voltage"] < night["voltage"]
    assert evening["power"] > night["power"]


def test_current_belongs_to_power_voltage_and_power_factor():
    meter = device("eastron-sdm120", clock=Clock(hour(12)))
    v = meter.values()
    assert v["power"] == pytest.approx(v["current"] * v["voltage"] * v["power_factor"])
    meter.set("voltage", 0.0)
    assert (meter.value("power"), meter.value("current")) == (0.0, 0.0)


def test_energy_integrates_power_and_what_it_was_set_to():
    clock = Clock(hour(1))
    meter = device("eastron-sdm120", clock=clock)
    begin = meter.value("import_energy")
    meter.set("power", 3600.0)
    clock.now += 100
    meter.set("power", 0.0)
    clock.now += 100
    assert meter.value("import_energy") - begin == pytest.approx(0.1, abs=0.001)
    meter.release("power")
    clock.now += 3600
    grown = meter.value("import_energy") - begin
    assert 0.1 + 0.05 < grown < 0.1 + 0.4


def test_gutter_fills_fast_and_drains_and_the_gauge_sees_it_from_above():
    clock = Clock()
    gauge = device("sen0676-level", clock=clock)
    levels = []
    for second in range(0, 1800, 10):
        clock.now = float(second)
        levels.append(gauge.value("level"))
        assert gauge.value("distance") == pytest.approx(2500.0 - levels[-1])
    peak = levels.index(max(levels))
    assert 40 <= peak <= 60
    assert max(levels) > 80.0
    assert levels[-1] < 30.0


def test_mounting_height_can_be_written_and_moves_the_distance():
    gauge = device("sen0676-level", clock=Clock())
    gauge.set("level", 100.0)
    assert gauge.peek("holding", 1) == [2400]
    assert gauge.answer(bytes.fromhex("06000500c8")) == bytes.fromhex("06000500c8")
    assert gauge.peek("holding", 1) == [1900]
    assert gauge.answer(bytes.fromhex("0600030000")) == b"\x86\x02"


def test_set_ramp_freeze_and_release():
    clock = Clock(1000.0)
    gauge = device("sen0676-level", clock=clock)
    free = gauge.value("level")
    gauge.set("level", 50.0)
    gauge.ramp("level", 150.0, over_s=10.0)
    seen = []
    for _ in range(4):
        seen.append(gauge.value("level"))
        clock.now += 5.0
    assert seen == [50.0, 100.0, 150.0, 150.0]
    gauge.ramp("level", 50.0, over_s=10.0)
    clock.now += 5.0
    gauge.freeze("level")
    clock.now += 5.0
    assert gauge.value("level") == 100.0
    gauge.release("level")
    clock.now = 1000.0
    assert gauge.value("level") == free


def test_marker_for_no_value_stands_in_the_registers_until_released():
    station = device("rika-rk900-09", clock=Clock())
    station.set_raw("wind_speed", [0xFFFF])
    assert station.peek("holding", 0) == [0xFFFF]
    station.release("wind_speed")
    assert station.peek("holding", 0) == [round(station.value("wind_speed") * 100)]


def test_unknown_quantity_and_unknown_device_list_what_there_is():
    with pytest.raises(
        UnknownQuantityError, match=r"no quantity 'wnd' here; there are: wind_speed, .*pressure"
    ):
        device("rika-rk900-09").set("wnd", 1.0)
    with pytest.raises(UnknownDeviceError, match="eastron-sdm120"):
        device("eastron-sdm121")
    assert set(PRODUCTS) < set(names())


def test_counter_and_random_walk_are_functions_of_time():
    def of(quantity: str, t: float | None = None, /) -> float:
        raise AssertionError(quantity, t)

    assert [Counter(per_s=2.0, start=5.0)(t, of) for t in (0.0, 0.4, 0.6, 10.0)] == [5, 5, 6, 25]
    walk = RandomWalk(10.0, 20.0, period_s=30.0, seed=4)
    values = [walk(float(t), of) for t in range(1000)]
    assert all(10.0 <= value <= 20.0 for value in values)
    assert max(values) > 18.0
    assert min(values) < 12.0
    assert max(abs(a - b) for a, b in pairwise(values)) < 1.0


def test_meter_registers_as_the_maker_describes_them():
    """Voltage float32 at input 0, energy at 0x156; a read of 80 registers is allowed, one more is not."""
    meter = device("eastron-sdm120", clock=Clock())
    meter.set("voltage", 231.5)
    meter.set("total_energy", 42.25)
    assert meter.answer(bytes.fromhex("0400000002"))[2:] == struct.pack(">f", 231.5)
    assert meter.answer(bytes.fromhex("0401560002"))[2:] == struct.pack(">f", 42.25)
    assert len(meter.answer(bytes.fromhex("0400000050"))) == 162
    assert meter.answer(bytes.fromhex("0400000051")) == b"\x84\x03"
    assert meter.answer(bytes.fromhex("0300000002")) == b"\x83\x02"
