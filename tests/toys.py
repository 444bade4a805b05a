"""A driver and a rule with every kind of setting, installed for tests of the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from plugins import importable, write_plugin

_PROBLEMS = Path(__file__).parent / "data/config_problems.txt"
_CASE = re.compile(r"^=== (.*?)\n(.*?)^---\n(.*?)(?:\n(?====)|\Z)", re.DOTALL | re.MULTILINE)

#: Files that loading refuses: title, text, and the problems that it tells.
BAD_FILES = _CASE.findall(_PROBLEMS.read_text(encoding="utf-8"))

ENTRY_POINTS = """
[lamppost.drivers]
toy = lamppost_toys:Toy
toy-greedy = lamppost_toys:Greedy
toy-lost = lamppost_toys:NotThere
[lamppost.rules]
toy-rule = lamppost_toys:ToyRule
"""

CODE = '''
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from lamppost.agent.rules.api import Rule
from lamppost.drivers.api import Driver


class Refused(ValueError):
    def __init__(self, text):
        super().__init__(text)
        self.code = 7


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Part(BaseModel):
    """A part of the toy."""

    model_config = ConfigDict(extra="forbid")
    size_mm: int = Field(ge=1, le=9, description="Size of the part.")
    label: str = ""
    pin_token: SecretStr | None = None


class Toy(Driver):
    """A toy for tests."""

    summary = "toys"
    url: str = Field("toy://", description="Where the toy is.")
    every_s: float = Field(1.0, gt=0, description="Seconds between two looks.")
    mode: Literal["slow", "fast"] = Field("slow", description="Speed.")
    colour: Colour = Field(Colour.RED, description="Colour.")
    level: float | Literal["auto"] = Field("auto", description="Level or auto.")
    on: bool = Field(True, description="Whether it is on.")
    tags: list[str] = Field(default_factory=list, description="Tags.")
    parts: dict[str, Part] = Field(default_factory=dict, description="Parts by name.")
    rows: list[Part] = Field(default_factory=list, description="Parts in a row.")
    either: Part | int | None = Field(None, description="A part or a number.")
    token: SecretStr | None = Field(None, description="A token.")
    password: str | None = Field(None, description="A password that is declared as a plain text.")
    limit: int = Field(0, description="At most ten.")

    @field_validator("limit")
    @classmethod
    def _small(cls, limit):
        if limit == 13:
            raise RuntimeError("the author did not think of 13")
        if limit > 10:
            raise Refused("no more than ten fit into the box")
        return limit

    @model_validator(mode="after")
    def _fits(self):
        if self.mode == "fast" and self.every_s > 100:
            raise ValueError("every_s: a fast toy looks more often than every 100 s")
        if self.url == "toy://closed":
            shown = self.token and self.token.get_secret_value()
            raise ValueError(f"{self.url!r} cannot be opened with {shown!r}")
        return self


class Greedy(Driver):
    enabled: bool = True


class ToyRule(Rule):
    """A rule for tests."""

    device: str = Field(description="Device to watch.")
    others: list[str] = Field(default_factory=list, description="More devices.")

    def watches(self):
        return [(self.device, ""), *((other, "x") for other in self.others)]
'''


@pytest.fixture(scope="session")
def toys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the toys' package, to be put on a path."""
    folder = tmp_path_factory.mktemp("toys")
    write_plugin(folder, "lamppost_toys", CODE, ENTRY_POINTS)
    return folder


@pytest.fixture(scope="module")
def toys(toys_folder: Path) -> Iterator[Path]:
    """Install the toys into this process for the tests of one module."""
    with importable(toys_folder, "lamppost_toys"):
        yield toys_folder
