"""Modbus devices: which units answer on a line, and which profile fits them. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import lru_cache
from typing import Any

from lamppost.drivers.api import DriverError, Look
from lamppost.drivers.modbus import Modbus, frame
from lamppost.drivers.modbus.endpoint import Endpoint, parse
from lamppost.drivers.modbus.line import GarbledError, Line, LostError, NoAnswerError, RefusedError, join
from lamppost.drivers.modbus.profile import available
from lamppost.provisioning.scan.found import Found, Progress
from lamppost.provisioning.scan.plausible import ENOUGH, TELLING, may_fit, score

#: Speeds and parities as devices leave the factory, the most common first.
SETTINGS = tuple((baud, parity) for baud in (9600, 4800, 2400, 19200, 115200) for parity in ("N", "E"))
UNITS = range(1, 33)
#: What a device needs beside the time of the characters; slow ones are asked again with the profile.
TURNAROUND_S = 0.1
#: A request and the shortest answer, in characters.
CHARACTERS = 8 + 9
TCP_PORT, CONNECT_S, AT_ONCE = 502, 0.5, 64
#: What a gateway answers for a unit that is not there.
NO_TARGET = (10, 11)
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
    wanted = list(units)
    known: set[int] = set()
    refused: list[DriverError] = []
    for nth, (baud, parity) in enumerate(settings):
        url = f"rtu://{path}?baud={baud}&parity={parity}"
        endpoint = parse(url)
        answering = []
        try:
            async with join(endpoint) as line:
                for number, unit in enumerate(wanted):
                    progress(f"{baud} 8{parity}1, unit {unit}", (nth + number / len(wanted)) / len(settings))
                    if unit not in known and await _answers(line, unit, _patience_s(endpoint)):
                        answering.append(unit)
        except DriverError as error:
            refused.append(error)  # an adapter that does not know this speed or parity
            if len(refused) == len(settings):
                raise
            continue
        known.update(answering)
        for unit in answering:
            progress(f"{baud} 8{parity}1, what is unit {unit}", (nth + 1) / len(settings))
            yield await _identified(url, unit)
        if known and len(known) == len(wanted):
            return


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
        url = f"tcp://{host}:{port}"
        for unit in TCP_UNITS:
            try:
                async with join(parse(url)) as line:
                    if not await _answers(line, unit, 1.0):
                        continue
            except DriverError:
                break
            yield await _identified(url, unit)
            if unit == TCP_UNITS[0]:
                break  # a device of its own answers for every unit


async def _answers(line: Line, unit: int, timeout_s: float) -> bool:
    """Whether a unit answers to a read, be it with a refusal."""
    for function in (3, 4):
        request = frame.read(unit, function, 0, 1, f"one register of unit {unit}")
        try:
            await line.ask(request, timeout_s, lambda _kind, _detail: None)
        except RefusedError as error:
            return error.code not in NO_TARGET
        except NoAnswerError:
            return False
        except GarbledError:
            continue
        except LostError:
            return False
        return True
    return False


def _patience_s(endpoint: Endpoint) -> float:
    return TURNAROUND_S + CHARACTERS * endpoint.character_s


async def _identified(url: str, unit: int) -> Found:
    """Return a unit with the profile that fits best."""
    scores: list[tuple[float, int, str, str]] = []
    for name in _profiles():
        settings = {"name": "scan", "url": url, "unit": unit, "profile": name, "timeout_s": 0.5}
        try:
            looks = await _read_as(settings)
        except (DriverError, ValueError):
            continue
        shown = ", ".join(f"{one.quantity} {one.value} {one.unit}".strip() for one in looks[:3])
        scores.append((*score(looks), name, shown))
    where = f"{url} unit {unit}"
    found = {"driver": "modbus", "url": url, "unit": unit}
    best = max(scores, default=(0.0, 0, "", ""))
    if best[0] < ENOUGH:
        return Found(where, f"unit-{unit}", found, "answers, but no profile fits", sure=False)
    rivals = [one[2] for one in scores if one[:2] >= best[:2] and one[2] != best[2]]
    evidence = best[3] + (f"; it may also be {', '.join(rivals)}" if rivals else "")
    name = f"{best[2].split('-')[0]}-{unit}"
    return Found(where, name, {**found, "profile": best[2]}, evidence, sure=not rivals)


async def _read_as(settings: dict[str, Any]) -> list[Look]:
    """Return what a device says if it is of a profile; nothing if its telling quantities rule that out."""
    driver = Modbus.model_validate(settings)
    telling = [name for name, register in driver.registers_in_use().items() if register.unit in TELLING]
    if telling:
        first = Modbus.model_validate({**settings, "quantities": telling})
        if not may_fit(await first.explain()):
            return []
    return await driver.explain()


@lru_cache(maxsize=1)
def _profiles() -> list[str]:
    return [name for name in available() if name != "generic"]
