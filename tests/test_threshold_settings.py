"""Which settings a threshold rule takes, and what its document says of them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError
from thresholds import rule

from lamppost.agent.rules.threshold import Threshold


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "give at least one of above, below, flat_s, rise_per_min or fall_per_min"),
        ({"above": 5, "below": 5}, "below (5) must be less than above (5)"),
        ({"above": 250, "below": 200, "hysteresis": 51}, "hysteresis (51) must not be more than the band"),
        ({"flat_s": 60, "hysteresis": 1}, "hysteresis does nothing without above or below"),
        ({"flat_s": 60, "for_s": 5}, "for_s does nothing without above, below, rise_per_min or fall_per_min"),
        ({"above": 5, "flat_delta": 1}, "flat_delta does nothing without flat_s"),
        ({"above": 5, "over_s": 30}, "over_s does nothing without rise_per_min or fall_per_min"),
        ({"above": 5, "for_s": -1}, "greater than or equal to 0"),
        ({"above": 5, "event": "Water high!"}, "event ('Water high!') must be words of a-z"),
        ({"above": "5"}, "valid number"),
        ({"above": True}, "valid number"),
        ({"above": float("nan")}, "finite number"),
        ({"flat_s": 0}, "greater than 0"),
        ({"above": 5, "severity": "urgent"}, "'alarm' or 'notice'"),
        ({"above": 5, "limit": 3}, "Extra inputs are not permitted"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_words(settings, words):
    with pytest.raises(ValidationError) as caught:
        rule(**settings)
    assert any(words in error["msg"] for error in caught.value.errors())


def test_every_setting_is_described():
    assert all(field.description for field in Threshold.model_fields.values())
    assert list(rule(above=1).watches()) == [("gauge", "level")]


PAGE = (Path(__file__).parents[1] / "docs" / "rules.md").read_text()
DOCUMENT = PAGE[PAGE.index("\n## threshold\n") :]
KEYS = DOCUMENT.split("| key | default | meaning |")[1].split("\n\n")[0]


def test_document_tells_every_key_and_its_default():
    for name, field in Threshold.model_fields.items():
        if name == "name":
            continue
        (row,) = [
            line for line in KEYS.splitlines() if re.match(rf"\| (`\w+`, )*`{name}`(, `\w+`)* \|", line)
        ]
        default = row.split("|")[2].strip().strip("`")
        if field.default and not field.is_required() and name != "event":
            assert default == (f"{field.default:g}" if isinstance(field.default, float) else field.default)


def test_document_names_every_kind_of_event():
    every = rule(above=2, below=1, flat_s=1, rise_per_min=1, fall_per_min=1)
    for condition in every.conditions().values():
        assert f"`{condition.kind}`" in DOCUMENT


def test_examples_in_the_document_are_rules():
    examples = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)]
    tables = [(name, table) for example in examples for name, table in example["rules"].items()]
    assert tables
    for name, table in tables:
        assert table.pop("kind") == "threshold"
        Threshold.model_validate({"name": name, **table})
