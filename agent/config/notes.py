"""What loading finds on its way: problems by key path, which get their lines when all is read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from lamppost.agent.config.problem import KeyPath, Problem, dotted
from lamppost.agent.config.secret import redact

if TYPE_CHECKING:
    from lamppost.agent.config.locate import Places

_LONGEST = 60


class Note(NamedTuple):
    """A problem whose line is not looked for yet."""

    path: KeyPath
    found: str
    expected: str = ""
    hint: str = ""


class Notes:
    """Collects problems and warnings, and knows what must not be shown.

    ``secrets`` are all values that came from outside the file; ``hidden`` the places of secrets;
    ``broken`` the places already complained of, where further complaints would only confuse.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.errors: list[Note] = []
        self.warnings: list[Note] = []
        self.secrets: set[str] = set()
        self.hidden: set[KeyPath] = set()
        self.broken: set[KeyPath] = set()

    def error(self, path: KeyPath, found: str, expected: str = "", hint: str = "") -> None:
        """Note a problem that keeps the file from being used."""
        self.errors.append(Note(path, found, expected, hint))

    def warn(self, path: KeyPath, found: str, hint: str = "") -> None:
        """Note what should be changed, though the box can run with it."""
        self.warnings.append(Note(path, found, "", hint))

    def is_broken(self, path: KeyPath) -> bool:
        """Say whether something at ``path`` or below was already complained of."""
        return any(broken[: len(path)] == path for broken in self.broken)

    def shown(self, value: Any, path: KeyPath = ()) -> str:
        """Return ``value`` as a technician would write it, shortened, without secrets."""
        if path in self.hidden:
            return "a value that is not shown"
        if isinstance(value, dict):
            return "a table"
        if isinstance(value, list):
            return "an array of tables" if value and isinstance(value[0], dict) else "an array"
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str):
            return str(value)[:_LONGEST]
        text = self.clean(value)
        text = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
        return json.dumps(text, ensure_ascii=False)

    def clean(self, text: str) -> str:
        """Return ``text`` without secrets."""
        return redact(text, self.secrets)

    def problems(self, text: str) -> tuple[list[Problem], list[Problem]]:
        """Return errors and warnings with their lines in ``text``, in the order of the file."""
        if not self.errors and not self.warnings:
            return [], []
        from lamppost.agent.config.locate import Places  # noqa: PLC0415 - a good file needs no lines

        places = Places(text)
        return self._place(self.errors, places), self._place(self.warnings, places)

    def _place(self, notes: Iterable[Note], places: Places) -> list[Problem]:
        found = [
            Problem(
                self.file,
                places.line(note.path),
                dotted(note.path),
                self.clean(note.found),
                self.clean(note.expected),
                self.clean(note.hint),
            )
            for note in dict.fromkeys(notes)
        ]
        return sorted(found, key=lambda problem: (problem.line or 0, problem.key))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint at the known word that is most like ``word``; empty if none is."""
    plain = {_plain(candidate): candidate for candidate in known}
    from difflib import get_close_matches  # noqa: PLC0415 - a good file has nothing to guess

    near = get_close_matches(_plain(word), plain, n=1)
    return f"did you mean {plain[near[0]]!r}?" if near else ""


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")
