"""Everything that a record holds, as JSON values: one look at the box, bounded in time."""

from __future__ import annotations

import asyncio
import base64
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any, cast

from lamppost.agent.config import Config, DeviceConfig
from lamppost.agent.paths import tables
from lamppost.drivers.api import DriverError, HasView, SharesLine
from lamppost.provisioning.check import checks, worst
from lamppost.provisioning.check.bench import Bench
from lamppost.provisioning.check.devices import CAMERA_S, line_of, newest
from lamppost.provisioning.check.picture import TakesPictures
from lamppost.provisioning.report.identity import identity
from lamppost.provisioning.words import say

_LONGEST_SIDE = 960
_QUALITY = 80
#: Keys of a device that say what it is, in the order in which they are shown; the rest is in the file.
_TOLD = ("profile", "fps")


async def gather(config: Config, technician: str = "") -> dict[str, Any]:
    """Return the record. ``cameras.NAME.jpeg`` is base64. No secret is in it."""
    findings = [finding async for finding in checks(config)]
    bench = Bench.of(config)
    devices = await _devices(bench)
    record = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "technician": technician,
        "node": {
            "id": config.node.id,
            "site": config.node.site,
            "lat": config.node.lat,
            "lon": config.node.lon,
        },
        "hub": config.hub.url if config.hub else None,
        "agent_running": bench.status is not None,
        "colour": worst(findings).value,
        "checks": [finding.as_json() for finding in findings],
        "devices": devices,
        "rules": _rules(config),
        "identity": await asyncio.to_thread(identity, config),
    }
    # Pictures come last: a secret of four letters may well stand in base64 by chance.
    clean: dict[str, Any] = _without_secrets(record, config)
    return clean | {"cameras": await _cameras(config)}


def _rules(config: Config) -> dict[str, Any]:
    said = tables(config.path).get("rules", {})
    return {
        name: {
            "kind": said[name]["kind"],
            "settings": rule.model_dump(mode="json", exclude={"name"}, exclude_none=True),
        }
        for name, rule in config.rules.items()
    }


async def _devices(bench: Bench) -> dict[str, Any]:
    lines: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
    devices = bench.config.devices
    readings = await asyncio.gather(*(newest(bench, d, lines[line_of(d)]) for d in devices.values()))
    return {
        name: {"driver": device.driver_name, "enabled": device.enabled, **_where(device), "readings": found}
        for (name, device), found in zip(devices.items(), readings, strict=True)
    }


def _where(device: DeviceConfig) -> dict[str, Any]:
    driver = device.driver
    if isinstance(driver, SharesLine):
        line = driver.connection()
        # A sensor that has its line for itself says so by its name.
        spoken = line.spoken.removesuffix(f", {device.name} alone")
        where = ", ".join(part for part in (line.line, spoken, line.address) if part not in ("", device.name))
    else:
        where = str(getattr(driver, "shown", ""))
    told = {key: getattr(driver, key) for key in _TOLD if getattr(driver, key, None) not in (None, "")}
    return {"where": where, "settings": told}


async def _cameras(config: Config) -> dict[str, Any]:
    """Return each camera's picture with its zones drawn; one after another, as each costs a process."""
    return {
        name: await _camera(device, config)
        for name, device in config.devices.items()
        if device.enabled and isinstance(device.driver, HasView)
    }


async def _camera(device: DeviceConfig, config: Config) -> dict[str, Any]:
    view = cast("HasView", device.driver)
    zones, lines = dict(view.zones), dict(view.lines)
    about: dict[str, Any] = {"zones": zones, "lines": lines, "legend": {}, "jpeg": None, "problem": ""}
    try:
        async with asyncio.timeout(CAMERA_S):
            (frame,) = await cast("TakesPictures", device.driver).snapshots(1)
    except DriverError as error:
        return about | {"problem": config.redact(str(error))}
    except TimeoutError:
        return about | {"problem": say("report.slow", seconds=CAMERA_S)}
    height, width = frame.image.shape[:2]
    jpeg, legend = await asyncio.to_thread(_drawn, frame.image, zones, lines)
    about |= {"at": frame.at.isoformat(timespec="seconds"), "width": width, "height": height}
    return about | {"legend": legend, "jpeg": base64.b64encode(jpeg).decode()}


def _drawn(image: Any, zones: Any, lines: Any) -> tuple[bytes, dict[str, str]]:
    import cv2  # noqa: PLC0415 - heavy, and only with a camera

    from lamppost.provisioning.drawn import drawn  # noqa: PLC0415

    scale = _LONGEST_SIDE / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture, legend = drawn(image, zones, lines)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes(), legend


def _without_secrets(value: Any, config: Config) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(child, config) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(child, config) for child in value]
    return config.redact(value) if isinstance(value, str) else value
