"""On which line of a TOML file each key stands. Used only when there is something to report.

tomllib tells values but not places, and the libraries that do cost a small box more than this file.
The scanner follows TOML 1.0 and takes the text as valid; at the first thing that it cannot read it
stops, and keeps what it has found until then.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from contextlib import suppress
from typing import NamedTuple

from lamppost.agent.config.problem import KeyPath

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_KEY = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[^\s.=\[\]{}"\'#,]+')
_TEXT = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]+")
_NAKED_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Repeat(NamedTuple):
    """A key that is given twice, with both lines."""

    path: KeyPath
    first: int
    second: int


class _Stop(Exception):  # noqa: N818 - no error: the scan ends here
    """The text is no TOML from here on."""


class Places:
    """The lines of all keys, tables and array elements of one text."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._ends = [match.start() for match in re.finditer("\n", self._text)]
        self._at = 0
        self._table: KeyPath = ()
        self._lines: dict[KeyPath, int] = {}
        self._values: dict[KeyPath, int] = {}
        self._arrays: dict[KeyPath, int] = {}
        self.repeats: list[Repeat] = []
        with suppress(_Stop, RecursionError):
            self._document()

    def line(self, path: KeyPath) -> int | None:
        """Return the line of ``path`` or, if it is not in the file, of the nearest table around it."""
        for length in range(len(path), 0, -1):
            if (line := self._lines.get(path[:length])) is not None:
                return line
        return None

    def _here(self) -> int:
        return bisect_right(self._ends, self._at - 1) + 1

    def _document(self) -> None:
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return
            if self._text.startswith("[[", self._at):
                self._header(2)
            elif self._text[self._at] == "[":
                self._header(1)
            else:
                self._pair(self._table)

    def _header(self, brackets: int) -> None:
        line = self._here()
        self._at += brackets
        keys = self._keys()
        self._expect("]" * brackets)
        path: KeyPath = ()
        for key in keys[:-1]:
            path = self._inside((*path, key))
            self._lines.setdefault(path, line)
        path = (*path, keys[-1])
        if brackets == 1:
            path = self._inside(path)
            self._note_value(path, line)
            self._lines[path] = line
        else:
            self._lines.setdefault(path, line)
            path = (*path, self._arrays.setdefault(path, 0))
            self._arrays[path[:-1]] += 1
            self._lines[path] = line
        self._table = path

    def _inside(self, path: KeyPath) -> KeyPath:
        """Return the newest element of an array of tables, or the path itself."""
        return (*path, self._arrays[path] - 1) if path in self._arrays else path

    def _pair(self, table: KeyPath) -> None:
        line = self._here()
        keys = self._keys()
        self._expect("=")
        path = table
        for key in keys:
            path = (*path, key)
            self._lines.setdefault(path, line)
        self._note_value(path, line)
        self._lines[path] = line
        self._value(path)

    def _note_value(self, path: KeyPath, line: int) -> None:
        if path in self._values:
            self.repeats.append(Repeat(path, self._values[path], line))
        self._values[path] = line

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            keys.append(_plain(self._take(_KEY)))
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        self._skip(_SPACE)
        first = self._text[self._at : self._at + 1]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline(path)
        elif first in ('"', "'"):
            self._take(_TEXT)
        else:
            self._take(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while not self._ends_with("]"):
            self._lines[(*path, index)] = self._here()
            self._value((*path, index))
            index += 1
            self._comma("]")

    def _inline(self, path: KeyPath) -> None:
        self._at += 1
        while not self._ends_with("}"):
            self._pair(path)
            self._comma("}")

    def _ends_with(self, closing: str) -> bool:
        self._skip(_BLANK)
        if not self._text.startswith(closing, self._at):
            return False
        self._at += 1
        return True

    def _comma(self, closing: str) -> None:
        self._skip(_BLANK)
        if self._text.startswith(",", self._at):
            self._at += 1
        elif not self._text.startswith(closing, self._at):
            raise _Stop

    def _expect(self, token: str) -> None:
        self._skip(_SPACE)
        if not self._text.startswith(token, self._at):
            raise _Stop
        self._at += len(token)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if match := pattern.match(self._text, self._at):
            self._at = match.end()

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise _Stop
        self._at = match.end()
        return match.group()


def _plain(key: str) -> str:
    """Return the key without its quotes and escapes."""
    if key[0] == "'":
        return key[1:-1]
    if key[0] != '"':
        if _NAKED_KEY.fullmatch(key) is None:
            raise _Stop
        return key
    if "\\" not in key:
        return key[1:-1]
    try:
        return next(iter(tomllib.loads(f"{key} = 0")))
    except tomllib.TOMLDecodeError as error:
        raise _Stop from error
