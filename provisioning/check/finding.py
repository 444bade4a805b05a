"""What one check found: a colour, what is so, and what to do about it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from lamppost.provisioning.words import say


class Colour(StrEnum):
    """Green: as it should be. Yellow: works, but look at it. Red: the box cannot do its work so."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Finding(NamedTuple):
    """One line of a check. ``name`` is constant for programs: ``disk``, ``device/supply``, ``hub/tls``.

    ``todo`` is empty where nothing is to be done.
    """

    name: str
    colour: Colour
    says: str
    todo: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the fields as JSON values."""
        return {"name": self.name, "colour": self.colour.value, "says": self.says, "todo": self.todo}


def green(name: str, key: str, /, **values: object) -> Finding:
    """Return that all is well, in the words of ``key``."""
    return Finding(name, Colour.GREEN, say(key, **values))


def yellow(name: str, key: str, todo: str = "", /, **values: object) -> Finding:
    """Return a remark; ``todo`` is the key of what to do, with the same values."""
    return Finding(name, Colour.YELLOW, say(key, **values), say(todo, **values) if todo else "")


def red(name: str, key: str, todo: str = "", /, **values: object) -> Finding:
    """Return what is broken; ``todo`` is the key of what to do, with the same values."""
    return Finding(name, Colour.RED, say(key, **values), say(todo, **values) if todo else "")


def worst(findings: list[Finding]) -> Colour:
    """Return the worst colour; green if there is nothing."""
    order = list(Colour)
    return max((finding.colour for finding in findings), key=order.index, default=Colour.GREEN)
