"""What is said to people, in English, or in Chinese where the locale is Chinese.

Each room keeps its own texts in a table: ``TEXTS = {"key": ("English {value}", "中文 {value}")}``, handed
to `add` when its module is imported; `say` finds the key in the language of the moment. Names, numbers, units
and what a device or the operating system said itself are values, and stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

ENGLISH: Final = "en"
CHINESE: Final = "zh"
LANGUAGES: Final = (ENGLISH, CHINESE)

_texts: dict[str, tuple[str, str]] = {}
_chosen: ContextVar[str | None] = ContextVar("language", default=None)


def add(table: Mapping[str, tuple[str, str]]) -> None:
    """Make texts known; a key that another room has is a ValueError."""
    for key, text in table.items():
        if _texts.setdefault(key, text) != text:
            raise ValueError(f"two texts have the key {key!r}")


def texts() -> Mapping[str, tuple[str, str]]:
    """Return all texts of the rooms imported so far."""
    return _texts


def of_locale(env: Mapping[str, str] = os.environ) -> str:
    """Return the language of the environment: LANGUAGE, LC_ALL, LC_MESSAGES, LANG, as gettext takes them."""
    locale = next((env[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if env.get(key)), "")
    if locale.split(".")[0] not in ("", "C", "POSIX"):  # gettext: LANGUAGE counts for nothing in these
        locale = env.get("LANGUAGE") or locale
    return CHINESE if locale.lower().startswith("zh") else ENGLISH


def language() -> str:
    """Return the language of the moment."""
    return _chosen.get() or of_locale()


@contextmanager
def speaking(chosen: str | None) -> Iterator[None]:
    """Speak a language for a while; None is that of the locale."""
    token = _chosen.set(chosen)
    try:
        yield
    finally:
        _chosen.reset(token)


def say(key: str, /, **values: Any) -> str:
    """Return a text with its values in the language of the moment. Raises KeyError if nobody added it."""
    text = _texts[key][LANGUAGES.index(language())]
    return text.format(**values) if values else text


def span(seconds: float) -> str:
    """Return a duration with its unit: ``3 min``."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
