"""What only the whole file shows: rules without their devices, and what should better be changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lamppost.agent.config.model import Config
from lamppost.agent.config.notes import Notes, nearest
from lamppost.agent.config.problem import KeyPath
from lamppost.agent.rules.api import Rule


def watched_devices(data: dict[str, Any], rules: Mapping[str, Rule | None], notes: Notes) -> None:
    """Note the rules that watch a device which is not in the file."""
    devices = data.get("devices")
    names = list(devices) if isinstance(devices, dict) else []
    for rule_name, rule in rules.items():
        if rule is None:
            continue
        for device in dict.fromkeys(device for device, _ in rule.watches()):
            if device not in names:
                path = next(_places_of(device, data["rules"][rule_name]), ())
                known = f"one of the devices of this file: {', '.join(names) or 'there are none'}"
                found = f"unknown device {notes.shown(device)}"
                notes.error(("rules", rule_name, *path), found, known, nearest(device, names))


def _places_of(text: str, value: Any) -> Iterator[KeyPath]:
    """Yield the paths within ``value`` where ``text`` stands."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        if child == text:
            yield (key,)
        for path in _places_of(text, child):
            yield (key, *path)


def warn(config: Config, notes: Notes) -> None:
    """Note what keeps no box from running, but is hardly meant."""
    if hub := config.hub:
        if hub.password is not None and not hub.tls:
            notes.warn(("hub", "url"), "the password travels readable for others", "use mqtts://")
        for key in ("ca_file", "cert_file", "key_file"):
            file = getattr(hub, key)
            if file is not None and not file.is_file():
                notes.warn(
                    ("hub", key), f"there is no file {file}", "until it is there no connection is made"
                )
    for name, rule in config.rules.items():
        asleep = {d for d, _ in rule.watches() if not config.devices[d].enabled}
        if asleep:
            notes.warn(("rules", name), f"watches a device that is not enabled: {', '.join(sorted(asleep))}")
