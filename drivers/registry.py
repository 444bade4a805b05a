"""Plug-ins by entry point: which are installed, and their classes, imported only when asked for."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar, overload

from lamppost.drivers.api import Driver

DRIVERS = "lamppost.drivers"
T = TypeVar("T")


class PluginError(Exception):
    """A plug-in that cannot be used: which, why, and what to do about it."""


class UnknownPlugin(PluginError):  # noqa: N818 - a plain word for a plain thing
    """No installed package offers this name. ``installed`` and ``nearest`` say what there is."""

    def __init__(self, name: str, group: str, installed: list[str]) -> None:
        import difflib  # noqa: PLC0415 - a good configuration has nothing to guess

        near = difflib.get_close_matches(name, installed, n=1)
        self.installed = installed
        self.nearest = near[0] if near else ""
        what = group.rpartition(".")[2].removesuffix("s")
        hint = f"; did you mean {self.nearest!r}?" if near else ";"
        super().__init__(f"unknown {what} {name!r}{hint} installed: {', '.join(installed) or 'none'}")


class DuplicatePlugin(PluginError):  # noqa: N818
    """Two installed packages offer the same name."""


class BrokenPlugin(PluginError):  # noqa: N818
    """A plug-in is installed, but its class cannot be imported or is none."""


@cache
def _entries(group: str) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=group))


def forget() -> None:
    """Look again at the next call: packages were installed or removed while this process runs."""
    _entries.cache_clear()


def names(group: str = DRIVERS) -> list[str]:
    """Return the names of the installed plug-ins, sorted."""
    return sorted({entry.name for entry in _entries(group)})


def origin(name: str, group: str = DRIVERS) -> str:
    """Return the distribution and version that ``name`` comes from, empty if it is unknown."""
    return next((_distribution(entry) for entry in _entries(group) if entry.name == name), "")


@overload
def load(name: str) -> type[Driver]: ...
@overload
def load(name: str, group: str, kind: type[T]) -> type[T]: ...
def load(name: str, group: str = DRIVERS, kind: type = Driver) -> type:
    """Return the class behind ``name``, which must be a ``kind``.

    Raises UnknownPlugin, DuplicatePlugin or BrokenPlugin.
    """
    found = {entry.value: entry for entry in _entries(group) if entry.name == name}
    if not found:
        raise UnknownPlugin(name, group, names(group))
    if len(found) > 1:
        owners = " and ".join(sorted(_distribution(entry) for entry in found.values()))
        raise DuplicatePlugin(f"{name!r} is offered by {owners}; uninstall one of them")
    (entry,) = found.values()
    try:
        plugin = entry.load()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise BrokenPlugin(f"{name!r} of {_distribution(entry)} cannot be loaded: {reason}") from error
    if not isinstance(plugin, type) or not issubclass(plugin, kind):
        raise BrokenPlugin(
            f"{name!r} of {_distribution(entry)} cannot be used: {entry.value} is no {kind.__name__}"
        )
    return plugin


def _distribution(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
