"""The Modbus driver on serial lines: profiles against independent maps, sharing, silence, unplugging."""

from __future__ import annotations

import asyncio
import random

import pytest
import serial
from driving import running
from waiting import until

from lamppost.agent.config.model import DeviceConfig
from lamppost.agent.health import DeviceHealth, State
from lamppost.agent.supervisor import supervise
from lamppost.drivers.api import DriverError
from lamppost.drivers.modbus import Modbus
from lamppost.drivers.modbus.profile import available
from lamppost.simulators.modbus import Fault, Unit, device, names, serve_rtu_pty

#: Quantities that the simulator holds in another unit than the profile gives.
IN_OTHER_UNITS = {("acrel-dtsd1352", "power"): 1000}


@pytest.mark.parametrize("profile", sorted(set(names()) - {"generic"}))
def test_a_shipped_profile_reads_what_the_simulated_product_holds(profile):
    """The maps were written twice, by different hands: a slip in one shows against the other."""
    assert profile in available()

    async def main():
        meter = device(profile, unit=3)
        for quantity in meter.values():
            meter.freeze(quantity)
        async with serve_rtu_pty([meter]) as line:
            driver = Modbus(name="m", url=f"rtu://{line.path}", unit=3, profile=profile, every_s=0.1)
            async with running(driver) as emitted:
                await until(lambda: emitted.polls)
        assert emitted.faults == []
        assert emitted.newest()
        for quantity, value in emitted.newest().items():
            held = meter.value(quantity) / IN_OTHER_UNITS.get((profile, quantity), 1)
            assert value == pytest.approx(held, rel=1e-3, abs=0.51), quantity

    asyncio.run(main())


def test_units_of_one_line_take_turns_with_silence_between_frames():
    async def main():
        units = [Unit(number, holding=[number] * 250) for number in range(1, 6)]
        async with serve_rtu_pty(units, baud=19200, paced=True) as line:
            drivers = [
                Modbus(
                    name=f"d{u.id}", url=f"rtu://{line.path}?baud=19200", unit=u.id, every_s=0,
                    registers={"r": {"address": 0, "count": 250 if u.id == 1 else 2}},
                )
                for u in units
            ]  # fmt: skip
            async with (
                running(drivers[0]) as long,
                running(drivers[1]) as a,
                running(drivers[2]) as b,
                running(drivers[3]) as c,
                running(drivers[4]) as d,
            ):
                await until(lambda: len(long.polls) >= 3, 20)
                others = [len(e.polls) for e in (a, b, c, d)]
            assert line.collisions == 0
            # In turn by requests: while the long poll takes its two, each neighbour gets two of its own.
            assert max(others) - min(others) <= 1
            assert min(others) >= 2 * 3 - 1
            needed_s = 3.5 * 10 / 19200
            assert min(line.silences()) >= needed_s * 0.9
            for emitted, unit in zip((long, a, b, c, d), units, strict=True):
                assert emitted.faults == []
                assert {r.value for poll in emitted.polls for r in poll} == {unit.id}

    asyncio.run(main())


def test_noise_and_spoilt_frames_never_become_values_and_the_line_lives():
    async def main():
        unit = Unit(1, holding=[1234] * 10)
        async with serve_rtu_pty([unit]) as line:
            unit.faults.add(
                Fault.wrong_crc(probability=0.2),
                Fault.noise_before(probability=0.2),
                Fault.noise_within(probability=0.1),
                Fault.noise_after(probability=0.2),
                Fault.truncated(probability=0.1),
                Fault.split(probability=0.3),
                Fault.echo(probability=0.2),
            )
            driver = Modbus(
                name="m", url=f"rtu://{line.path}?baud=115200", registers={"r": {"address": 0, "count": 10}},
                every_s=0.01, timeout_s=0.2,
            )  # fmt: skip
            config = DeviceConfig(
                name="m", driver=driver, driver_name="modbus", backoff_s=0.01, backoff_max_s=0.05
            )
            health = DeviceHealth("m")
            values: list[float] = []
            task = asyncio.create_task(
                supervise(config, lambda s: values.extend(r.value for r in s), health, rng=random.Random(1))
            )
            await until(lambda: len(values) >= 600, 60)
            task.cancel()
            await asyncio.wait({task})
        assert set(values) == {1234}
        assert {"crc", "noise", "truncated"} <= health.faults.keys()

    asyncio.run(main())


def test_a_port_that_is_unplugged_comes_back_under_its_stable_name(tmp_path):
    async def main():
        link = tmp_path / "usb-FTDI"
        async with serve_rtu_pty([Unit(1, holding=[7])], link=link) as line:
            driver = Modbus(name="m", url=f"rtu://{link}", registers={"r": {"address": 0}}, every_s=0.05)
            config = DeviceConfig(
                name="m", driver=driver, driver_name="modbus", backoff_s=0.05, backoff_max_s=0.2
            )
            health = DeviceHealth("m")
            task = asyncio.create_task(supervise(config, lambda _: None, health))
            await until(lambda: health.state is State.OK)
            line.unplug()
            await until(lambda: health.state is State.FAILING)
            await until(lambda: "no such serial port" in (health.error or ""))
            line.plug()
            await until(lambda: health.state is not State.FAILING)
            task.cancel()
            await asyncio.wait({task})

    asyncio.run(main())


def test_a_line_has_one_setting_and_says_who_differs():
    async def main():
        async with serve_rtu_pty([Unit(1, holding=[7]), Unit(2, holding=[7])]) as line:
            first = Modbus(name="a", url=f"rtu://{line.path}?baud=9600", registers={"r": {"address": 0}})
            second = Modbus(
                name="b", url=f"rtu://{line.path}?baud=4800", unit=2, registers={"r": {"address": 0}}
            )
            async with running(first) as emitted:
                await until(lambda: emitted.polls)
                with pytest.raises(
                    DriverError, match=r"already in use as .* at 9600 8N1.* at 4800 8N1"
                ) as caught:
                    await second.run(emitted)
                assert not caught.value.retry

    asyncio.run(main())


def test_a_port_that_another_program_holds_is_said_in_words():
    async def main():
        async with serve_rtu_pty([Unit(1, holding=[7])]) as line:
            with serial.Serial(line.path, exclusive=True):
                driver = Modbus(name="a", url=f"rtu://{line.path}", registers={"r": {"address": 0}})
                with pytest.raises(DriverError, match="in use by another program"):
                    await driver.probe()

    asyncio.run(main())
