"""From bytes to tables: what keeps a file from being TOML at all, in words."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from lamppost.agent.config.problem import ConfigError, Problem, dotted

LARGEST = 4 << 20
_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_ADVICE = {
    "Invalid value": "a value is a text in quotes, a number, true, false, an array or a table",
    "Unescaped '\\'": "write texts with backslashes in single quotes",
    "Illegal character": "is a quote, a bracket or a line end missing?",
    "Expected '='": "a line is KEY = VALUE, [TABLE] or a comment after #",
    "Expected newline": "one KEY = VALUE on each line; texts with spaces stand in quotes",
    "Unclosed": "is a bracket missing?",
    "Unterminated": "is a quote missing?",
}


def read(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the text of the file and its tables. Raises ConfigError with one problem."""
    text = _decode(path, _bytes(path))
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax(path, text, str(error))]) from error
    except RecursionError as error:
        raise _unusable(path, "arrays or tables nested too deep") from error
    except ValueError as error:  # a number of thousands of digits
        raise _unusable(path, f"a value that cannot be read ({error})") from error


def _unusable(path: Path, found: str, hint: str = "") -> ConfigError:
    return ConfigError([Problem(str(path), None, "", found, "", hint)])


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError as error:
        hint = "name the file with --config FILE or in $LAMPPOST_CONFIG"
        raise _unusable(path, "there is no such file", hint) from error
    except IsADirectoryError as error:
        hint = f"did you mean {path / 'lamppost.toml'}?"
        raise _unusable(path, "this is a folder, not a file", hint) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _unusable(path, f"the file cannot be read: {reason}") from error
    if len(raw) > LARGEST:
        raise _unusable(path, f"more than {LARGEST >> 20} MiB, which is no configuration")
    return raw


def _decode(path: Path, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        found = f"the byte 0x{raw[error.start]:02X}, which is no UTF-8"
        hint = "save the file in the encoding UTF-8"
        raise ConfigError([Problem(str(path), line, "", found, "", hint, column)]) from error


def _syntax(path: Path, text: str, message: str) -> Problem:
    match = _PLACE.fullmatch(message)
    what, line, column = match.groups() if match else (message, None, None)
    if line is None:
        line, column = text.rstrip().count("\n") + 1, None
    if what.startswith(("Cannot overwrite", "Cannot declare", "Duplicate")):
        from lamppost.agent.config.locate import Places  # noqa: PLC0415 - a good file needs no lines

        for repeat in Places(text).repeats[:1]:
            hint = "remove one of them" if isinstance(repeat.path[-1], str) else ""
            found = f"is given twice; it stands on line {repeat.first} already"
            return Problem(str(path), repeat.second, dotted(repeat.path), found, "", hint)
    advice = next((advice for start, advice in _ADVICE.items() if what.startswith(start)), "")
    found = f"this is no TOML: {what[:1].lower()}{what[1:]}"
    return Problem(str(path), int(line), "", found, "", advice, int(column) if column else None)
