"""Devices and rules of the file: the classes that they name, and what these make of their tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lamppost.agent.config.fields import fields_of
from lamppost.agent.config.notes import Notes, nearest
from lamppost.agent.config.problem import KeyPath
from lamppost.drivers import registry

#: Set by the loader from the name of the table; no key of the file.
NAME = "name"

M = TypeVar("M", bound=BaseModel)


def valid(
    model: type[M],
    table: dict[str, Any],
    at: KeyPath,
    notes: Notes,
    base: Path,
    *,
    name: str | None = None,
    host_keys: Iterable[str] = (),
) -> M | None:
    """Return ``table`` as a ``model``, or None after noting why it is none.

    ``name`` is that of the device or rule, ``host_keys`` are the keys of the same table of the file that
    do not belong to the model.
    """
    given = table if name is None else {**table, NAME: name}
    misnamed = (NAME,) if name is not None and NAME in table else ()
    found: M | None = None
    problem: ValidationError | None = None
    try:
        found = model.model_validate(given, context={"base": base})
    except ValidationError as error:
        problem = error
    except Exception as error:  # noqa: BLE001 - whatever a foreign validator does, the other problems are shown
        reason = notes.clean(f"{type(error).__name__}: {error}")
        what = f"{model.__module__}.{model.__qualname__} failed: {reason}"
        notes.error(at, what, "", "report it to its author")
    if problem is not None or misnamed:
        from lamppost.agent.config.explain import Explainer  # noqa: PLC0415 - a good file needs no words

        reserved = () if name is None else (NAME,)
        explainer = Explainer(notes, (model,), table, at, extra=host_keys, reserved=reserved)
        explainer.explain(problem, misnamed)
    return found


def plugin_class(name: str, group: str, kind: type[M], host_keys: Iterable[str]) -> type[M]:
    """Return the class of a driver or rule, which must not use a key of the host. Raises PluginError."""
    found = registry.load(name, group, kind)
    if taken := sorted(fields_of([found]).keys() & set(host_keys)):
        owner = registry.origin(name, group)
        raise registry.BrokenPlugin(
            f"{name!r} of {owner} cannot be used: its key {taken[0]!r} belongs to Lamppost"
        )
    return found


class Finder:
    """Looks up what ``driver = ...`` or ``kind = ...`` names in one group of entry points."""

    def __init__(self, notes: Notes, group: str, key: str, host_keys: Iterable[str]) -> None:
        self._notes = notes
        self._group = group
        self._key = key
        self._host_keys = frozenset(host_keys)
        self._word = group.rpartition(".")[2].removesuffix("s")

    def find(self, table: dict[str, Any], at: KeyPath, kind: type[M]) -> type[M] | None:
        """Return the class that the table names, or None after noting why there is none."""
        path = (*at, self._key)
        if self._key not in table:
            near = nearest(self._key, table).replace("did you mean", "is it written as")
            expected = f"a key {self._key!r} with {self._installed()}"
            self._notes.error(path, "nothing", expected, near)
            return None
        name = table[self._key]
        if path in self._notes.broken:
            return None
        if not isinstance(name, str):
            self._notes.error(path, self._notes.shown(name), self._installed())
            return None
        try:
            return plugin_class(name, self._group, kind, self._host_keys)
        except registry.UnknownPlugin as error:
            hint = f"did you mean {error.nearest!r}?" if error.nearest else ""
            what = f"unknown {self._word} {self._notes.shown(name)}"
            self._notes.error(path, what, self._installed(), hint)
        except registry.PluginError as error:
            self._notes.error(path, str(error))
        return None

    def _installed(self) -> str:
        names = registry.names(self._group)
        return f"one of the installed {self._word}s: {', '.join(names) or 'none is installed'}"
