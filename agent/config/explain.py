"""pydantic's errors in the words of a technician."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from lamppost.agent.config.fields import Models, fields_of, types_in, walk
from lamppost.agent.config.notes import Note, Notes, nearest
from lamppost.agent.config.problem import KeyPath

_WORDS = {
    "string": "a text in quotes",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "finite": "a number that is not inf or nan",
    "bool": "true or false",
    "list": "an array: [ ... ]",
    "tuple": "an array: [ ... ]",
    "set": "an array: [ ... ]",
    "frozen": "an array: [ ... ]",
    "dict": "a table",
    "mapping": "a table",
    "model": "a table",
    "dataclass": "a table",
    "path": "a path in quotes",
    "url": "a URL in quotes",
    "datetime": "a date and time",
    "date": "a date",
    "time": "a time",
    "none": "nothing",
}
_WRONG_KIND = ("_type", "_parsing", "_from_float", "_number", "_size")
_RANGES = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
_FIRST_WORD = re.compile(r"(?:unknown |the )?([A-Za-z0-9_]+)\b")


class Explainer:
    """Turns the errors of one table into notes.

    ``extra`` are keys that are valid in this table though the models do not know them, and
    ``reserved`` keys that the models know but the file must not use.
    """

    def __init__(
        self,
        notes: Notes,
        models: Models,
        data: dict[str, Any],
        prefix: KeyPath,
        *,
        extra: Iterable[str] = (),
        reserved: Iterable[str] = (),
    ) -> None:
        self._notes = notes
        self._models = models
        self._data = data
        self._prefix = prefix
        self._extra = tuple(extra)
        self._reserved = frozenset(reserved)

    def explain(self, error: ValidationError | None, unknown: Iterable[str] = ()) -> None:
        """Note everything that ``error`` holds, once for each place, and the keys that are ``unknown``."""
        for key in unknown:
            self._keep(self._unknown((key,)))
        unions: dict[KeyPath, dict[Any, list[Note]]] = defaultdict(lambda: defaultdict(list))
        for detail in error.errors(include_url=False) if error else ():
            path, branch = self._path(detail)
            note = self._note(detail, path)
            if branch is None:
                self._keep(note)
            else:
                at, tag = branch
                unions[at][tag].append(note)
        for at, branches in unions.items():
            for note in self._one_of(at, list(branches.values())):
                self._keep(note)

    def _keep(self, note: Note) -> None:
        path = (*self._prefix, *note.path)
        if not self._notes.is_broken(path):
            self._notes.error(path, note.found, note.expected, note.hint)

    def _path(self, detail: ErrorDetails) -> tuple[KeyPath, tuple[KeyPath, Any] | None]:
        """Return the key path of an error, and where and under which tag it left a union if it did.

        pydantic mixes the tags of union members into its locations; what is no key of the file is one.
        """
        value: Any = self._data
        path: list[str | int] = []
        branch: tuple[KeyPath, Any] | None = None
        last = len(detail["loc"]) - 1
        for index, part in enumerate(detail["loc"]):
            if part == "[key]":
                continue
            inside = (isinstance(value, dict) and part in value) or (
                isinstance(value, list) and isinstance(part, int) and part < len(value)
            )
            if inside:
                value = value[part]
                path.append(part)
            elif index == last and detail["type"] == "missing":
                path.append(part)
            elif branch is None:
                branch = tuple(path), part
        return tuple(path), branch

    def _one_of(self, at: KeyPath, branches: Sequence[list[Note]]) -> list[Note]:
        """Return one complaint about a value that is none of several things.

        A branch that complains of something deeper is the one that was meant.
        """
        deeper = [notes for notes in branches if any(len(note.path) > len(at) for note in notes)]
        if deeper:
            return min(deeper, key=len)
        first = branches[0][0]
        expected = dict.fromkeys(note.expected or note.found for notes in branches for note in notes)
        found = self._notes.shown(self._value(at), (*self._prefix, *at))
        return [Note(at, found, " or ".join(expected), first.hint)]

    def _value(self, path: KeyPath) -> Any:
        value: Any = self._data
        for part in path:
            value = value[part]
        return value

    def _note(self, detail: ErrorDetails, path: KeyPath) -> Note:
        kind = detail["type"]
        _, field = walk(self._models, path)
        about = field.description or "" if field else ""
        if kind == "extra_forbidden":
            return self._unknown(path)
        if kind == "missing":
            return self._missing(path, about)
        if kind in ("value_error", "assertion_error"):
            return self._from_author(detail, path)
        found = self._notes.shown(detail["input"], (*self._prefix, *path))
        if kind in ("literal_error", "enum"):
            return self._choice(detail, path, found, about)
        context = detail.get("ctx", {})
        if kind in _RANGES:
            limits = _range(field) or _bound(kind, context)
            of = "of " if limits.startswith("at ") else ""
            return Note(path, found, f"{_number(field)} {of}{limits}", about)
        word = _WORDS.get(kind.partition("_")[0]) if kind.endswith(_WRONG_KIND) else _length(kind, context)
        message = detail["msg"].removeprefix("Input should be ").removeprefix("Value should be ")
        return Note(path, found, word or message[:1].lower() + message[1:], about)

    def _choice(self, detail: ErrorDetails, path: KeyPath, found: str, about: str) -> Note:
        expected = str(detail["ctx"]["expected"])
        near = nearest(str(detail["input"]), re.findall(r"'([^']*)'", expected))
        return Note(path, found, expected, near or about)

    def _from_author(self, detail: ErrorDetails, path: KeyPath) -> Note:
        """Return the text of a driver's, a rule's or our own validator as it is."""
        found = self._notes.shown(detail["input"], (*self._prefix, *path))
        text = str(detail.get("ctx", {}).get("error", detail["msg"])) or detail["msg"]
        table = detail["input"]
        if not isinstance(table, dict | list) and found.strip('"') not in text and not self._is_hidden(path):
            return Note(path, f"{found}: {text}")
        key = _subject(text, table) if isinstance(table, dict) else ""
        return Note((*path, key), text.removeprefix(f"{key}: ")) if key else Note(path, text)

    def _is_hidden(self, path: KeyPath) -> bool:
        return (*self._prefix, *path) in self._notes.hidden

    def _unknown(self, path: KeyPath) -> Note:
        models, _ = walk(self._models, path[:-1])
        known = [key for key in fields_of(models) if len(path) > 1 or key not in self._reserved]
        if len(path) == 1:
            known += [key for key in self._extra if key not in known]
        return Note(
            path, f"unknown key {path[-1]!r}", f"one of: {', '.join(known)}", nearest(str(path[-1]), known)
        )

    def _missing(self, path: KeyPath, about: str) -> Note:
        table = self._value(path[:-1])
        models, _ = walk(self._models, path[:-1])
        known = {*fields_of(models), *self._extra}
        unknown = [key for key in table if key not in known] if isinstance(table, dict) else []
        near = nearest(str(path[-1]), unknown).replace("did you mean", "is it written as")
        return Note(path, "nothing", f"a key {path[-1]!r}" + (f": {about}" if about else ""), near)


def _subject(text: str, table: dict[str, Any]) -> str:
    """Return the key of ``table`` that a message about the whole table speaks of, empty if unclear.

    It is the first word ("ratios: ...", "unknown profile 'x' ...") or a word that can only be a key.
    """
    first = _FIRST_WORD.match(text)
    words = [first[1]] if first else []
    words += [word for word in re.findall(r"\w+", text) if "_" in word]
    return next((word for word in words if word in table), "")


def _number(field: FieldInfo | None) -> str:
    kinds = set(types_in(field.annotation)) if field else set()
    return _WORDS["int" if int in kinds and float not in kinds else "float"]


def _range(field: FieldInfo | None) -> str:
    """Return the bounds that a field declares: ``from 0 to 255``, ``more than 0 and at most 60``."""
    bounds = {
        name: getattr(item, name)
        for item in (field.metadata if field else ())
        for name in ("ge", "gt", "le", "lt")
        if getattr(item, name, None) is not None
    }
    if {"ge", "le"} <= bounds.keys():
        return f"from {bounds['ge']:.12g} to {bounds['le']:.12g}"
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return " and ".join(f"{word} {bounds[name]:.12g}" for name, word in words.items() if name in bounds)


def _length(kind: str, context: dict[str, Any]) -> str | None:
    if kind == "string_too_short" and context["min_length"] == 1:
        return "a text that is not empty"
    bounds = {"string_too_short": ("at least", "min_length"), "string_too_long": ("at most", "max_length")}
    if kind not in bounds:
        return None
    word, key = bounds[kind]
    return f"a text of {word} {context[key]} characters"


def _bound(kind: str, context: dict[str, Any]) -> str:
    words = {
        "greater_than": "above",
        "greater_than_equal": "at least",
        "less_than": "below",
        "less_than_equal": "at most",
    }
    return f"{words[kind]} {next(iter(context.values()), '')}"
