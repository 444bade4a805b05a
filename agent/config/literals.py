"""Values that pydantic would take though they are of another kind: "10" for 10, true for 1, 1 for true.

A file that is taken by chance breaks with the next version of a driver, so it is refused with the value that
was meant. What comes from the environment is text by nature and may become a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, PlainValidator, WrapValidator

from lamppost.agent.config.fields import fields_of, is_secret
from lamppost.agent.config.notes import Notes
from lamppost.agent.config.problem import KeyPath

_SCALARS = frozenset({int, float, bool})
_ARRAYS = (list, tuple, set, frozenset)
_CONTAINERS = (dict, *_ARRAYS)
_WORDS = {"true": "true", "yes": "true", "on": "true", "1": "true"} | dict.fromkeys(
    ("false", "no", "off", "0"), "false"
)
_NUMBER = re.compile(r"[+-]?(\d[\d_]*)?\.?\d*([eE][+-]?\d+)?|0x[0-9a-fA-F]+")

#: What a value may be: the members of its type without None; None where a validator of its own decides.
Kinds: TypeAlias = "tuple[Any, ...] | None"


class Slip(NamedTuple):
    """A value of the wrong kind."""

    path: KeyPath
    expected: str
    hint: str


def check(models: tuple[type[BaseModel], ...], table: dict[str, Any], at: KeyPath, notes: Notes) -> None:
    """Note all such values in a table as it stands in the file."""
    for slip in _slips(table, models, at):
        found = notes.shown(_value(table, slip.path[len(at) :]), slip.path)
        notes.error(slip.path, found, slip.expected, slip.hint)
        notes.broken.add(slip.path)


def _value(value: Any, path: KeyPath) -> Any:
    for key in path:
        value = value[key]
    return value


def _slips(value: Any, kinds: Kinds, path: KeyPath) -> Iterator[Slip]:
    if kinds is None:
        return
    if isinstance(value, dict):
        for key, child in value.items():
            if not is_secret(key, None):
                yield from _slips(child, _inside(kinds, key), (*path, key))
    elif isinstance(value, list):
        elements = _elements(kinds)
        for index, child in enumerate(value):
            yield from _slips(child, elements, (*path, index))
    else:
        left = [kind for kind in kinds if _may_be(kind, value)]
        if left and _SCALARS.issuperset(left):
            yield from _scalar(value, path, frozenset(left))


def _may_be(kind: Any, value: Any) -> bool:
    """Say whether a member of a type can have anything to do with a value that is no table and no array."""
    origin: Any = get_origin(kind)
    if origin is Literal:
        return value in get_args(kind)
    return origin not in _CONTAINERS and not (isinstance(kind, type) and issubclass(kind, BaseModel))


def _scalar(value: Any, path: KeyPath, kinds: frozenset[Any]) -> Iterator[Slip]:
    numbers = kinds - {bool}
    if isinstance(value, bool):
        if bool not in kinds:
            yield Slip(path, "a number" if float in kinds else "a whole number", "")
    elif isinstance(value, int | float):
        if not numbers:
            yield Slip(path, "true or false", f"write {'true' if value else 'false'}")
    elif isinstance(value, str) and "${" not in value:
        yield from _text(value, path, wants_bool=bool in kinds, wants_number=bool(numbers))


def _text(text: str, path: KeyPath, *, wants_bool: bool, wants_number: bool) -> Iterator[Slip]:
    """Yield what a text in quotes should have been; other texts are pydantic's to refuse."""
    plain = text.strip()
    if wants_number and any(c.isdigit() for c in plain) and _NUMBER.fullmatch(plain):
        yield Slip(path, "a number", f"write {plain} without quotes")
    elif wants_bool and plain.lower() in _WORDS:
        yield Slip(path, "true or false", f"write {_WORDS[plain.lower()]} without quotes")


def _inside(kinds: tuple[Any, ...], key: str) -> Kinds:
    """Return what may stand behind a key of a table."""
    found: list[Any] = []
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            of_field = _of_field(kind, key)
            if of_field is None:
                return None
            found += of_field
        elif get_origin(kind) is dict and len(get_args(kind)) == 2:
            of_value = _kinds(get_args(kind)[1])
            if of_value is None:
                return None
            found += of_value
    return tuple(found)


def _elements(kinds: tuple[Any, ...]) -> Kinds:
    found: list[Any] = []
    for kind in kinds:
        if get_origin(kind) in _ARRAYS:
            for part in get_args(kind):
                of_part = () if part is Ellipsis else _kinds(part)
                if of_part is None:
                    return None
                found += of_part
    return tuple(found)


@lru_cache(maxsize=1024)
def _of_field(model: type[BaseModel], key: str) -> Kinds:
    """Return what the field of a model may hold; nothing if it has no such field."""
    field = fields_of((model,)).get(key)
    if field is None:
        return ()
    own = model.__pydantic_decorators__.field_validators.values()
    if any(one.info.mode != "after" and key in one.info.fields for one in own):
        return None
    return None if any(map(_decides, field.metadata)) else _kinds(field.annotation)


def _decides(metadata: Any) -> bool:
    return isinstance(metadata, BeforeValidator | PlainValidator | WrapValidator)


def _kinds(annotation: Any) -> Kinds:
    """Return the members of a type without None."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        return None if any(map(_decides, metadata)) else _kinds(inner)
    if get_origin(annotation) in (Union, UnionType):
        parts = [_kinds(part) for part in get_args(annotation)]
        return None if None in parts else tuple(kind for part in parts for kind in part or ())
    if (alias := getattr(annotation, "__value__", None)) is not None:
        return _kinds(alias)
    return () if annotation is NoneType else (annotation,)
