"""The box as the page shows it, in one answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from lamppost.agent.config import Config
from lamppost.agent.spool.look import look
from lamppost.agent.spool.model import SpoolError
from lamppost.drivers.api import HasView
from lamppost.provisioning.check.bench import Bench
from lamppost.provisioning.check.units import shown_unit
from lamppost.provisioning.portal.desk import Desk
from lamppost.provisioning.portal.zones import purposes


def summary(desk: Desk) -> dict[str, Any]:
    """Return node, agent, hub, spool, devices with readings, cameras with zones, open events."""
    config = desk.config
    bench = Bench.of(config)
    status = bench.status or {}
    hub = status.get("hub") or ({"url": config.hub.url} if config.hub else None)
    return {
        "node": {"id": config.node.id, "site": config.node.site, "version": status.get("version")},
        "at": time.time(),
        "agent": {
            "running": bench.status is not None,
            "hangs": bench.hangs,
            "uptime_s": status.get("uptime_s"),
            "problem": status.get("config_problem"),
        },
        "hub": hub,
        "spool": _lanes(config, status),
        "devices": {name: _device(desk, name, status) for name in config.devices},
        "cameras": {name: _camera(desk, name) for name, _ in cameras(config)},
        "open": status.get("open_events", []),
    }


def cameras(config: Config) -> list[tuple[str, Any]]:
    """Return the names and drivers of the cameras."""
    return [(n, d.driver) for n, d in config.devices.items() if isinstance(d.driver, HasView)]


def _lanes(config: Config, status: Mapping[str, Any]) -> dict[str, Any]:
    if "spool" in status:
        found: dict[str, Any] = status["spool"]["lanes"]
        return found
    try:
        stats = look(config.spool, time.time()).stats
    except SpoolError:
        return {}
    return {
        name: {
            "depth": lane.depth,
            "bytes": lane.bytes,
            "oldest_s": lane.oldest_s,
            "dropped": lane.dropped_count,
        }
        for name, lane in stats.items()
    }


def _device(desk: Desk, name: str, status: Mapping[str, Any]) -> dict[str, Any]:
    device = desk.config.devices[name]
    health = status.get("devices", {}).get(name, {})
    return {
        "driver": device.driver_name,
        "enabled": device.enabled,
        "camera": isinstance(device.driver, HasView),
        "state": health.get("state"),
        "error": desk.config.redact(str(health.get("error") or "")),
        "readings": {
            quantity: reading | {"unit": shown_unit(reading["unit"])}
            for quantity, reading in desk.history.newest.get(name, {}).items()
        },
        "history": desk.history.of(name),
    }


def _camera(desk: Desk, name: str) -> dict[str, Any]:
    driver: Any = desk.config.devices[name].driver
    view = desk.views.get(name)
    return {
        "zones": driver.zones,
        "lines": driver.lines,
        "purposes": purposes(desk.config, name),
        "problem": view.problem if view is not None else "",
        "recorded_s": _span(view),
    }


def _span(view: Any) -> float:
    recent = view.recent() if view is not None else []
    return round(recent[-1].at - recent[0].at, 1) if recent else 0.0
