"""Simulated units over Modbus TCP, as an independent client and raw bytes see them."""

from __future__ import annotations

import asyncio
import struct

import pytest
from simulated import raw, tcp_client
from waiting import until

from lamppost.simulators.modbus import Point, Unit, generic, serve_tcp
from lamppost.simulators.modbus.behaviour import Constant, StepEachRead


def plant() -> Unit:
    return Unit(
        7,
        holding={0: 100, 1: 101, 2: 102, 10: 7, 11: 8},
        input=[5, 6],
        coils={3: 1, 4: 0, 5: 1},
        discrete=[0, 1, 1, 0, 1, 0, 0, 0, 1],
        writable={"holding": {10, 11}, "coils": {3, 4}},
    )


def test_client_reads_the_four_tables():
    async def run() -> None:
        async with serve_tcp([plant()]) as line, tcp_client(line) as client:
            assert (await client.read_holding_registers(0, count=3, device_id=7)).registers == [100, 101, 102]
            assert (await client.read_input_registers(0, count=2, device_id=7)).registers == [5, 6]
            assert (await client.read_coils(3, count=3, device_id=7)).bits[:3] == [True, False, True]
            discrete = (await client.read_discrete_inputs(0, count=9, device_id=7)).bits[:9]
            assert discrete == [bool(b) for b in [0, 1, 1, 0, 1, 0, 0, 0, 1]]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("function", "address", "count", "code"),
    [
        (3, 3, 1, 2),  # a gap
        (3, 2, 2, 2),  # runs into a gap
        (3, 65535, 2, 2),  # past the end
        (3, 0, 0, 3),
        (3, 0, 126, 3),
        (1, 0, 1, 2),
        (1, 3, 2001, 3),
        (7, 0, 0, 1),
        (6, 0, 5, 2),  # not writable
        (5, 3, 5, 3),  # neither on nor off
        (5, 5, 0xFF00, 2),
    ],
)
def test_unit_refuses_what_it_does_not_have(function, address, count, code):
    request = struct.pack(">BHH", function, address, count)
    assert plant().answer(request) == bytes((function | 0x80, code))


def test_request_cut_short_is_refused_as_illegal_value():
    assert plant().answer(b"\x03\x00") == b"\x83\x03"
    assert plant().answer(bytes.fromhex("10000a000204000100")) == b"\x90\x03"


def test_device_limit_of_registers_per_request():
    unit = generic(1, count=100, max_read=40)
    assert unit.answer(bytes.fromhex("0300000028"))[:2] == b"\x03\x50"
    assert unit.answer(bytes.fromhex("0300000029")) == b"\x83\x03"


def test_client_writes_where_that_is_allowed():
    async def run() -> None:
        unit = plant()
        async with serve_tcp([unit]) as line, tcp_client(line) as client:
            assert not (await client.write_register(10, 1234, device_id=7)).isError()
            assert not (await client.write_registers(10, [55, 66], device_id=7)).isError()
            assert not (await client.write_coil(3, False, device_id=7)).isError()
            assert not (await client.write_coils(3, [True, True], device_id=7)).isError()
            assert (await client.write_registers(9, [1, 2], device_id=7)).exception_code == 2
        assert unit.peek("holding", 10, 2) == [55, 66]
        assert unit.peek("coils", 3, 3) == [1, 1, 1]

    asyncio.run(run())


def test_unit_that_is_not_there_gets_the_gateway_exception():
    async def run() -> None:
        async with serve_tcp([plant()]) as line, tcp_client(line) as client:
            assert (await client.read_holding_registers(0, count=1, device_id=8)).exception_code == 11
            assert [(e.unit, e.function) for e in line.log] == [(8, 3)]

    asyncio.run(run())


def test_pipelined_and_dribbled_requests_are_answered_in_order():
    async def run() -> None:
        async with serve_tcp([plant()]) as line, raw(line) as client:
            one, two = bytes.fromhex("000100000006070300000001000200000006070300010001")[:12], None
            two = bytes.fromhex("000200000006070300010001")
            assert await client.ask(one + two, 22) == bytes.fromhex(
                "00010000000507030200640002000000050703020065"
            )
            for byte in one:
                client.say(bytes((byte,)))
                await client.writer.drain()
            assert (await client.hear(11))[-1] == 0x64

    asyncio.run(run())


def test_stream_that_is_not_modbus_tcp_is_dropped_and_counted():
    async def run() -> None:
        async with serve_tcp([plant()]) as line, raw(line) as client:
            client.say(b"GET / HTTP/1.1\r\n")
            await until(lambda: line.bad_frames == 1)
            assert line.dropped_bytes == 16
            assert len(await client.ask(bytes.fromhex("000100000006070300000001"), 11)) == 11

    asyncio.run(run())


def test_counters_and_log_tell_what_was_asked_and_when():
    async def run() -> None:
        unit = plant()
        async with serve_tcp([unit]) as line, tcp_client(line) as client:
            await client.read_holding_registers(0, count=3, device_id=7)
            await client.read_holding_registers(0, count=3, device_id=7)
            await client.read_coils(3, count=1, device_id=7)
        assert (unit.requests, line.requests, line.accepted) == (3, 3, 1)
        assert unit.by_function == {3: 2, 1: 1}
        assert unit.by_range == {(3, 0, 3): 2, (1, 3, 1): 1}
        first, second, _ = line.log
        assert first.request[7:] == bytes.fromhex("0300000003")
        assert first.response[7:] == bytes.fromhex("0306006400650066")
        assert first.started <= first.ended <= second.started <= second.ended
        assert all(silence >= 0 for silence in line.silences())

    asyncio.run(run())


def test_closed_port_refuses_and_comes_back_on_the_same_port():
    async def run() -> None:
        async with serve_tcp([plant()]) as line:
            port = line.port
            async with raw(line) as client:
                await line.close_port()
                with pytest.raises(ConnectionResetError):
                    await client.hear(1)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
            await line.open_port()
            assert line.port == port
            async with raw(line) as client:
                assert len(await client.ask(bytes.fromhex("000100000006070300000001"), 11)) == 11

    asyncio.run(run())


def test_two_units_of_one_id_are_a_mistake():
    with pytest.raises(ValueError, match="two units with id 7"):
        serve_tcp([plant(), plant()])


def test_counter_pattern_gives_every_register_another_value_at_each_read():
    unit = generic(1, count=200, step_s=0)
    ask = struct.pack(">BHH", 3, 10, 100)
    first = struct.unpack(">100H", unit.answer(ask)[2:])
    second = struct.unpack(">100H", unit.answer(ask)[2:])
    assert first == tuple(range(first[0], first[0] + 100))
    assert second == tuple(value + 1 for value in first)


@pytest.mark.parametrize("pattern", ["counter", "noise", "walk"])
def test_pattern_steps_with_simulated_time_and_can_be_poked(pattern):
    now = 0.0
    unit = generic(1, count=50, pattern=pattern, step_s=1.0, clock=lambda: now)
    before = unit.peek("holding", 0, 50)
    assert unit.peek("holding", 0, 50) == before
    now = 1.0
    after = unit.peek("holding", 0, 50)
    assert after != before
    if pattern == "walk":
        assert all(abs(a - b) <= 3 for a, b in zip(before, after, strict=True))
    unit.poke("holding", 5, [4711])
    assert unit.peek("holding", 4, 3) == [after[4], 4711, after[6]]
    unit.unpoke("holding", 5)
    assert unit.peek("holding", 0, 50) == after


def test_point_that_steps_at_each_read_steps_only_when_it_is_read():
    point = Point("ticks", "holding", 5, "u32", StepEachRead())
    unit = Unit(1, holding=dict.fromkeys(range(10), 0), points=[point])
    assert [unit.answer(bytes.fromhex("0300050002"))[-1] for _ in range(3)] == [0, 1, 2]
    unit.answer(bytes.fromhex("0300000005"))
    assert unit.value("ticks") == 3


@pytest.mark.parametrize(
    ("order", "registers"),
    [
        ("ABCD", [0x1234, 0x5678]),
        ("CDAB", [0x5678, 0x1234]),
        ("BADC", [0x3412, 0x7856]),
        ("DCBA", [0x7856, 0x3412]),
    ],
)
def test_point_lies_in_the_registers_in_its_byte_order(order, registers):
    point = Point("x", "holding", 0, "u32", Constant(0x12345678), order=order, writable=True)
    unit = Unit(1, points=[point])
    assert unit.peek("holding", 0, 2) == registers
    unit.poke("holding", 0, registers[::-1])
    assert unit.value("x") == {"ABCD": 0x56781234, "CDAB": 0x56781234}.get(order, 0x56781234)


def test_integers_are_rounded_scaled_and_held_within_their_range():
    points = [
        Point("cold", "holding", 0, "i16", Constant(-12.34), scale=0.1),
        Point("hot", "holding", 1, "i16", Constant(1e9), scale=0.1),
        Point("offset", "holding", 2, "u16", Constant(21.5), scale=0.1, offset=-40.0),
        Point("broken", "holding", 3, "u16", Constant(float("nan"))),
        Point("float", "holding", 4, "f32", Constant(230.0)),
        Point("lamp", "coils", 0, "bit", Constant(1.0)),
    ]
    unit = Unit(1, points=points)
    assert unit.peek("holding", 0, 6) == [0x10000 - 123, 32767, 615, 0, 0x4366, 0]
    assert unit.peek("coils", 0) == [1]
