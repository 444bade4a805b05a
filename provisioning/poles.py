"""The list of poles that the office prepares: a CSV or TOML file, one pole a line or table."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

#: Other names for the columns, as offices write them.
OTHER = {
    "node": "id", "node_id": "id", "pole": "id", "name": "id", "latitude": "lat", "longitude": "lon",
    "lng": "lon", "url": "hub", "broker": "hub", "user": "username",
    "杆号": "id", "编号": "id", "站点": "site", "纬度": "lat", "经度": "lon",
}  # fmt: skip
LARGEST = 16 << 20


class PolesError(Exception):
    """The list cannot be used: file, line, column, what was found and what is expected."""


@dataclass(frozen=True, slots=True)
class Pole:
    """One pole as the office has it; what is None was not said."""

    id: str
    site: str | None = None
    lat: float | None = None
    lon: float | None = None
    hub: str | None = None
    username: str | None = None


NAMES = tuple(field.name for field in fields(Pole))


def read_poles(path: Path) -> dict[str, Pole]:
    """Return the poles by id. Raises PolesError with all that is wrong, OSError if there is no such file."""
    if path.stat().st_size > LARGEST:
        raise PolesError(f"{path}: more than {LARGEST >> 20} MiB, which is no list of poles")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="gb18030", errors="replace")  # what a Chinese spreadsheet saves
    rows = _toml(path, text) if path.suffix.lower() == ".toml" else _csv(path, text)
    found: dict[str, Pole] = {}
    problems: list[str] = []
    for where, row in rows:
        pole = _pole(where, row, problems)
        if pole is not None and pole.id in found:
            problems.append(f"{where}: pole {pole.id!r} is given twice")
        elif pole is not None:
            found[pole.id] = pole
    if problems:
        raise PolesError("\n".join(problems[:20]))
    if not found:
        raise PolesError(f"{path}: lists no poles; expected columns {', '.join(NAMES)}")
    return found


def _csv(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    head = [OTHER.get(name.strip().lower(), name.strip().lower()) for name in next(reader, [])]
    unknown = [name for name in head if name not in NAMES]
    if "id" not in head:
        raise PolesError(f"{path}:1: no column id; found {', '.join(head) or 'nothing'}")
    if len(set(head)) < len(head):
        raise PolesError(f"{path}:1: a column is given twice: {', '.join(head)}")
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        cells = dict(zip(head, (cell.strip() for cell in row), strict=False))
        yield (
            f"{path}:{reader.line_num}",
            {name: text for name, text in cells.items() if text and name not in unknown},
        )


def _toml(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolesError(f"{path}: no TOML: {error}") from error
    common = {key: value for key, value in data.items() if not isinstance(value, dict | list)}
    poles = data.get("poles", [])
    rows = (
        [{"id": name, **table} for name, table in poles.items() if isinstance(table, dict)]
        if isinstance(poles, dict)
        else poles
    )
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise PolesError(f"{path}: expected [[poles]] with id, site, lat, lon, hub; or [poles.ID]")
    for number, row in enumerate(rows, 1):
        yield f"{path}: pole {number}", common | {OTHER.get(key, key): value for key, value in row.items()}


def _pole(where: str, row: Mapping[str, Any], problems: list[str]) -> Pole | None:
    values: dict[str, Any] = {}
    before = len(problems)
    for name, value in row.items():
        if name in ("lat", "lon"):
            values[name] = _degrees(f"{where}, column {name}", value, 90 if name == "lat" else 180, problems)
        elif name in NAMES:
            values[name] = str(value)
    if not values.get("id"):
        problems.append(f"{where}: no id")
    return None if len(problems) > before else Pole(**values)


def _degrees(where: str, value: Any, most: float, problems: list[str]) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not -most <= number <= most:
        problems.append(f"{where}: found {value!r}, expected degrees from {-most:g} to {most:g}")
        return None
    return number
