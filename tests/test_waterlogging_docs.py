"""docs/waterlogging.md has every key of the rule, and its sample holds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from lamppost.agent.rules.gauge import GaugeSettings, Temperature
from lamppost.agent.rules.waterlogging import Rain, Waterlogging

PAGE = (Path(__file__).parent.parent / "docs/waterlogging.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("model", [Waterlogging, GaugeSettings, Temperature, Rain])
def test_every_key_is_documented(model):
    for key, field in model.model_fields.items():
        if key != "name":
            assert re.search(
                rf"^\| `{key}` \| .* \| {re.escape(field.description)} \|$", PAGE, re.MULTILINE
            ), key


def test_the_sample_is_a_rule():
    (sample,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    for name, table in tomllib.loads(sample)["rules"].items():
        assert table.pop("kind") == "waterlogging"
        assert Waterlogging(name=name, **table).gauge.at == (0.42, 0.80)
