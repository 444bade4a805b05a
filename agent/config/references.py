"""What rules name in other tables: their devices, and the zones and lines drawn on these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lamppost.agent.config.model import DeviceConfig
from lamppost.agent.config.notes import Notes, nearest
from lamppost.agent.config.problem import KeyPath
from lamppost.agent.rules.api import Rule
from lamppost.drivers.api import HasView

_KINDS = ("zones", "lines")


class References:
    """Checks the rules of one file against its devices; ``devices`` has None for one that does not hold."""

    def __init__(
        self, data: dict[str, Any], devices: Mapping[str, DeviceConfig | None], notes: Notes
    ) -> None:
        self._data = data
        self._devices = devices
        self._notes = notes
        tables = data.get("devices")
        self._tables: dict[str, Any] = tables if isinstance(tables, dict) else {}

    def check(self, rules: Mapping[str, Rule | None]) -> None:
        """Note every device, zone and line that a rule names and that there is not."""
        for name, rule in rules.items():
            if rule is None:
                continue
            places = {kind: list(getattr(rule, kind)()) for kind in _KINDS}
            wanted = [device for device, _ in rule.watches()]
            wanted += [device for pairs in places.values() for device, _ in pairs]
            known = [device for device in dict.fromkeys(wanted) if self._is_device(name, device)]
            looked_at = {device for pairs in places.values() for device, _ in pairs}
            cameras = [device for device in known if device in looked_at and self._is_camera(name, device)]
            for kind, pairs in places.items():
                for device, place in dict.fromkeys(pairs):
                    if place and device in cameras:
                        self._is_drawn(name, device, kind, place)

    def _is_device(self, rule: str, device: str) -> bool:
        if device in self._tables:
            return True
        names = list(self._tables)
        expected = f"one of the devices of this file: {', '.join(names) or 'there are none'}"
        found = f"unknown device {self._notes.shown(device)}"
        self._notes.error(self._path(rule, device), found, expected, nearest(device, names))
        return False

    def _is_camera(self, rule: str, device: str) -> bool:
        config = self._devices.get(device)
        if config is None or isinstance(config.driver, HasView):
            return True
        cameras = [name for name, one in self._devices.items() if one and isinstance(one.driver, HasView)]
        expected = f"one of the cameras of this file: {', '.join(cameras) or 'there are none'}"
        found = f"{self._notes.shown(device)}, which is no camera but a device of driver {config.driver_name}"
        hint = nearest(device, cameras) or (f"did you mean {cameras[0]!r}?" if len(cameras) == 1 else "")
        self._notes.error(self._path(rule, device), found, expected, hint)
        return False

    def _is_drawn(self, rule: str, device: str, kind: str, place: str) -> None:
        drawn = self._drawn(device, kind)
        if drawn is None or place in drawn:
            return
        word = kind.removesuffix("s")
        expected = f"one of the {kind} of {device}: {', '.join(drawn) or 'there are none'}"
        found = f"unknown {word} {self._notes.shown(place)}"
        hint = nearest(place, drawn) or self._elsewhere(device, kind, place)
        self._notes.error(self._path(rule, place, word), found, expected, hint)

    def _elsewhere(self, device: str, kind: str, place: str) -> str:
        """Return where a place of this name is drawn, or how to draw it."""
        word, other = kind.removesuffix("s"), next(one for one in _KINDS if one != kind)
        if place in (self._drawn(device, other) or ()):
            return f"{device} has a {other.removesuffix('s')} of this name, but the rule needs a {word}"
        for name in self._tables:
            if name != device and place in (self._drawn(name, kind) or ()):
                return f"the {word} is one of {name}"
        corners = "[[x, y], [x, y], [x, y]]" if kind == "zones" else "[[x, y], [x, y]]"
        return f"draw it in [devices.{device}]: {kind}.{place} = {corners}"

    def _drawn(self, device: str, kind: str) -> list[str] | None:
        """Return the names of what is drawn on a device; None if that cannot be known."""
        config = self._devices.get(device)
        if config is not None:
            return list(getattr(config.driver, kind)) if isinstance(config.driver, HasView) else []
        # Its table has problems of its own; what is named there has a name all the same.
        table = self._tables.get(device)
        drawn = table.get(kind) if isinstance(table, dict) else None
        return list(drawn) if isinstance(drawn, dict) else None

    def _path(self, rule: str, text: str, word: str = "") -> KeyPath:
        """Return where in the rule's table ``text`` stands, preferring a key that says ``word``."""

        def unlikely(path: KeyPath) -> bool:
            key = str(path[0])
            return not key.startswith(word) if word else key.startswith(("zone", "line"))

        found = list(_places_of(text, self._data["rules"][rule]))
        return ("rules", rule, *(min(found, key=unlikely) if found else ()))


def _places_of(text: str, value: Any) -> Iterator[KeyPath]:
    """Yield the paths within ``value`` where ``text`` stands."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, child in items:
        if child == text:
            yield (key,)
        for path in _places_of(text, child):
            yield (key, *path)
