"""Every device: as the running agent has it, or asked directly if none runs."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from lamppost.agent.config import DeviceConfig
from lamppost.drivers.api import CanExplain, CanProbe, DriverError, HasView, Look, SharesLine
from lamppost.provisioning.check import picture
from lamppost.provisioning.check.bench import Bench
from lamppost.provisioning.check.finding import Finding, green, red, yellow
from lamppost.provisioning.check.live import sampled
from lamppost.provisioning.check.units import shown_unit
from lamppost.provisioning.words import span

#: Seconds that one device may take; a camera starts a process and decodes.
DEVICE_S, CAMERA_S = 8.0, 14.0
#: Seconds for all of them. What is not asked by then is said so.
ALL_S = 20.0
#: Cameras that are opened at once: each costs a process.
_CAMERAS_AT_ONCE = 2
_SHOWN = 4


async def devices(bench: Bench) -> AsyncIterator[Finding]:
    """Yield one finding for each device, and one for each camera's picture, in the order of the file.

    Devices of one line are asked one after another, all lines at once.
    """
    config = bench.config
    if not config.devices:
        yield yellow("device", "device.no-devices", "device.no-devices.todo")
    if bench.status is not None:
        for device in config.devices.values():
            for finding in told(bench, device):
                yield finding
        return
    until = asyncio.get_running_loop().time() + ALL_S
    lines: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
    cameras = asyncio.Semaphore(_CAMERAS_AT_ONCE)
    tasks = [
        asyncio.create_task(_asked(device, lines[line_of(device)], cameras, until))
        for device in config.devices.values()
    ]
    try:
        for task in tasks:
            for finding in await task:
                yield finding
    finally:
        for task in tasks:
            task.cancel()


def line_of(device: DeviceConfig) -> str:
    """Return what a device must not be asked on at the same time as another."""
    driver = device.driver
    return driver.connection().line if isinstance(driver, SharesLine) else f"device {device.name}"


async def _asked(
    device: DeviceConfig, line: asyncio.Lock, cameras: asyncio.Semaphore, until: float
) -> list[Finding]:
    name = f"device/{device.name}"
    if not device.enabled:
        return [yellow(name, "device.off", "device.off.todo")]
    is_camera = isinstance(device.driver, HasView)
    try:
        async with asyncio.timeout_at(until):
            async with line, cameras if is_camera else asyncio.Lock():
                return await _asked_now(device, CAMERA_S if is_camera else DEVICE_S)
    except TimeoutError:
        return [yellow(name, "device.queue", "check.slow.todo", line=line_of(device), name=name)]


async def _asked_now(device: DeviceConfig, within_s: float) -> list[Finding]:
    name, driver = f"device/{device.name}", device.driver
    try:
        async with asyncio.timeout(within_s):
            if isinstance(driver, CanExplain):
                found = [explained(name, await driver.explain())]
            elif isinstance(driver, CanProbe):
                found = [green(name, "device.answered", what=await driver.probe())]
            else:
                found = [green(name, "device.answered", what=summary(await sampled(driver)))]
            if isinstance(driver, HasView):
                found.append(await picture.taken(device))
    except TimeoutError:
        return [red(name, "check.slow", "device.failed.todo", seconds=within_s)]
    except DriverError as error:
        return [failed(name, str(error))]
    return found


def explained(name: str, looks: Sequence[Look]) -> Finding:
    """Judge what a device sent: it may answer, and yet say nothing that its profile believes."""
    bad = [f"{one.quantity} ({one.why})" for one in looks if one.value is None]
    if bad:
        make, shown = (red if len(bad) == len(looks) else yellow), ", ".join(bad[:_SHOWN])
        return make(name, "device.senseless", "device.bad.todo", what=shown, bad=len(bad), count=len(looks))
    readings = {one.quantity: {"value": one.value, "unit": one.unit} for one in looks}
    return green(name, "device.answered", what=summary(readings))


def failed(name: str, words: str) -> Finding:
    """Return a failure; drivers end theirs with what to do about it, after a semicolon."""
    what, _, advice = words.rpartition("; ")
    if what:
        return red(name, "device.failed", "device.told.todo", why=what, advice=advice)
    return red(name, "device.failed", "device.failed.todo", why=words)


def told(bench: Bench, device: DeviceConfig) -> list[Finding]:
    """Return what the running agent knows of a device; its port is the agent's."""
    name = f"device/{device.name}"
    if not device.enabled:
        return [yellow(name, "device.off", "device.off.todo")]
    health = (bench.status or {}).get("devices", {}).get(device.name)
    if health is None:
        return [yellow(name, "device.unknown", "device.unknown.todo")]
    newest = bench.newest(device.name)
    found = [_health(bench, device.name, health, newest)]
    if isinstance(device.driver, HasView) and health["state"] in ("ok", "degraded"):
        found.append(picture.told(device, health, newest))
    return found


def _health(bench: Bench, device: str, health: Mapping[str, Any], newest: Mapping[str, Any]) -> Finding:
    name = f"device/{device}"
    match health["state"]:
        case "failing" | "stalled":
            return failed(name, str(health["error"]))
        case "starting":
            return yellow(name, "device.starting", "device.starting.todo")
    if health["bad"]:
        return yellow(name, "device.bad", "device.bad.todo", what=", ".join(health["bad"][:8]))
    if health["state"] == "degraded":
        faults = sorted(health["faults"].values(), key=lambda fault: str(fault["at"]))
        why = faults[-1]["detail"] if faults else "?"
        return yellow(name, "device.degraded", "device.degraded.todo", why=why, device=device)
    at = datetime.fromisoformat(health["last_sample_at"])
    ago = span((bench.now() - at).total_seconds())
    return green(name, "device.delivers", ago=ago, what=summary(newest))


def summary(readings: Mapping[str, Any]) -> str:
    """Return the first readings in one line."""
    shown = [f"{name} {r['value']} {shown_unit(r['unit'])}".strip() for name, r in readings.items()]
    more = f", +{len(shown) - _SHOWN}" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more


async def newest(bench: Bench, device: DeviceConfig, line: asyncio.Lock) -> dict[str, Any]:
    """Return the newest readings: the agent's, or one look of our own where none runs.

    Empty for a camera without an agent, and for a device that does not answer; the checks say why.
    """
    if bench.status is not None or not device.enabled or isinstance(device.driver, HasView):
        return bench.newest(device.name) if bench.status is not None else {}
    try:
        async with line, asyncio.timeout(DEVICE_S):
            return await sampled(device.driver)
    except (TimeoutError, DriverError):
        return {}
