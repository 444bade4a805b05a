"""What a person sees when a command fails: one clear message, no secret, no traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator

#: Errors that mean wrong input, by name: their modules are imported by those who raise them only.
_INPUT = {"ConfigError", "PluginError", "ModelError", "ScenarioError", "RecordingError"}


def report(error: BaseException) -> int:
    """Print ``error`` to stderr and return the exit code that it means."""
    if os.environ.get("LAMPPOST_DEBUG") == "1":
        print(_clean("".join(traceback.format_exception(error))), file=sys.stderr)
    codes = []
    for leaf in _leaves(error):
        print(
            f"lamppost: {_clean(_message(leaf))}" if not _is(leaf, "ConfigError") else str(leaf),
            file=sys.stderr,
        )
        codes.append(2 if any(_is(leaf, name) for name in _INPUT) else 1)
    return max(codes, default=1)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for child in error.exceptions:
            yield from _leaves(child)
    else:
        yield error


def _is(error: BaseException, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)


def _message(error: BaseException) -> str:
    if type(error).__module__.startswith("lamppost.") or _is(error, "DriverError"):
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename is not None else ""
        return f"{where}{error.strerror or error}"
    name = type(error).__name__
    return f"unexpected {name}: {error}; LAMPPOST_DEBUG=1 shows where, please report it"


def _clean(text: str) -> str:
    secret = sys.modules.get("lamppost.agent.config.secret")
    return str(secret.redact(text)) if secret is not None else text
