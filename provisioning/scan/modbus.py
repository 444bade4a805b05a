"""Modbus devices: which units answer on a line, and which profile fits them. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from lamppost.drivers.api import DriverError
from lamppost.drivers.modbus.endpoint import parse
from lamppost.drivers.modbus.line import Line, join
from lamppost.provisioning.scan.found import Found, Progress
from lamppost.provisioning.scan.recognise import Recogniser
from lamppost.provisioning.scan.registers import Registers

#: Speeds and parities as devices leave the factory, the most common first.
SETTINGS = tuple((baud, parity) for baud in (9600, 4800, 2400, 19200, 115200) for parity in ("N", "E"))
UNITS = range(1, 33)
#: What a device needs beside the time of the characters; slow ones are heard late, and asked again.
TURNAROUND_S, SLOW_S = 0.1, 0.6
#: So many addresses are asked again at one speed: a line that is all noise would have all of them asked.
MOST_AGAIN = 12
TCP_PORT, CONNECT_S, TCP_ANSWER_S, AT_ONCE = 502, 0.5, 1.0, 64
#: Units that a device with an address of its own, or a gateway, answers for.
TCP_UNITS = (1, 255, 2, 3, 4, 5)


async def scan_line(
    path: str,
    *,
    settings: Sequence[tuple[int, str]] = SETTINGS,
    units: Iterable[int] = UNITS,
    progress: Progress = lambda _text, _done: None,
) -> AsyncIterator[Found]:
    """Ask every unit at every speed for one register. Raises DriverError if the port cannot be opened.

    At a speed at which something answered no other is tried for the same unit.
    """
    left = list(dict.fromkeys(units))
    recogniser = Recogniser()
    refused: list[DriverError] = []
    for nth, (baud, parity) in enumerate(settings):
        if not left:
            return
        spoken = f"{baud} 8{parity}1"
        url = f"rtu://{path}?baud={baud}&parity={parity}"

        def asking(unit: int, share: float, at: float = nth, spoken: str = spoken) -> None:
            progress(f"{spoken}, unit {unit}", (at + share) / len(settings))

        try:
            async with join(parse(url)) as line:
                async for registers in _answering(line, tuple(left), asking):
                    left.remove(registers.unit)
                    progress(f"{spoken}, what is unit {registers.unit}", (nth + 1) / len(settings))
                    yield await recogniser.what(registers, url)
        except DriverError as error:
            refused.append(error)  # an adapter that does not know this speed or parity
            if len(refused) == len(settings):
                raise


async def scan_tcp(
    hosts: Sequence[str], *, port: int = TCP_PORT, progress: Progress = lambda _text, _done: None
) -> AsyncIterator[Found]:
    """Ask every host with an open port for one register."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def is_open(host: str) -> bool:
        async with turn:
            try:
                async with asyncio.timeout(CONNECT_S):
                    _, writer = await asyncio.open_connection(host, port)
            except (OSError, TimeoutError):
                return False
            writer.close()
            return True

    progress(f"{len(hosts)} addresses", 0.0)
    opened = await asyncio.gather(*(is_open(host) for host in hosts))
    open_hosts = [host for host, yes in zip(hosts, opened, strict=True) if yes]
    for nth, host in enumerate(open_hosts):
        progress(f"what is {host}", nth / len(open_hosts))
        async for found in _behind(f"tcp://{host}:{port}"):
            yield found


async def _behind(url: str) -> AsyncIterator[Found]:
    """Yield the device at an address, or the units behind a gateway."""
    recogniser = Recogniser()
    for unit in TCP_UNITS:
        try:
            async with join(parse(url)) as line:
                registers = Registers(line, unit)
                if not await registers.answers(TCP_ANSWER_S):
                    continue
                found = await recogniser.what(registers, url)
        except DriverError:
            return
        yield found
        if unit == TCP_UNITS[0]:
            return  # a device of its own answers for every unit


async def _answering(
    line: Line, units: Sequence[int], asking: Callable[[int, float], None]
) -> AsyncIterator[Registers]:
    """Yield the units that answer at the line's speed.

    A slow one answers when others are asked already: what was asked just before something came that
    is no answer is asked again with more patience, as is the last, whose answer nobody would hear.
    """
    loop = asyncio.get_running_loop()
    asked: dict[int, float] = {}
    found: set[int] = set()
    again: dict[int, None] = {}

    def late(_kind: str, _detail: str) -> None:
        again.update(dict.fromkeys(unit for unit, at in asked.items() if loop.time() - at < SLOW_S))

    for nth, unit in enumerate(units):
        asking(unit, nth / len(units))
        asked[unit] = loop.time()
        registers = Registers(line, unit, late)
        if await registers.answers(SLOW_S if unit == units[-1] else TURNAROUND_S):
            found.add(unit)
            yield registers
    for unit in [unit for unit in again if unit not in found][:MOST_AGAIN]:
        asking(unit, 1.0)
        registers = Registers(line, unit)
        if await registers.answers(SLOW_S):
            yield registers
