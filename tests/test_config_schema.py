"""The JSON Schema says of a file what loading it says, so that editors can tell while it is written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from toys import BAD_FILES, toys, toys_folder

from lamppost.agent.config import load
from lamppost.agent.config.schema import document

__all__ = ["toys", "toys_folder"]

ROOT = Path(__file__).parent.parent
#: What only the whole file, a name or a plug-in's own validator shows; a schema cannot.
BEYOND = re.compile(
    r"belong together|must not be more|looks more often|unknown device|no more than ten|RuntimeError"
    r"|cannot be loaded|cannot be used|names no broker|is no URL|more than a host|cannot be a name|found nan"
)


KNOWABLE = [
    pytest.param(text, id=title)
    for title, text, problems in BAD_FILES
    if not all(BEYOND.search(problem) for problem in problems.splitlines())
]


@pytest.fixture(scope="module")
def validator(toys):
    schema, _ = document()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def examples() -> Iterator[Any]:
    """Yield the TOML blocks of the documentation that are whole files."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text() if page.exists() else ""
        blocks = re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        for number, block in enumerate(blocks):
            if "[node]" in block:
                yield pytest.param(block, id=f"{page.name}-{number}")


@pytest.mark.parametrize("text", list(examples()))
def test_every_example_of_the_documentation_is_valid(text, validator, tmp_path):
    known = set(re.findall(r'"const": "([\w-]+)"', str(document()[0]).replace("'", '"')))
    named = set(re.findall(r'(?:driver|kind) = "([\w-]+)"', text))
    if named - known:
        pytest.skip(f"names what is not installed here: {', '.join(named - known)}")
    assert not [error.message for error in validator.iter_errors(tomllib.loads(text))]
    file = tmp_path / "lamppost.toml"
    file.write_text(text)
    for name in re.findall(r'"file:(\S+)"', text):
        (tmp_path / name).write_text("some-value")
    load(file, dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "some-value"))


@pytest.mark.parametrize("text", KNOWABLE)
def test_what_loading_refuses_the_schema_refuses(text, validator):
    assert not validator.is_valid(tomllib.loads(text))


NODE = {"node": {"id": "a", "site": "b"}}


@pytest.mark.parametrize(
    ("device", "valid"),
    [
        ({"driver": "toy"}, True),
        (
            {
                "driver": "toy",
                "every_s": 3,
                "stall_s": 3,
                "telemetry": {"quantities": {"v": {"deadband": 1}}},
            },
            True,
        ),
        ({"driver": "toy", "token": "${T}"}, True),
        ({"driver": "toy", "token": "file:t"}, True),
        ({"driver": "toy", "token": "literal"}, False),
        ({"driver": "toy", "password": "literal"}, False),
        ({"driver": "toy", "name": "x"}, False),
        ({"driver": "toy", "profile": "eastron-sdm120"}, False),
        ({"driver": "modbus", "url": "tcp://h", "profile": "eastron-sdm120"}, True),
        ({"driver": "modbus", "url": "tcp://h", "mode": "slow"}, False),
        ({"driver": "nobody"}, False),
        ({}, False),
    ],
)
def test_the_driver_decides_which_keys_a_device_has(device, valid, validator):
    assert validator.is_valid({**NODE, "devices": {"d": device}}) is valid


def test_a_literal_password_of_the_hub_is_marked(validator):
    hub = {"url": "mqtts://h", "username": "u"}
    assert validator.is_valid({**NODE, "hub": {**hub, "password": "${P}"}})
    assert not validator.is_valid({**NODE, "hub": {**hub, "password": "abc"}})


def tables(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield path, schema["properties"]
        for key, child in schema.items():
            yield from tables(child, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, child in enumerate(schema):
            yield from tables(child, f"{path}/{index}")


def test_every_key_has_a_description_and_none_may_be_null():
    schema, _ = document()
    missing = [
        f"{path}: {key}"
        for path, properties in tables(schema)
        for key, field in properties.items()
        if "toy" not in path
        if not field.get("description") and "$ref" not in field and "enum" not in field
    ]
    assert not missing
    assert "'null'" not in str(schema)


def test_a_plugin_that_cannot_be_loaded_is_left_out_and_named(toys):
    schema, troubles = document()
    assert [trouble.partition(":")[0] for trouble in troubles] == ["toy-greedy", "toy-lost"]
    assert "driver.toy" in schema["$defs"]
    assert "driver.toy-lost" not in schema["$defs"]
