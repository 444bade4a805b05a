"""Simulated serial lines: RTU on a pty and RTU in a TCP stream."""

from __future__ import annotations

import asyncio
import os
import termios
import tty
from pathlib import Path

import pytest
from simulated import raw, rtu, serial_client
from waiting import until

from lamppost.simulators.modbus import Unit, generic, serve_rtu_pty, serve_rtu_tcp


def units() -> list[Unit]:
    return [Unit(1, holding=[11, 12, 13]), Unit(2, holding=[21, 22, 23], writable={"holding": {0}})]


ASK_1, ANSWER_1 = rtu("010300000002"), rtu("010304000b000c")
ASK_2, ANSWER_2 = rtu("020300000001"), rtu("0203020015")


def open_port(path: str) -> int:
    port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(port)
    return port


def test_client_reads_two_units_on_a_pty_and_reopens_it():
    async def run() -> None:
        async with serve_rtu_pty(units()) as line:
            for _ in range(3):
                async with serial_client(line) as client:
                    assert (await client.read_holding_registers(0, count=3, device_id=1)).registers == [
                        11,
                        12,
                        13,
                    ]
                    assert (await client.read_holding_registers(0, count=1, device_id=2)).registers == [21]
            assert (line.requests, line.collisions, line.bad_frames) == (6, 0, 0)

    asyncio.run(run())


def test_unplugged_port_hangs_up_and_a_stable_link_leads_to_the_new_one(tmp_path: Path):
    async def run() -> None:
        link = tmp_path / "meter"
        async with serve_rtu_pty(units(), link=link) as line:
            assert line.path == str(link)
            port = open_port(line.path)
            os.write(port, ASK_1)
            await until(lambda: line.requests == 1)
            assert os.read(port, 100) == ANSWER_1
            device = os.ttyname(port)
            line.unplug()
            assert not link.is_symlink()
            assert not os.path.lexists(device)
            with pytest.raises(OSError, match="Input/output error"):
                os.write(port, ASK_1)
            os.close(port)
            line.plug()
            async with serial_client(line) as client:
                assert (await client.read_holding_registers(0, count=1, device_id=1)).registers == [11]
        assert not link.is_symlink()

    asyncio.run(run())


def test_link_never_replaces_a_real_file(tmp_path: Path):
    async def run() -> None:
        precious = tmp_path / "ttyS0"
        precious.write_text("precious")
        with pytest.raises(FileExistsError, match="left as it is"):
            async with serve_rtu_pty(units(), link=precious):
                pass
        assert precious.read_text() == "precious"

    asyncio.run(run())


def test_paced_line_takes_the_time_of_its_bytes():
    async def run() -> None:
        async with (
            serve_rtu_pty([generic(1, count=80)], baud=2400, paced=True) as line,
            serial_client(line, 2400) as client,
        ):
            assert len((await client.read_holding_registers(0, count=80, device_id=1)).registers) == 80
        (exchange,) = line.log
        # 8 bytes there, 3.5 of silence, 165 bytes back, 10 bits each.
        assert exchange.ended - exchange.started >= 176.5 * 10 / 2400 - 0.001

    asyncio.run(run())


def test_units_are_deaf_to_another_speed():
    async def run() -> None:
        async with serve_rtu_pty(units(), baud=2400, check_speed=True) as line:
            port = open_port(line.path)
            settings = termios.tcgetattr(port)
            settings[4] = settings[5] = termios.B9600
            termios.tcsetattr(port, termios.TCSANOW, settings)
            os.write(port, ASK_1)
            await until(lambda: line.wrong_speed == 1)
            assert line.requests == 0
            settings[4] = settings[5] = termios.B2400
            termios.tcsetattr(port, termios.TCSANOW, settings)
            os.write(port, ASK_1)
            await until(lambda: line.requests == 1)
            assert os.read(port, 100) == ANSWER_1
            os.close(port)

    asyncio.run(run())


def test_answers_that_nobody_takes_never_block_the_line():
    async def run() -> None:
        async with serve_rtu_pty([generic(1, count=125)]) as line:
            port = open_port(line.path)
            for n in range(1, 200):
                os.write(port, rtu("01030000007d"))
                await until(lambda n=n: line.requests == n)
            assert line.dropped_bytes > 0
            termios.tcflush(port, termios.TCIFLUSH)
            os.close(port)
            async with serial_client(line) as client:
                assert len((await client.read_holding_registers(0, count=5, device_id=1)).registers) == 5

    asyncio.run(run())


def test_unit_that_is_not_on_the_line_is_silent():
    async def run() -> None:
        async with serve_rtu_tcp(units()) as line, raw(line) as client:
            client.say(rtu("090300000001"))
            await until(lambda: line.requests == 1)
            assert await client.ask(ASK_2, len(ANSWER_2)) == ANSWER_2
            assert line.log[0].ended is None

    asyncio.run(run())


def test_broadcast_is_obeyed_and_not_answered():
    async def run() -> None:
        both = units()
        async with serve_rtu_tcp(both) as line, raw(line) as client:
            client.say(rtu("000600000063"))
            await until(lambda: line.requests == 1)
            assert await client.ask(ASK_1, len(ANSWER_1)) == ANSWER_1
        assert both[1].peek("holding", 0) == [0x63]

    asyncio.run(run())


def test_rubbish_is_dropped_after_a_silence_and_the_line_lives():
    async def run() -> None:
        async with serve_rtu_tcp(units()) as line, raw(line) as client:
            client.say(ASK_1[:-1] + b"\x00")
            await until(lambda: line.bad_frames == 1)
            client.say(b"\x00\xff")
            await until(lambda: line.bad_frames == 2)
            assert line.dropped_bytes == len(ASK_1) + 2
            assert await client.ask(ASK_1, len(ANSWER_1)) == ANSWER_1

    asyncio.run(run())


def test_function_of_unknown_length_is_framed_by_silence_and_refused():
    async def run() -> None:
        async with serve_rtu_tcp(units()) as line, raw(line) as client:
            assert await client.ask(rtu("0165010203"), 5) == rtu("01e501")

    asyncio.run(run())


def test_request_during_an_answer_is_lost_and_counts_as_a_collision():
    async def run() -> None:
        both = units()
        both[0].turnaround_s = 0.2
        async with serve_rtu_tcp(both) as line, raw(line) as client:
            client.say(ASK_1)
            await until(lambda: line.requests == 1)
            client.say(ASK_2)
            await until(lambda: line.requests == 2)
            assert line.collisions == 1
            assert await client.hear(len(ANSWER_1)) == ANSWER_1
            assert await client.ask(ASK_2, len(ANSWER_2)) == ANSWER_2
            client.say(ASK_2 + ASK_2)
            await until(lambda: line.requests == 5)
            assert line.collisions == 2
            assert await client.hear(len(ANSWER_2)) == ANSWER_2
        assert [exchange.collided for exchange in line.log] == [False, True, False, False, True]

    asyncio.run(run())


def test_client_that_leaves_during_an_answer_frees_the_line():
    async def run() -> None:
        both = units()
        both[0].turnaround_s = 30.0
        async with serve_rtu_tcp(both) as line:
            async with raw(line) as client:
                client.say(ASK_1)
                await until(lambda: line.busy is not None)
            await until(lambda: line.busy is None)
            async with raw(line) as client:
                assert await client.ask(ASK_2, len(ANSWER_2)) == ANSWER_2

    asyncio.run(run())
