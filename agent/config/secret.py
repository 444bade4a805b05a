"""Secrets: a type that does not show itself, and a broom for text that might hold one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

MASK = "********"
#: A shorter secret is not looked for in text: too much that is none would vanish with it.
SHORTEST = 4
#: Of a secret with several lines (a key), a line of this length is a secret by itself.
LONG_LINE = 16
_IN_URL = re.compile(r"(:/{1,2})[^\s/?#@]*:[^\s/]*@")
_known: set[str] = set()


class Secret:
    """A value that shows itself to `reveal` only: text, logs and dumps get ``********``.

    In the file it is ``${NAME}`` or ``file:path``. Drivers, which know nothing of ours, use
    pydantic's own ``SecretStr``, and the loader treats both alike.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> Any:
        raise TypeError("a secret does not travel: pickle shows it")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _memo: object) -> Secret:
        return self

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        from_text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema(min_length=1))
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_text]),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda _: MASK),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^file:.|\$\{[A-Za-z_][A-Za-z0-9_]*\}"}


def remember(secrets: Iterable[str]) -> None:
    """Let `redact` without a second argument know these values, until the process ends."""
    _known.update(secrets)


def redact(text: str, secrets: Iterable[str] | None = None) -> str:
    """Return ``text`` with every secret, and every user:password@ of a URL, as ``********``.

    ``secrets`` are those of one configuration; without it all that this process has ever loaded.
    """
    pattern = _pattern(frozenset(_known if secrets is None else secrets))
    if pattern is not None:
        text = pattern.sub(MASK, text)
    return _IN_URL.sub(rf"\1{MASK}@", text) if ":/" in text else text


def redact_line(_logger: object, _method: str, line: str) -> str:
    """Do the same as the last structlog processor, after the renderer has made a line of text."""
    return redact(line)


@lru_cache(maxsize=8)
def _pattern(secrets: frozenset[str]) -> re.Pattern[str] | None:
    forms = {form for secret in secrets for form in _forms(secret) if len(form) >= SHORTEST}
    if not forms:
        return None
    return re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))


def _forms(secret: str) -> set[str]:
    """Return the ways in which a secret can stand in a text: as it is, and as formats escape it."""
    lines = [line.strip() for line in secret.splitlines()] if "\n" in secret else []
    forms = {secret, secret.strip(), *(line for line in lines if len(line) >= LONG_LINE)}
    for text in [*forms]:
        forms |= {unquote(text), quote(text, safe=""), quote(text), quote_plus(text), repr(text)[1:-1]}
        forms |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    return forms
