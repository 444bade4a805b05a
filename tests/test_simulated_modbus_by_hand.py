"""`lamppost simulate`, started as a person starts it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from lamppost.simulators.faults import Kind
from lamppost.simulators.modbus import names

COMMAND = [sys.executable, "-c", "import sys; from lamppost.provisioning.cli import main; sys.exit(main())"]


class Running:
    """A simulator process whose output is read until something is said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")

    async def says(self, pattern: str) -> re.Match[str]:
        assert self.process.stdout is not None
        heard = ""
        async with asyncio.timeout(20):
            while line := (await self.process.stdout.readline()).decode():
                heard += line
                if found := re.search(pattern, line):
                    return found
        raise AssertionError(f"{pattern!r} was not said, but {heard!r}")

    async def ends(self) -> int:
        return await asyncio.wait_for(self.process.wait(), 10)


@contextlib.asynccontextmanager
async def simulate(*args: str) -> AsyncIterator[Running]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "simulate", *args, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield Running(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def test_meter_on_tcp_shows_its_values_and_takes_commands():
    async def run() -> None:
        async with simulate("modbus", "-d", "eastron-sdm120", "--tcp", "0", "--set", "voltage=231.5") as it:
            port = int((await it.says(r"serving Modbus TCP on 127.0.0.1:(\d+)"))[1])
            client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=5, retries=0)
            assert await client.connect()
            voltage = await client.read_input_registers(0, count=2, device_id=1)
            assert client.convert_from_registers(voltage.registers, client.DATATYPE.FLOAT32) == 231.5
            await it.says(r"eastron-sdm120 #1: voltage 231.50 V .*\| 1 requests")
            it.type("set voltage 265")
            it.type("fault exception,code=6")
            await it.says("armed: exception,code=6")
            assert (await client.read_input_registers(0, count=2, device_id=1)).exception_code == 6
            await it.says("voltage 265.00 V")
            await it.says("faults: exception 1")
            it.type("set wattage 1")
            await it.says("no quantity 'wattage' here; there are: voltage, .*type help")
            it.type("clear")
            await it.says("no faults")
            client.close()
            it.type("quit")
            assert await it.ends() == 0

    asyncio.run(run())


def test_two_devices_on_a_pty_whose_link_goes_away_with_them(tmp_path: Path):
    async def run() -> None:
        port = tmp_path / "rs485"
        both = ("-d", "eastron-sdm120", "-u", "1", "-d", "rika-rk900-09", "-u", "2")
        async with simulate("modbus", *both, "--pty", str(port), "--baud", "2400", "--paced") as it:
            await it.says(f"serving RTU at 2400 baud on {port}")
            client = AsyncModbusSerialClient(str(port), baudrate=2400, timeout=5, retries=0)
            assert await client.connect()
            assert len((await client.read_holding_registers(0, count=5, device_id=2)).registers) == 5
            assert len((await client.read_input_registers(0, count=2, device_id=1)).registers) == 2
            client.close()
            it.type("unplug")
            await it.says("unplugged")
            assert not port.is_symlink()
            it.type("plug")
            await it.says(f"plugged: {port}")
            it.process.send_signal(signal.SIGINT)
            assert await it.ends() == 0
            assert not port.is_symlink()

    asyncio.run(run())


def test_link_follows_what_is_typed():
    async def run() -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(100):
                    writer.write(data)
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        upstream = server.sockets[0].getsockname()[1]
        async with server, simulate("link", "--to", f"127.0.0.1:{upstream}") as it:
            port = int((await it.says(r"link 127.0.0.1:(\d+) -> "))[1])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            await it.says("up: 1 connections, 5 bytes up, 5 bytes down")
            it.type("cut")
            await it.says("^cut$")
            with pytest.raises(ConnectionResetError):
                await reader.read(1)
            writer.close()
            it.type("slow 0")
            await it.says("use stall")
            it.type("restore")
            await it.says("^up$")
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            it.process.send_signal(signal.SIGTERM)
            assert await it.ends() == 0

    asyncio.run(run())


def test_list_names_every_device_and_fault():
    done = subprocess.run(
        [*COMMAND, "simulate", "modbus", "--list"], capture_output=True, text=True, check=True
    )
    for word in (*names(), *Kind):
        assert f"  {word}" in done.stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--tcp", "0"], "name at least one of: eastron-sdm120"),
        (["-d", "nonsense", "--tcp", "0"], "no simulated device 'nonsense'; there are: eastron-sdm120"),
        (["-d", "generic"], "give one of --tcp PORT"),
        (["-d", "generic", "--tcp", "0", "--pty", "x"], "give one of --tcp PORT"),
        (["-d", "generic", "-d", "generic", "--tcp", "0"], "two devices have the same unit (1, 1)"),
        (["-d", "generic", "--tcp", "0", "-f", "bang"], "unknown fault 'bang'; there are: no-answer"),
        (["-d", "sen0676-level", "--tcp", "0", "--set", "levle=4"], "no quantity 'levle' here"),
    ],
)
def test_wrong_arguments_say_what_is_expected(args, said):
    done = subprocess.run(
        [*COMMAND, "simulate", "modbus", *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
