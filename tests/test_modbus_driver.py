"""The Modbus driver on simulated lines: what it reads, what it survives, what it says."""

from __future__ import annotations

import asyncio

import pytest
from driving import Emitted, running
from waiting import until

from lamppost.drivers.api import DriverError, Quality
from lamppost.drivers.modbus import Modbus
from lamppost.simulators.modbus import Fault, Unit, serve_rtu_tcp, serve_tcp

SERVE = {"tcp": serve_tcp, "rtu+tcp": serve_rtu_tcp}
FRAMINGS = pytest.mark.parametrize("framing", SERVE)


def modbus(line, framing="tcp", **settings):
    settings = {"name": "meter", "every_s": 0.05, "timeout_s": 0.3, **settings}
    if "profile" not in settings:
        settings.setdefault(
            "registers", {"a": {"address": 0}, "b": {"address": 1, "type": "int16", "scale": 0.1}}
        )
    return Modbus(url=f"{framing}://127.0.0.1:{line.port}", **settings)


@FRAMINGS
def test_values_come_with_unit_time_and_quality(framing):
    async def main():
        async with SERVE[framing]([Unit(1, holding=[230, 0xFF38])]) as line:
            driver = modbus(
                line,
                framing,
                registers={
                    "a": {"address": 0, "unit": "V"},
                    "b": {"address": 1, "type": "int16", "scale": 0.1},
                },
            )
            async with running(driver) as emitted:
                await until(lambda: len(emitted.polls) >= 3)
            (a, b) = emitted.polls[0]
            assert (a.device, a.quantity, a.value, a.unit, a.quality) == (
                "meter",
                "a",
                230,
                "V",
                Quality.GOOD,
            )
            assert b.value == -20.0
            assert a.at is b.at
            assert a.at.tzinfo is not None
            assert emitted.faults == []

    asyncio.run(main())


@FRAMINGS
def test_registers_are_read_in_the_fewest_requests(framing):
    async def main():
        unit = Unit(1, holding=list(range(300)))
        async with SERVE[framing]([unit]) as line:
            driver = modbus(line, framing, registers={"r": {"address": 0, "count": 300}})
            async with running(driver) as emitted:
                await until(lambda: emitted.polls)
        assert set(unit.by_range) == {(3, 0, 125), (3, 125, 125), (3, 250, 50)}
        assert [r.value for r in emitted.polls[0]] == list(range(300))

    asyncio.run(main())


def test_a_fast_poll_loses_and_merges_no_sample():
    async def main():
        unit = Unit(1, holding=[7] * 50)
        async with serve_tcp([unit]) as line:
            driver = modbus(line, registers={"r": {"address": 0, "count": 50}}, every_s=0.05)
            async with running(driver) as emitted:
                await until(lambda: len(emitted.polls) >= 40)
            times = [poll[0].at for poll in emitted.polls]
        assert unit.requests - len(emitted.polls) <= 1  # one may be on its way
        assert len(set(times)) == len(times)
        assert all(len(poll) == 50 for poll in emitted.polls)
        assert (times[-1] - times[0]).total_seconds() / (len(times) - 1) >= 0.045

    asyncio.run(main())


CRC_ONLY = [
    ("crc", Fault.wrong_crc),
    ("truncated", Fault.truncated),
]


@pytest.mark.parametrize(("kind", "fault"), CRC_ONLY)
def test_a_spoilt_answer_is_counted_and_asked_for_again(kind, fault):
    async def main():
        unit = Unit(1, holding=[1, 2])
        async with serve_rtu_tcp([unit]) as line:
            unit.faults.add(fault(times=1))
            async with running(modbus(line, "rtu+tcp", timeout_s=1.0, every_s=0.3)) as emitted:
                await until(lambda: len(emitted.polls) >= 2)
            assert emitted.kinds == [kind]
            assert not emitted.task.done() or emitted.task.cancelled()

    asyncio.run(main())


def test_noise_around_the_answer_costs_a_count_and_no_value():
    async def main():
        unit = Unit(1, holding=[1, 2])
        async with serve_rtu_tcp([unit]) as line:
            unit.faults.add(Fault.noise_before(times=1))
            async with running(modbus(line, "rtu+tcp", every_s=0.3)) as emitted:
                await until(lambda: len(emitted.polls) >= 2)
                unit.faults.add(Fault.noise_after(times=3), Fault.echo(times=3))
                await until(lambda: len(emitted.polls) >= 6)
            assert emitted.kinds == ["noise"]
            assert all(poll[0].value == 1 for poll in emitted.polls)

    asyncio.run(main())


@FRAMINGS
@pytest.mark.parametrize("kind", ["unit", "length"])
def test_a_wrong_answer_is_never_taken_for_a_value(framing, kind):
    async def main():
        unit = Unit(1, holding=[1, 2])
        fault = {"unit": Fault.wrong_unit, "length": Fault.wrong_byte_count}[kind]
        async with SERVE[framing]([unit]) as line:
            unit.faults.add(fault())
            async with running(modbus(line, framing)) as emitted:
                await until(emitted.task.done)
            assert kind in emitted.kinds
            assert emitted.polls == []
            with pytest.raises(DriverError, match=r"FC03 read of holding registers 0\.\.1"):
                emitted.task.result()

    asyncio.run(main())


@FRAMINGS
def test_an_answer_to_an_earlier_request_is_dropped(framing):
    """The late answer of one device's unit falls into the next exchange on the line."""

    async def main():
        slow, quick = Unit(1, holding=[111, 111]), Unit(2, holding=[222, 222])
        async with SERVE[framing]([slow, quick]) as line:
            slow.faults.add(Fault.late_answer(0.4, times=1))
            quick.faults.add(Fault.slow_answer(0.2))
            async with (
                running(modbus(line, framing, name="slow")) as first,
                running(modbus(line, framing, name="quick", unit=2)) as second,
            ):
                await until(lambda: len(second.polls) >= 3)
                assert first.task.done()
            assert {r.value for poll in second.polls for r in poll} == {222, 22.2}
            assert {"stale", "unit"} & set(second.kinds)
            assert set(second.kinds) <= {"stale", "unit", "late"}

    asyncio.run(main())


@FRAMINGS
def test_a_missing_register_costs_its_neighbours_nothing(framing):
    async def main():
        unit = Unit(1, holding={0: 10, 1: 11, 3: 13, 4: 14})
        registers = {f"r{i}": {"address": i} for i in range(5)}
        async with SERVE[framing]([unit]) as line:
            async with running(modbus(line, framing, registers=registers)) as emitted:
                await until(lambda: len(emitted.polls) >= 3)
            assert emitted.newest() == {"r0": 10, "r1": 11, "r2": None, "r3": 13, "r4": 14}
            assert [q for q, quality in emitted.qualities().items() if quality is Quality.BAD] == ["r2"]
            asked = unit.requests
            async with running(modbus(line, framing, registers=registers)) as emitted:
                await until(lambda: len(emitted.polls) >= 2)
            # Learnt once: afterwards the refused register is left alone and the others cost two requests.
            assert unit.by_range[3, 2, 1] == 2
            assert asked
        assert "exception 2 (illegal data address)" in dict(emitted.faults)["exception"]

    asyncio.run(main())


def test_a_device_that_refuses_everything_is_failing_and_says_why():
    async def main():
        async with serve_tcp([Unit(1, input=[1])]) as line, running(modbus(line)) as emitted:
            await until(emitted.task.done)
            with pytest.raises(DriverError, match="does the profile fit"):
                emitted.task.result()

    asyncio.run(main())


def test_a_gateway_that_says_its_unit_is_silent_counts_as_no_answer():
    async def main():
        async with serve_tcp([Unit(1, holding=[1, 2])]) as line, running(modbus(line, unit=9)) as emitted:
            await until(emitted.task.done)
            with pytest.raises(DriverError, match="exception 11"):
                emitted.task.result()

    asyncio.run(main())


@FRAMINGS
def test_a_gateway_that_closes_idle_connections_is_reopened_within_the_poll(framing):
    async def main():
        async with SERVE[framing]([Unit(1, holding=[1, 2])]) as line:
            async with running(modbus(line, framing)) as emitted:
                for _ in range(3):
                    seen = len(emitted.polls)
                    await until(lambda seen=seen: len(emitted.polls) > seen + 1)
                    line.reset_connections()
                seen = len(emitted.polls)
                await until(lambda: len(emitted.polls) > seen + 1)
            assert line.accepted == 4
            assert emitted.faults == []

    asyncio.run(main())


def test_time_outs_say_function_address_and_unit():
    async def main():
        unit = Unit(3, holding=[1, 2])
        unit.faults.add(Fault.no_answer())
        async with serve_tcp([unit]) as line, running(modbus(line, unit=3)) as emitted:
            await until(emitted.task.done)
            with pytest.raises(
                DriverError, match=r"unit 3 did not answer FC03 read of holding registers 0\.\.1 \(0x0"
            ):
                emitted.task.result()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("quantity", "value", "written"),
    [("level", 42, (6, "holding", 10, [420])), ("long", 70000, (16, "holding", 20, [1, 4464])),
     ("multi", 5, (16, "holding", 30, [5])), ("lamp", True, (5, "coils", 3, [1]))],
)  # fmt: skip
def test_writing_reaches_the_register(quantity, value, written):
    function, area, address, expected = written
    registers = {
        "level": {"address": 10, "scale": 0.1, "writable": True},
        "long": {"address": 20, "type": "uint32", "writable": True},
        "multi": {"address": 30, "writable": True, "write_multiple": True},
        "lamp": {"address": 3, "table": "coil", "writable": True},
        "fixed": {"address": 40},
    }

    async def main():
        unit = Unit(
            1, holding=dict.fromkeys((10, 20, 21, 30, 40), 0), coils={3: 0},
            writable={"holding": {10, 20, 21, 30}, "coils": {3}},
        )  # fmt: skip
        async with serve_tcp([unit]) as line:
            driver = modbus(line, registers=registers)
            await driver.write(quantity, value)
            assert unit.peek(area, address, len(expected)) == expected
            assert unit.by_function[function] == 1
            for bad, said in (("fixed", "not writable; writable: level"), ("nothing", "not writable")):
                with pytest.raises(DriverError, match=said):
                    await driver.write(bad, 1)
            with pytest.raises(DriverError, match="does not fit"):
                await driver.write("level", 99999)

    asyncio.run(main())


def test_probe_says_what_answered():
    async def main():
        async with serve_tcp([Unit(1, holding=[230, 1])]) as line:
            said = await modbus(line, registers={"voltage": {"address": 0, "unit": "V"}}).probe()
        assert said == "voltage 230 V"

    asyncio.run(main())


def test_an_unreachable_line_says_what_to_check(tmp_path):
    async def main():
        async with serve_tcp([Unit(1)]) as line:
            await line.close_port()
            with pytest.raises(DriverError, match="connection refused; is the port right"):
                await modbus(line).run(Emitted())
        serial = Modbus(name="m", url=f"rtu://{tmp_path}/ttyUSB0", registers={"a": {"address": 0}})
        with pytest.raises(DriverError, match="no such serial port; is the adapter plugged in"):
            await serial.run(Emitted())

    asyncio.run(main())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "udp://host"}, "is no Modbus line"),
        ({"url": "tcp://"}, "names no host"),
        ({"url": "tcp://host:99999"}, "port must be a number"),
        ({"url": "rtu://dev/ttyUSB0"}, "three slashes"),
        ({"url": "rtu:///dev/x?baud=fast"}, "baud=fast"),
        ({"url": "rtu:///dev/x?speed=9600"}, "unknown option 'speed'"),
        ({"url": "rtu:///dev/x?parity=Q"}, "parity"),
        ({"url": "rtu:///dev/x", "unit": 248}, "units 1 to 247"),
        ({"profile": "eastron-sdm12"}, "did you mean"),
        ({"registers": {}}, "installed profiles"),
        ({"profile": "generic", "registers": {}}, "add some under registers"),
        ({"profile": "eastron-sdm120", "quantities": ["volts"]}, "has no 'volts'"),
        ({"profile": "acrel-dtsd1352", "ratios": {"XT": 2}}, "has no ratio 'XT'"),
    ],
)
def test_settings_that_cannot_work_are_refused_with_words(settings, said):
    with pytest.raises(ValueError, match=said):
        Modbus(**{"name": "m", "url": "tcp://host", "registers": {"a": {"address": 0}}, **settings})


def test_ratios_of_the_installation_scale_the_value():
    driver = Modbus(
        name="m", url="tcp://h", profile="acrel-dtsd1352", ratios={"CT": 40}, quantities=["current_l1"]
    )
    (block,) = driver.blocks()
    assert list(block.decode(bytes.fromhex("0064"))) == [40.0]
