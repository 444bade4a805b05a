"""JSON Schemas from a folder, to hold messages to what is written down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

#: Of a longer array only so many entries are held to the schema, from both ends: six take a millisecond.
LONGEST = 100


class SchemaError(ValueError):
    """A message does not fit its schema: where, and why."""


def sample(entries: list[Any]) -> list[Any]:
    """Return an array as it is, or both ends of a long one."""
    return entries if len(entries) <= LONGEST else entries[: LONGEST // 2] + entries[-LONGEST // 2 :]


class Schemas:
    """The schemas ``event.json``, ``telemetry.json`` and ``status.json`` of a folder, if they are there."""

    def __init__(self, folder: Path) -> None:
        self._validators: dict[str, Any] = {}
        for path in sorted(folder.glob("*.json")):
            document = json.loads(path.read_text(encoding="utf-8"))
            if "$schema" in document:
                jsonschema.Draft202012Validator.check_schema(document)
                self._validators[path.stem] = jsonschema.Draft202012Validator(document)
        if not self._validators:
            raise FileNotFoundError(f"there is no JSON Schema in {folder}")

    def check(self, name: str, value: Any) -> None:
        """Raise SchemaError if ``value`` does not fit the schema ``name``."""
        validator = self._validators.get(name)
        if validator is None:
            return
        error = jsonschema.exceptions.best_match(validator.iter_errors(value))
        if error is not None:
            raise SchemaError(f"schema {name}: at {error.json_path}: {error.message[:300]}")
