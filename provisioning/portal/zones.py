"""Drawing a zone with what is to be seen in it, as one change of the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import tomlkit
from pydantic import BaseModel, ConfigDict, Field

from lamppost.agent.config import Config
from lamppost.provisioning.edit import Editing

#: What a zone can be for; each is a kind of rule.
PARKING, LOITERING, WATER = "parking", "loitering", "waterlogging"
KINDS: Final = (PARKING, LOITERING, WATER)
#: How water's rule may be written, too.
_ALIASES: Final = {"road.waterlogging": WATER}


class Purpose(BaseModel):
    """How long one may stay in a zone; water has no such time."""

    model_config = ConfigDict(extra="forbid")

    dwell_s: float | None = Field(None, gt=0, le=86400)


class Drawing(BaseModel):
    """A zone as the page draws it: corners in 0..1, and its purposes by kind."""

    model_config = ConfigDict(extra="forbid")

    points: list[tuple[float, float]] = Field(min_length=3, max_length=64)
    rules: dict[str, Purpose] = Field(default_factory=dict)

    def draw(self, edit: Editing, camera: str, zone: str) -> None:
        """Put zone and rules into a configuration that is being changed. Raises EditError."""
        edit.set_zone(camera, zone, self.points)
        there = dict(_rules(edit.text, camera, zone))
        for kind in KINDS:
            purpose = self.rules.get(kind)
            if purpose is None:
                if kind in there:
                    edit.remove(("rules", there[kind]))
            elif kind in there:
                if purpose.dwell_s is not None and kind != WATER:
                    edit.set(("rules", there[kind], "dwell_s"), _number(purpose.dwell_s))
            else:
                edit.add_table(("rules", _name(edit.text, zone, kind)), _table(kind, camera, zone, purpose))


def erase(edit: Editing, camera: str, zone: str) -> None:
    """Remove a zone and the rules that look at it. Raises EditError if there is none."""
    for _, rule in list(_rules(edit.text, camera, zone)):
        edit.remove(("rules", rule))
    edit.remove_zone(camera, zone)


def purposes(config: Config, camera: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the purposes of each zone of a camera, by kind, and the names of their rules."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name, rule in config.rules.items():
        kind = type(rule).__name__.lower()
        for watched, zone in rule.zones():
            if watched == camera and kind in KINDS:
                told = {"rule": name, "dwell_s": getattr(rule, "dwell_s", None)}
                found.setdefault(zone, {})[kind] = told
    return found


def _rules(text: str, camera: str, zone: str) -> Iterator[tuple[str, str]]:
    """Yield kind and name of the rules that look at a zone."""
    rules: Mapping[str, Any] = tomlkit.parse(text).unwrap().get("rules", {})
    for name, table in rules.items():
        if isinstance(table, Mapping) and (table.get("camera"), table.get("zone")) == (camera, zone):
            kind = str(table.get("kind"))
            yield _ALIASES.get(kind, kind), name


def _name(text: str, zone: str, kind: str) -> str:
    """Return a name that no rule has."""
    taken: Sequence[str] = list(tomlkit.parse(text).unwrap().get("rules", {}))
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{zone}-{kind}").strip("-") or kind
    return next(name for n in range(1, 1000) if (name := stem if n == 1 else f"{stem}-{n}") not in taken)


def _table(kind: str, camera: str, zone: str, purpose: Purpose) -> dict[str, Any]:
    table: dict[str, Any] = {"kind": kind, "camera": camera, "zone": zone}
    if purpose.dwell_s is not None and kind != WATER:
        table["dwell_s"] = _number(purpose.dwell_s)
    return table


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else value
