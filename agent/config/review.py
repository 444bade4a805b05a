"""What only the whole file shows, or the disk: shared lines, missing files, and what is hardly meant."""

from __future__ import annotations

from collections.abc import Mapping

from lamppost.agent.config.model import PORTS, Config, DeviceConfig, Hub
from lamppost.agent.config.notes import Notes
from lamppost.drivers.api import Connection, SharesLine


def files(hub: Hub, notes: Notes) -> None:
    """Note the files of the hub that are not there: without them no connection will ever be made."""
    for key in ("ca_file", "cert_file", "key_file"):
        file = getattr(hub, key)
        if file is None:
            continue
        try:
            found = "" if file.is_file() else "is a folder" if file.is_dir() else "there is no such file"
        except OSError as error:
            notes.warn(("hub", key), f"{file} cannot be looked at: {error.strerror}")
            continue
        if found:
            hint = "paths begin at the folder of the configuration" if found.startswith("there") else ""
            notes.error(("hub", key), f"{file}: {found}", "", hint)


def lines(devices: Mapping[str, DeviceConfig | None], notes: Notes) -> None:
    """Note devices that share a line and speak to it differently, or have the same address on it."""
    first: dict[str, tuple[str, Connection]] = {}
    taken: dict[tuple[str, str], str] = {}
    for name, device in devices.items():
        if device is None or not device.enabled or not isinstance(device.driver, SharesLine):
            continue
        mine = device.driver.connection()
        other, its = first.setdefault(mine.line, (name, mine))
        path = ("devices", name, mine.key)
        if mine.spoken != its.spoken:
            expected = f"{its.spoken}, as {other} says"
            hint = "all devices of one line are spoken to alike"
            notes.error(path, f"{mine.spoken} on {mine.line}", expected, hint)
        same = taken.setdefault((mine.line, mine.address), name)
        if same != name:
            notes.warn(
                path, f"is {mine.address} on {mine.line}, and so is {same}", "was it copied from there?"
            )


def warn(config: Config, notes: Notes) -> None:
    """Note what keeps no box from running, but is hardly meant."""
    if hub := config.hub:
        if hub.password is not None and not hub.tls:
            notes.warn(("hub", "url"), "the password travels readable for others", "use mqtts://")
        scheme, other = ("mqtts", "mqtt") if hub.tls else ("mqtt", "mqtts")
        if hub.port == PORTS[other]:
            found = f"{scheme}:// with port {hub.port}, which is usually that of {other}://"
            notes.warn(("hub", "url"), found, f"write {other}://, or port {PORTS[scheme]}")
    for name, rule in config.rules.items():
        asleep = {d for d, _ in rule.watches() if not config.devices[d].enabled}
        if asleep:
            notes.warn(("rules", name), f"watches a device that is not enabled: {', '.join(sorted(asleep))}")
