"""The simulated serial sensors: the product's driver reads what they measure, through what goes wrong."""

from __future__ import annotations

import asyncio

import pytest
from driving import running
from waiting import until

from lamppost.drivers.api import DriverError
from lamppost.drivers.registry import load
from lamppost.drivers.serial import listen
from lamppost.simulators.faults import Fault
from lamppost.simulators.serial import SENSORS, sensor, serve_serial

#: What the product calls by another name than the simulator, or does not read.
NOT_READ = {"nmea-gnss": {"course", "hdop", "utc"}}


def serial(line, kind: str, **settings):
    if kind == "dlt645-2007":
        settings.setdefault("address", "000000000001")
    given = {"name": "sensor", "port": line.path, "profile": kind, "every_s": 0, **settings}
    return load("serial").model_validate(given)


def steady(kind: str):
    """A sensor whose values stand still."""
    made = sensor(kind)
    for quantity, value in made.values().items():
        made.set(quantity, round(value, 1) if abs(value) > 2 else value)
    return made


@pytest.mark.parametrize("kind", SENSORS)
@pytest.mark.parametrize(
    "trouble", [None, Fault.noise_before(), Fault.split(0.001), Fault.noise_within(probability=0.4)]
)
def test_what_a_sensor_measures_is_read(kind, trouble, tmp_path):
    async def main():
        made = steady(kind)
        if trouble is not None:
            made.faults.add(trouble)
        async with serve_serial([made], link=tmp_path / "tty", speed=20) as line:
            driver = serial(line, kind, timeout_s=0.3)
            async with running(driver) as emitted:

                def seen():
                    return {
                        r.quantity: r.value for poll in emitted.polls for r in poll if r.value is not None
                    }

                wanted = set(made.values()) - NOT_READ.get(kind, set())
                await until(lambda: wanted <= set(seen()) or emitted.task.done())
                assert wanted <= set(seen()), emitted.faults[-3:]
        for quantity in wanted:
            assert seen()[quantity] == pytest.approx(made.values()[quantity], rel=2e-3, abs=0.02), quantity

    asyncio.run(main())


def test_a_sensor_that_is_unplugged_comes_back_under_its_name(tmp_path):
    async def main():
        async with serve_serial([steady("a02yyuw")], link=tmp_path / "tty", speed=10) as line:
            driver = serial(line, "a02yyuw")
            async with running(driver) as emitted:
                await until(lambda: emitted.polls)
                line.unplug()
                await until(emitted.task.done)
                with pytest.raises(DriverError, match="gone"):
                    emitted.task.result()
            line.plug()
            async with running(driver) as emitted:
                await until(lambda: emitted.polls)

    asyncio.run(main())


def test_a_wrong_speed_gives_garbage(tmp_path, monkeypatch):
    monkeypatch.setattr(listen, "LEAST_S", 0.6)

    async def main():
        async with serve_serial(
            [steady("a02yyuw")], link=tmp_path / "tty", speed=10, check_speed=True
        ) as line:
            async with running(serial(line, "a02yyuw", baud=4800)) as emitted:
                await until(emitted.task.done)
            assert emitted.polls == []
            with pytest.raises(DriverError, match="check baud rate"):
                emitted.task.result()

    asyncio.run(main())


def test_meters_answer_only_for_themselves(tmp_path):
    async def main():
        two = [sensor("dlt645-2007", unit) for unit in (1, 2)]
        for unit in two:
            unit.set("voltage-a", 220 + unit.id)
            unit.set("power", -100.0 * unit.id)
        async with serve_serial(two, link=tmp_path / "tty") as line:
            first, second = (
                serial(line, "dlt645-2007", address=unit.address, quantities=["voltage-a", "power"])
                for unit in two
            )
            async with running(first) as one, running(second) as other:
                await until(lambda: one.polls and other.polls)
        assert one.newest() == {"voltage-a": 221, "power": -100}
        assert other.newest() == {"voltage-a": 222, "power": -200}

    asyncio.run(main())


def test_a_meter_refuses_what_it_does_not_have():
    made = sensor("dlt645-2007")
    request = bytes.fromhex("6801000000000068110434343434" + "00" * 0)
    request += bytes((sum(request) % 256, 0x16))
    assert made.answers(request)[4:][8] == 0xD1
