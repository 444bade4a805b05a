"""The groups of checks, by name; light, for the shell's completion."""

from __future__ import annotations

from typing import Final, NamedTuple

_HERE = "lamppost.provisioning.check"


class Group(NamedTuple):
    """Checks that belong together: where they are, and how the names of their findings begin."""

    place: str
    names: tuple[str, ...]


#: In the order in which findings come. Modules are imported when their group is wanted.
GROUPS: Final = (
    Group(f"{_HERE}.run:agent", ("config", "agent")),
    Group(f"{_HERE}.devices:devices", ("device", "picture")),
    Group(f"{_HERE}.rules:models", ("model",)),
    Group(f"{_HERE}.rules:rules", ("rules",)),
    Group(f"{_HERE}.host:disk", ("disk", "wear")),
    Group(f"{_HERE}.stock:spool", ("spool",)),
    Group(f"{_HERE}.host:clock", ("clock",)),
    Group(f"{_HERE}.host:temperature", ("temperature", "power")),
    Group(f"{_HERE}.rights:permissions", ("permissions",)),
    Group(f"{_HERE}.certificate:certificate", ("certificate",)),
    Group(f"{_HERE}.hub:hub", ("hub",)),
)
NAMES: Final = tuple(name for group in GROUPS for name in group.names)
