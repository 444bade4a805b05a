"""Sensors that speak by themselves, and DL/T 645 meters, which answer to one address for all."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from lamppost.drivers.api import DriverError
from lamppost.drivers.serial.ask import NoAnswerError, RefusedError, join
from lamppost.drivers.serial.dlt645 import ANY
from lamppost.drivers.serial.framer import Framer
from lamppost.drivers.serial.merge import Merge, plausible
from lamppost.drivers.serial.port import open_port
from lamppost.drivers.serial.profile import Profile, available, find
from lamppost.drivers.serial.reading import reader
from lamppost.drivers.tty import LineSettings
from lamppost.provisioning.scan.found import Found, Progress

#: Longer than the pause of any sensor that speaks once a second or more.
LISTEN_S = 2.5
#: Who says nothing in this share of that time will not say two frames in all of it.
QUIET = 0.6
#: So many good frames are no chance, the other way of speaking of a line included.
ENOUGH = 2
METER_S = 0.6
#: Profiles that fit nearly anything.
VAGUE = ("text-line",)
METERS = "dlt645"


async def listen(path: str, *, progress: Progress = lambda _text, _done: None) -> list[Found]:
    """Listen at each speed that a profile speaks. Raises DriverError."""
    profiles = {name: find(name) for name in available() if name not in VAGUE}
    speakers = {name: one for name, one in profiles.items() if one.codec != METERS}
    speeds = {str(one.serial): one.serial for one in speakers.values()}
    for settings in speeds.values():
        progress(f"listening at {settings}", 0.0)
        heard = await _heard(path, settings)
        for name, profile in speakers.items():
            if profile.serial == settings and (found := _understood(path, name, profile, heard)) is not None:
                return [found]
    return []


async def ask_for_meter(path: str, *, progress: Progress = lambda _text, _done: None) -> list[Found]:
    """Ask for a DL/T 645 meter by the address that each answers to. Raises DriverError."""
    profiles = {name: find(name) for name in available()}
    for name, profile in profiles.items():
        if profile.codec != METERS:
            continue
        for baud in (2400, 9600):
            settings = profile.serial.model_copy(update={"baud": baud})
            progress(f"asking for a meter at {settings}", 0.0)
            found = await _meter(path, name, profile, settings)
            if found is not None:
                return [found]
    return []


async def _heard(path: str, settings: LineSettings) -> bytes:
    heard = bytearray()
    lost: list[str] = []
    port = open_port(path, settings, heard.extend, lost.append)
    try:
        await asyncio.sleep(QUIET * LISTEN_S)
        if heard:
            await asyncio.sleep(LISTEN_S - QUIET * LISTEN_S)
    finally:
        port.close()
    if lost:
        raise DriverError(lost[0])
    return bytes(heard)


def _understood(path: str, name: str, profile: Profile, heard: bytes) -> Found | None:
    """Return the sensor if what was heard is its frames, and little else."""
    read = reader(profile)
    framer = Framer(profile.framing, partial(plausible, profile.quantities, read), secret=profile.secret)
    merge = Merge("scan", profile.quantities, 0)
    good = 0
    framer.joined()
    for one in (*framer.feed(heard), *framer.silence()):
        try:
            good += bool(merge.put(read(one)))
        except ValueError:
            continue
    if good < ENOUGH or framer.noise_bytes > len(heard) / 2:
        return None
    readings = merge.take(0)
    shown = ", ".join(f"{r.quantity} {r.value} {r.unit}".strip() for r in readings[:3])
    settings = {"driver": "serial", "port": path, "profile": name}
    return Found(
        path, name.split("-", maxsplit=1)[0], settings, f"{good} frames in {LISTEN_S:g} s: {shown}", sure=True
    )


async def _meter(path: str, name: str, profile: Profile, settings: LineSettings) -> Found | None:
    quantity = next(iter(profile.quantities.values()))
    async with join(path, settings, profile.framing) as line:
        try:
            answer = await line.ask(ANY, quantity.source, METER_S, lambda _kind, _detail: None)
            address = answer.address
        except RefusedError as error:
            address = str(error).split()[1]
        except NoAnswerError:
            return None
    own: dict[str, Any] = {"driver": "serial", "port": path, "profile": name, "address": address}
    if settings != profile.serial:
        own["baud"] = settings.baud
    return Found(path, f"meter-{address[-3:]}", own, f"meter {address} answers", sure=True)
