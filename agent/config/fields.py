"""What a model says of the place that a key path leads to: its keys, its field, its secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from lamppost.agent.config.problem import KeyPath
from lamppost.agent.config.secret import Secret

Models: TypeAlias = tuple[type[BaseModel], ...]

#: A key of such a name holds a secret, even where a driver's author declared it a plain text.
_SECRET_NAME = re.compile(r"(?:.*_)?(?:password|passwd|passphrase|secret|token|api_?key)", re.IGNORECASE)


def types_in(annotation: Any) -> Iterator[Any]:
    """Yield every type that an annotation is made of, itself first."""
    yield annotation
    for part in (*get_args(annotation), *filter(None, [getattr(annotation, "__value__", None)])):
        yield from types_in(part)


def models_in(annotation: Any) -> Models:
    """Return the models that a value of this type is, or is made of."""
    found = (part for part in types_in(annotation) if isinstance(part, type) and issubclass(part, BaseModel))
    return tuple(dict.fromkeys(found))


def is_secret(key: str | int, field: FieldInfo | None) -> bool:
    """Say whether a secret belongs at ``key``."""
    typed = field is not None and any(part in (Secret, SecretStr) for part in types_in(field.annotation))
    return typed or (isinstance(key, str) and _SECRET_NAME.fullmatch(key) is not None)


def fields_of(models: Iterable[type[BaseModel]]) -> dict[str, FieldInfo]:
    """Return the fields of all these models by the key that they have in the file."""
    found: dict[str, FieldInfo] = {}
    for model in models:
        for name, field in model.model_fields.items():
            alias = field.validation_alias or field.alias
            found[alias if isinstance(alias, str) else name] = field
    return found


def step(models: Models, key: str | int) -> tuple[Models, FieldInfo | None]:
    """Return what stands behind ``key``: the models there, and its field if it has one.

    A key that is none of the fields belongs to an array or to a table of such tables.
    """
    field = fields_of(models).get(key) if isinstance(key, str) else None
    return (models, None) if field is None else (models_in(field.annotation), field)


def walk(models: Models, path: KeyPath) -> tuple[Models, FieldInfo | None]:
    """Return the models and the field at the end of ``path``."""
    field = None
    for key in path:
        models, field = step(models, key)
    return models, field
