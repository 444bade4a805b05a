"""Read scenario files: every problem at once, in the words of the file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

# Imported for the actions that they make known.
from lamppost.simulators.scenarios import actions as _actions
from lamppost.simulators.scenarios import camera_actions as _camera_actions
from lamppost.simulators.scenarios import unit_actions as _unit_actions
from lamppost.simulators.scenarios.model import Scenario
from lamppost.simulators.scenarios.step import ACTIONS, Action

assert len({_actions, _camera_actions, _unit_actions}) == 3


class ScenarioError(Exception):
    """A scenario file does not hold; ``problems`` says why, each with its place."""

    def __init__(self, path: Path, problems: Iterable[str]) -> None:
        self.path = path
        self.problems = list(problems)
        super().__init__("\n".join(f"{path}: {problem}" for problem in self.problems))


def shipped() -> dict[str, Path]:
    """Return the scenarios that come with Lamppost, by name."""
    folder = Path(str(files("lamppost.simulators.scenarios")))
    return {path.stem: path for path in sorted(folder.glob("*.toml")) if ".agent." not in path.name}


def find(name: str) -> Path:
    """Return the file of a scenario: a path, or the name of a shipped one. Raises ScenarioError."""
    known = shipped()
    if name in known:
        return known[name]
    path = Path(name)
    if not path.is_file():
        raise ScenarioError(path, [f"there is no such file, and shipped are only: {', '.join(known)}"])
    return path


def load(path: Path) -> Scenario:
    """Return a scenario. Raises ScenarioError with all its problems."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(path, [error.strerror or str(error)]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(path, [f"no TOML: {error}"]) from None
    problems: list[str] = []
    entries = raw.pop("at", [])
    if not isinstance(entries, list):
        problems.append("at: write [[at]] for each action")
        entries = []
    made = [_action(number, entry, problems) for number, entry in enumerate(entries, 1)]
    scenario: Scenario | None = None
    try:
        scenario = Scenario.model_validate({**raw, "at": [one for one in made if one is not None]})
    except ValidationError as error:
        problems += _told(error, ())
    if scenario is not None:
        problems += scenario.found_in(path.parent).problems()
    if scenario is None or problems:
        raise ScenarioError(path, problems)
    return scenario


def _action(number: int, entry: Any, problems: list[str]) -> Action | None:
    where = f"[[at]] entry {number}"
    word = entry.get("do") if isinstance(entry, dict) else None
    if not isinstance(word, str):
        problems.append(f"{where}: it says not what to do: do = one of {', '.join(ACTIONS)}")
        return None
    if word not in ACTIONS:
        near = get_close_matches(word, ACTIONS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(ACTIONS)}"
        problems.append(f"{where}: unknown action {word!r}; {hint}")
        return None
    try:
        return ACTIONS[word].model_validate(entry)
    except ValidationError as error:
        problems += [f"{where} ({word}): {told}" for told in _told(error, ())]
        return None


def _told(error: ValidationError, before: tuple[str, ...]) -> list[str]:
    """Return pydantic's complaints in the words of the file; entries of arrays count from 1."""
    found = []
    for one in error.errors(include_url=False):
        at = [str(part + 1) if isinstance(part, int) else str(part) for part in one["loc"]]
        place = ".".join([*before, *at])
        message = {
            "extra_forbidden": "unknown key",
            "missing": "this key is needed",
        }.get(one["type"], one["msg"])
        given = "" if one["type"] in ("extra_forbidden", "missing") else f", found {one['input']!r:.60}"
        found.append(f"{place}: {message}{given}")
    return found
