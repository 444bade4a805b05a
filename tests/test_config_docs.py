"""docs/configuration.md has every key with its default and the words that the program itself uses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lamppost.agent.config.load import TABLES
from lamppost.agent.config.model import (
    DeviceSettings,
    DeviceTelemetry,
    EvidenceSettings,
    Hub,
    Node,
    Policy,
    SightSettings,
    SpoolSettings,
)

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "configuration.md").read_text(encoding="utf-8")
SECTIONS = {
    "[node]": Node,
    "[hub]": Hub,
    "[spool]": SpoolSettings,
    "[sight]": SightSettings,
    "[evidence]": EvidenceSettings,
    "[telemetry]": Policy,
    "[devices.NAME]": DeviceSettings,
    "[devices.NAME.telemetry]": DeviceTelemetry,
}


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    if field.default_factory is not None or field.default is None:
        return "-"
    shown = f"{field.default:g}" if isinstance(field.default, float) else json.dumps(field.default)
    return f"`{shown}`"


def rows(model: type[BaseModel]) -> list[str]:
    """Return the table rows that the page must have for a model."""
    return [
        f"| `{key}` | {default(field)} | {field.description} |" for key, field in model.model_fields.items()
    ]


@pytest.mark.parametrize("title", SECTIONS)
def test_every_key_of_a_table_is_documented_with_its_default(title):
    sections = dict(re.findall(r"^## `(.*?)`\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
    documented = [line for line in sections[title].splitlines() if line.startswith("| `")]
    assert documented == rows(SECTIONS[title])


def test_every_table_has_a_section():
    for table in TABLES:
        assert re.search(rf"^## `\[{table}(\.NAME)?\]`", PAGE, re.MULTILINE), table


def test_the_living_example_of_a_driver_package_is_the_one_that_is_tested():
    """Every code block of docs/drivers.md stands so in tests/plugin_package."""
    page = (DOCS / "drivers.md").read_text(encoding="utf-8")
    package = Path(__file__).parent / "plugin_package"
    files = [*package.rglob("*.py"), *package.rglob("*.toml")]
    texts = [file.read_text(encoding="utf-8") for file in files]
    blocks = re.findall(r"^```(?:python|toml)\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 3
    for block in blocks:
        if "[devices." not in block:
            assert any(block in text for text in texts), block
