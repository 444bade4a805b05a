"""docs/rules.md has every key of the rules that look at cameras, and its samples hold."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from lamppost.agent.rules.counting import Counting
from lamppost.agent.rules.loitering import Loitering
from lamppost.agent.rules.parking import Parking
from lamppost.agent.rules.schedule import Schedule
from lamppost.drivers import registry

PAGE = (Path(__file__).parent.parent / "docs/rules.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\S+?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
MODELS = {"parking": Parking, "loitering": Loitering, "counting": Counting, "Schedules": Schedule}


def default(field):
    if field.is_required():
        return "needed"
    value = list(field.default) if isinstance(field.default, tuple) else field.default
    if value is None:
        return "-"
    return f"`{value:g}`" if isinstance(value, float) else f"`{json.dumps(value)}`"


@pytest.mark.parametrize("title", MODELS)
def test_every_key_is_documented_with_its_default(title):
    rows = [
        f"| `{key}` | {default(field)} | {field.description} |"
        for key, field in MODELS[title].model_fields.items()
        if key != "name"
    ]
    shown = [line for line in SECTIONS[title].splitlines() if re.match(r"\| `[a-z_]+` \|", line)]
    assert shown == rows


@pytest.mark.parametrize("kind", ["parking", "loitering", "counting"])
def test_the_sample_is_a_rule(kind):
    (sample,) = re.findall(r"^```toml\n(.*?)^```", SECTIONS[kind], re.DOTALL | re.MULTILINE)
    for name, table in tomllib.loads(sample)["rules"].items():
        assert table.pop("kind") == kind
        assert MODELS[kind](name=name, **table).name == name


def test_every_installed_rule_is_on_the_page():
    for name in registry.names("lamppost.rules"):
        assert f"`{name}`" in PAGE
