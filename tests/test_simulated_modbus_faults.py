"""Each fault, as it stands on the wire."""

from __future__ import annotations

import asyncio

import pytest
from simulated import raw, rtu
from waiting import until

from lamppost.simulators.faults import NOISE, Faults
from lamppost.simulators.modbus import Fault, Kind, Unit, serve_rtu_pty, serve_rtu_tcp, serve_tcp

ASK, ANSWER = rtu("010300000002"), rtu("010304000b000c")
#: A request that no fault strikes, to see that nothing else came in between.
PROBE, PROBED = rtu("020300000001"), rtu("0203020015")
TCP_ASK = bytes.fromhex("123400000006010300000002")
TCP_ANSWER = bytes.fromhex("123400000007010304000b000c")


def units() -> list[Unit]:
    return [Unit(1, holding=[11, 12, 13]), Unit(2, holding=[21])]


#: The fault and all bytes that a struck RTU request brings.
ON_RTU = {
    "no answer": (Fault.no_answer(times=1), b""),
    "slow answer": (Fault.slow_answer(0.05, times=1), ANSWER),
    "exception": (Fault.exception(4, times=1), rtu("018304")),
    "wrong crc": (Fault.wrong_crc(times=1), ANSWER[:-1] + bytes((ANSWER[-1] ^ 0xFF,))),
    "wrong unit": (Fault.wrong_unit(times=1), rtu("020304000b000c")),
    "wrong function": (Fault.wrong_function(times=1), rtu("010404000b000c")),
    "wrong byte count": (Fault.wrong_byte_count(times=1), rtu("010306000b000c")),
    "wrong transaction": (Fault.wrong_transaction(times=1), ANSWER),
    "truncated": (Fault.truncated(times=1), ANSWER[:4]),
    "truncated to three": (Fault.truncated(3, times=1), ANSWER[:3]),
    "noise before": (Fault.noise_before(times=1), NOISE + ANSWER),
    "noise within": (Fault.noise_within(b"\x55", times=1), ANSWER[:4] + b"\x55" + ANSWER[4:]),
    "noise after": (Fault.noise_after(times=1), ANSWER + NOISE),
    "unsolicited": (Fault.unsolicited(b"\x99", delay_s=0.02, times=1), ANSWER + b"\x99"),
    "split": (Fault.split(0.003, times=1), ANSWER),
    "duplicate": (Fault.duplicate(times=1), ANSWER + ANSWER),
    "echo": (Fault.echo(times=1), ASK + ANSWER),
}


@pytest.mark.parametrize("name", ON_RTU)
def test_fault_on_a_serial_line(name):
    fault, expected = ON_RTU[name]

    async def run() -> None:
        both = units()
        both[0].faults.add(fault)
        async with serve_rtu_tcp(both) as line, raw(line) as client:
            client.say(ASK)
            await until(lambda: line.requests == 1)
            if expected:
                assert await client.hear(len(expected)) == expected
            assert line.log[0].faults == (fault.kind,)
            assert await client.ask(PROBE, len(PROBED)) == PROBED
            assert await client.ask(ASK, len(ANSWER)) == ANSWER

    asyncio.run(run())


ON_TCP = {
    "wrong transaction": (Fault.wrong_transaction(times=1), bytes.fromhex("1235") + TCP_ANSWER[2:]),
    "wrong unit": (Fault.wrong_unit(times=1), TCP_ANSWER[:6] + b"\x02" + TCP_ANSWER[7:]),
    "wrong crc behind the gateway": (Fault.wrong_crc(times=1), bytes.fromhex("12340000000301830b")),
    "exception": (Fault.exception(6, times=1), bytes.fromhex("123400000003018306")),
    "truncated": (Fault.truncated(9, times=1), TCP_ANSWER[:9]),
    "duplicate": (Fault.duplicate(times=1), TCP_ANSWER * 2),
    "split": (Fault.split(0.002, times=1), TCP_ANSWER),
    "no answer": (Fault.no_answer(times=1), b""),
}


@pytest.mark.parametrize("name", ON_TCP)
def test_fault_on_modbus_tcp(name):
    fault, expected = ON_TCP[name]

    async def run() -> None:
        async with serve_tcp(units()) as line, raw(line) as client:
            line.faults.add(fault)
            assert await client.ask(TCP_ASK, len(expected)) == expected
            await until(lambda: line.requests == 1)
            assert await client.ask(TCP_ASK, len(TCP_ANSWER)) == TCP_ANSWER

    asyncio.run(run())


def test_late_answer_lands_in_the_next_exchange():
    async def run() -> None:
        both = units()
        both[0].faults.add(Fault.late_answer(0.1, times=1))
        async with serve_rtu_tcp(both) as line, raw(line) as client:
            client.say(ASK)
            await until(lambda: line.requests == 1)
            assert await client.ask(PROBE, len(PROBED)) == PROBED
            assert await client.hear(len(ANSWER)) == ANSWER
            late, probe = line.log
            await until(lambda: late.ended is not None)
            assert late.ended >= late.started + 0.1
            assert probe.ended < late.ended
            assert line.collisions == 0

    asyncio.run(run())


def test_slow_answer_keeps_further_requests_of_a_gateway_waiting():
    async def run() -> None:
        both = units()
        both[0].faults.add(Fault.slow_answer(0.1, times=1))
        async with serve_tcp(both) as line, raw(line) as client:
            probe = bytes.fromhex("000900000006020300000001")
            client.say(TCP_ASK)
            await until(lambda: line.requests == 1)
            assert await client.ask(probe, 24) == TCP_ANSWER + bytes.fromhex("0009000000050203020015")
            slow, behind = line.log
            assert slow.ended - slow.started >= 0.1
            assert behind.ended >= slow.ended

    asyncio.run(run())


def test_reset_ends_the_connection_and_the_next_one_works():
    async def run() -> None:
        async with serve_tcp(units()) as line:
            line.faults.add(Fault.reset(times=1))
            async with raw(line) as client:
                with pytest.raises(ConnectionResetError):
                    await client.ask(TCP_ASK, 1)
            async with raw(line) as client:
                assert await client.ask(TCP_ASK, len(TCP_ANSWER)) == TCP_ANSWER

    asyncio.run(run())


def test_faults_add_up():
    async def run() -> None:
        async with serve_rtu_tcp(units()) as line, raw(line) as client:
            line.faults.add(Fault.slow_answer(0.05), Fault.echo())
            line.units[1].faults.add(Fault.truncated(2), Fault.noise_after(b"\xaa"))
            assert await client.ask(ASK, len(ASK) + 3) == ASK + ANSWER[:2] + b"\xaa"
            assert await client.ask(PROBE, len(PROBE + PROBED)) == PROBE + PROBED

    asyncio.run(run())


def test_silent_gateway_takes_connections_and_requests_until_cleared():
    async def run() -> None:
        async with serve_tcp(units()) as line:
            line.faults.add(Fault.no_answer())
            async with raw(line) as one, raw(line) as two:
                one.say(TCP_ASK)
                two.say(TCP_ASK)
                await until(lambda: line.requests == 2)
                line.faults.clear()
                assert await two.ask(b"\x77" + TCP_ASK[1:], len(TCP_ANSWER)) == b"\x77" + TCP_ANSWER[1:]

    asyncio.run(run())


def test_struck_write_is_not_done_but_a_spoiled_answer_to_one_is():
    async def run() -> None:
        unit = Unit(1, holding=[0], writable={"holding": {0}})
        write = rtu("010600000007")
        async with serve_rtu_tcp([unit]) as line, raw(line) as client:
            line.faults.add(Fault.exception(4, times=1))
            assert await client.ask(write, 5) == rtu("018604")
            assert unit.peek("holding", 0) == [0]
            line.faults.add(Fault.wrong_crc(times=1))
            assert (await client.ask(write, 8))[:-2] == write[:-2]
            assert unit.peek("holding", 0) == [7]

    asyncio.run(run())


def test_bytes_can_be_put_on_an_idle_line():
    async def run() -> None:
        async with serve_rtu_tcp(units()) as line, raw(line) as client:
            assert await client.ask(PROBE, len(PROBED)) == PROBED
            line.send(b"\x01\x02\x03")
            assert await client.hear(3) == b"\x01\x02\x03"

    asyncio.run(run())


def test_reset_on_a_pty_is_no_answer():
    async def run() -> None:
        async with serve_rtu_pty(units()) as line:
            line.faults.add(Fault.reset(times=1))
            line.sessions.copy().pop().received(ASK)
            assert line.log[0].ended is None
            assert line.busy is None

    asyncio.run(run())


def test_fault_is_limited_by_count_time_probability_and_function():
    now = 0.0
    faults = Faults(seed=1, clock=lambda: now)
    faults.add(Fault.no_answer(times=2), Fault.echo(for_s=5.0), Fault.split(functions={4}))
    assert [set(faults.strike(3)) for _ in range(3)] == [
        {Kind.NO_ANSWER, Kind.ECHO},
        {Kind.NO_ANSWER, Kind.ECHO},
        {Kind.ECHO},
    ]
    now = 5.0
    assert set(faults.strike(3)) == set()
    assert set(faults.strike(4)) == {Kind.SPLIT}
    faults.clear()
    half = Fault.reset(probability=0.5)
    faults.add(half)
    struck = sum(Kind.RESET in faults.strike(3) for _ in range(1000))
    assert 400 < struck < 600
    assert faults.struck[Kind.RESET] == struck
    faults.remove(half)
    assert not faults


def test_same_seed_meets_the_same_faults():
    def history() -> list[bool]:
        faults = Faults(seed=5)
        faults.add(Fault.no_answer(probability=0.3))
        return [bool(faults.strike(3)) for _ in range(50)]

    assert history() == history()


def test_fault_is_read_from_text():
    fault = Fault.parse("slow-answer:0.1,delay_s=2,times=3")
    assert (fault.kind, fault.probability, fault.delay_s, fault.times) == (Kind.SLOW_ANSWER, 0.1, 2.0, 3)
    assert Fault.parse("exception").code == 4
    assert Fault.parse("noise-before,data=00ff").data == b"\x00\xff"
    assert all(Fault.parse(kind).kind == kind for kind in Kind)
    with pytest.raises(ValueError, match="unknown fault 'no-anwser'; there are: no-answer"):
        Fault.parse("no-anwser")
    with pytest.raises(ValueError, match="unknown setting 'delay' of fault slow-answer; there are: delay_s"):
        Fault.parse("slow-answer,delay=2")
