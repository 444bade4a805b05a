"""What is wrong with a configuration: every problem with its place and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

#: Keys and array indexes from the top of the file to one value.
KeyPath: TypeAlias = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. ``line`` and ``column`` count from 1; None is the file as a whole.

    ``key`` is the dotted path of the key. ``expected`` is empty where ``found`` says it all.
    """

    file: str
    line: int | None
    key: str
    found: str
    expected: str = ""
    hint: str = ""
    column: int | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"

    @property
    def place(self) -> str:
        """File, line and column, as editors and terminals understand them."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    @property
    def text(self) -> str:
        """The key and what is wrong there, in one line."""
        what = f"found {self.found}, expected {self.expected}" if self.expected else self.found
        return ("" if not self.key else f"{self.key}: ") + what + (f"; {self.hint}" if self.hint else "")

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


class ConfigError(Exception):
    """The configuration cannot be used. ``problems`` holds all that is wrong, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


def dotted(path: KeyPath) -> str:
    """Return the path as it would be written in TOML: ``devices."kerb cam".zones.a[2]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        name = part if _BARE.fullmatch(part) else '"' + part.replace('"', '\\"') + '"'
        text += f".{name}" if text else name
    return text
