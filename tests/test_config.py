"""A good file gives the configuration; a bad one gives all its problems at once, each with its place."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import BAD_FILES, toys, toys_folder

from lamppost.agent.config import Config, ConfigError, load, secret
from lamppost.agent.config.load import TABLES
from lamppost.drivers import registry

__all__ = ["toys", "toys_folder"]

NODE = '[node]\nid = "pole-1"\nsite = "s"\n'


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "lamppost.toml"


def good(file: Path, text: str, **env: str) -> Config:
    file.write_text(NODE + text)
    return load(file, env)


def bad(file: Path, text: str | bytes, **env: str) -> list[str]:
    """Return the problems as ``line: text``."""
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(file, env)
    assert all(problem.file == str(file) for problem in caught.value.problems)
    return [f"{problem.line or '-'}: {problem.text}" for problem in caught.value.problems]


def test_the_smallest_file_has_all_defaults(file):
    config = good(file, "", STATE_DIRECTORY="/state:/other", RUNTIME_DIRECTORY="/run/x")
    assert (config.node.id, config.node.run_dir, config.node.state_dir) == (
        "pole-1",
        Path("/run/x"),
        Path("/state"),
    )
    assert config.spool.path == Path("/state/spool.db")
    assert config.hub is None
    assert config.telemetry.heartbeat_s == 900
    assert (config.devices, config.rules, config.warnings, config.path) == ({}, {}, (), file)


def test_devices_share_their_table_with_their_driver(toys, file):
    config = good(
        file,
        '[hub]\nurl = "mqtt://h"\n[devices.a]\ndriver = "toy"\nevery_s = 3\nstall_s = 30\nenabled = false\n'
        '[devices.a.parts.wheel]\nsize_mm = 2\n[rules.r]\nkind = "toy-rule"\ndevice = "a"\n',
    )
    device = config.devices["a"]
    assert (device.name, device.driver_name, device.stall_s, device.enabled) == ("a", "toy", 30, False)
    assert (device.driver.name, device.driver.every_s, device.driver.parts["wheel"].size_mm) == ("a", 3.0, 2)
    assert config.rules["r"].device == "a"
    assert config.hub
    assert (config.hub.host, config.hub.port, config.hub.tls) == ("h", 1883, False)
    assert config.hub.client_id == "lamppost-s-pole-1"


def test_the_nearest_word_on_telemetry_wins(toys, file):
    config = good(
        file,
        "[telemetry]\nheartbeat_s = 60\ndeadband_percent = 1\n"
        '[devices.a]\ndriver = "toy"\ntelemetry.interval_s = 5\ntelemetry.quantities.v.deadband = 0.5\n'
        'telemetry.quantities.v.heartbeat_s = 0\n[devices.b]\ndriver = "toy"\n',
    )
    a, b = config.devices["a"], config.devices["b"]
    assert a.policy("v").model_dump() == {
        "interval_s": 5, "deadband": 0.5, "deadband_percent": 1, "heartbeat_s": 0
    }  # fmt: skip
    assert (a.policy("other").interval_s, a.policy("other").heartbeat_s) == (5, 60)
    assert b.policy("v") == config.telemetry


def test_relative_paths_begin_at_the_file(file):
    hub = '[hub]\nurl = "mqtts://h:1"\nca_file = "ca.pem"\n[spool]\npath = "data/spool.db"\n'
    (file.parent / "ca.pem").touch()
    config = good(file, hub)
    assert config.spool.path == file.parent / "data/spool.db"
    assert config.hub
    assert config.hub.ca_file == file.parent / "ca.pem"
    assert not config.warnings


def test_files_of_the_hub_that_are_not_there_are_told_with_their_line(file):
    found = bad(
        file,
        f'{NODE}[hub]\nurl = "mqtts://h"\nca_file = "ca.pem"\ncert_file = "."\n'
        'key_file = "/nowhere/key.pem"\n',
    )
    missing = "there is no such file; paths begin at the folder of the configuration"
    assert found == [
        f"6: hub.ca_file: {file.parent / 'ca.pem'}: {missing}",
        f"7: hub.cert_file: {file.parent}: is a folder",
        f"8: hub.key_file: /nowhere/key.pem: {missing}",
    ]


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        (
            "mqtt://h:8883",
            "mqtt:// with port 8883, which is usually that of mqtts://; write mqtts://, or port 1883",
        ),
        (
            "mqtts://h:1883",
            "mqtts:// with port 1883, which is usually that of mqtt://; write mqtt://, or port 8883",
        ),
    ],
)
def test_a_port_that_belongs_to_the_other_scheme_is_a_warning(file, url, hint):
    config = good(file, f'[hub]\nurl = "{url}"\n')
    assert [f"{w.line}: {w.text}" for w in config.warnings] == [f"5: hub.url: {hint}"]


def meter(name, url, more=""):
    return f'[devices.{name}]\ndriver = "modbus"\nurl = "{url}"\nregisters.v = {{ address = 0 }}\n{more}'


def test_devices_of_one_line_that_speak_to_it_differently_are_told(file):
    found = bad(
        file,
        NODE
        + meter("a", "rtu:///dev/ttyUSB0?baud=2400")
        + meter("b", "rtu:///dev/ttyUSB0?baud=2400&parity=E", "unit = 2\n")
        + meter("c", "rtu:///dev/ttyUSB1")
        + meter("off", "rtu:///dev/ttyUSB0?baud=4800", "enabled = false\n")
        + meter("d", "tcp://10.0.0.1:4001")
        + meter("e", "rtu+tcp://10.0.0.1:4001", "unit = 2\n")
        + meter("f", "rtu:///dev/ttyUSB1?silence_ms=20", "unit = 2\n"),
    )
    hint = "all devices of one line are spoken to alike"
    assert found == [
        f"10: devices.b.url: found 2400 8E1 on /dev/ttyUSB0, expected 2400 8N1, as a says; {hint}",
        f"28: devices.e.url: found rtu+tcp on 10.0.0.1:4001, expected tcp, as d says; {hint}",
        (
            "33: devices.f.url: found 9600 8N1 with pauses of 20 ms on /dev/ttyUSB1, expected 9600 8N1, "
            f"as c says; {hint}"
        ),
    ]


def test_two_devices_of_one_address_are_a_warning(file):
    url = "rtu:///dev/ttyUSB0"
    config = good(file, meter("a", url) + meter("b", url) + meter("c", url, "unit = 2\n"))
    assert [f"{w.line}: {w.text}" for w in config.warnings] == [
        "10: devices.b.url: is unit 1 on /dev/ttyUSB0, and so is a; was it copied from there?"
    ]


def test_an_unchanged_file_gives_an_equal_configuration_and_a_changed_one_does_not(toys, file):
    text = '[devices.a]\ndriver = "toy"\ntoken = "${T}"\n'
    first = good(file, text, T="one-token")
    assert good(file, text, T="one-token") == first
    assert good(file, text, T="two-token").devices["a"] != first.devices["a"]


def test_what_comes_from_the_environment_may_become_a_number(toys, file):
    config = good(
        file, '[devices.a]\ndriver = "toy"\nevery_s = "${EVERY}"\nurl = "10"\nmode = "slow"\n', EVERY="7"
    )
    assert config.devices["a"].driver.every_s == 7
    assert config.devices["a"].driver.url == "10"


def test_drivers_are_imported_only_when_they_are_named(toys, file):
    sys.modules.pop("lamppost_toys", None)
    good(file, "")
    assert "lamppost_toys" not in sys.modules


@pytest.mark.parametrize(
    ("text", "expected"), [case[1:] for case in BAD_FILES], ids=[case[0] for case in BAD_FILES]
)
def test_a_bad_file_gets_these_problems(toys, file, text, expected):
    assert bad(file, text) == expected.splitlines()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"[node\nid = 1\n", "1: this is no TOML"),
        (b"[node]\nid = pole\n", "2: this is no TOML: invalid value; a value is a text in quotes"),
        (b'[node]\nid = "a\n', "2: this is no TOML: illegal character"),
        (b"[node]\nid\n", "2: this is no TOML: expected '=' after a key"),
        (
            b'[node]\nid = "a"\nsite = "b"\nid = "c"\n',
            "4: node.id: is given twice; it stands on line 2 already",
        ),
        (b'[node]\nid = "a"\n[hub]\n[node]\n', "4: node: is given twice; it stands on line 1 already"),
        (
            b'[node]\nid = "C:\\path"\n',
            "2: this is no TOML: unescaped '\\' in a string; write texts with backslashes",
        ),
        (b'a = """\n\n', "this is no TOML: unterminated string"),
        (
            b"[node]\nid = 'caf\xe9'\n",
            "2: the byte 0xE9, which is no UTF-8; save the file in the encoding UTF-8",
        ),
        ("[node]\n".encode("utf-16"), "1: the byte 0xFF, which is no UTF-8"),
        (b"\x00", "1: this is no TOML"),
        (b"a = " + b"[" * 100_000, "arrays or tables nested too deep"),
        (b"a = " + b"9" * 10_000, "a value that cannot be read"),
        (b"#" * (4 << 20) + b"#", "more than 4 MiB, which is no configuration"),
    ],
)
def test_what_is_no_toml_is_told_in_words(file, raw, expected):
    (problem,) = bad(file, raw)
    assert expected in problem


def test_syntax_errors_have_a_column(file):
    file.write_text("[node]\nid = pole\n")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}:2:6: this is no TOML")


def test_files_of_windows_editors_are_read(toys, file):
    text = NODE + '[devices.a]\r\ndriver = "toy"\nmode = "x"\n'
    problems = bad(file, b"\xef\xbb\xbf" + text.replace("\r", "").replace("\n", "\r\n").encode())
    assert problems == ["6: devices.a.mode: found \"x\", expected 'slow' or 'fast'; Speed."]


def test_a_file_that_cannot_be_read_is_a_problem_too(tmp_path):
    for path, expected in [
        (tmp_path / "none.toml", "there is no such file"),
        (tmp_path, "this is a folder, not a file"),
        (tmp_path / "a\0b", "cannot be read"),
    ]:
        with pytest.raises(ConfigError, match=expected):
            load(path)


def test_unknown_and_missing_keys_of_shipped_drivers_are_told(file):
    text = f'{NODE}[devices.supply]\ndriver = "modbus"\nurl = "tcp://h"\nprofile = "eastron-sdm12"\n'
    (problem,) = bad(file, text)
    assert problem.startswith("7: devices.supply.profile: unknown profile 'eastron-sdm12'")
    assert "eastron-sdm120" in problem
    assert "modbus" in registry.names()


WORDS = st.sampled_from(
    [*TABLES, "id", "site", "url", "driver", "kind", "modbus", "threshold"]
) | st.sampled_from(
    [
        "password",
        "username",
        "registers",
        "profile",
        "quantities",
        "device",
        "quantity",
        "above",
        "path",
        "lat",
    ]
)
TEXTS = WORDS | st.sampled_from(["tcp://h", "mqtts://h", "${X}", "file:a", "mqtt://a:b@[", "://", "generic"])
TREES = st.recursive(
    TEXTS | st.integers() | st.floats() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)


def as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {as_toml(child)}" for key, child in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return json.dumps(value) if isinstance(value, str) else str(value).lower()


@settings(max_examples=100, deadline=None)
@pytest.fixture(autouse=True)
def forget_secrets(monkeypatch):
    """What random files call a password is no secret of the tests that follow."""
    monkeypatch.setattr(secret, "_known", set())


@given(tables=st.dictionaries(st.sampled_from(TABLES), TREES, max_size=4))
def test_any_tree_of_values_gives_problems_and_never_a_traceback(tables, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_text("\n".join(f"{key} = {as_toml(tree)}" for key, tree in tables.items()))
    problems = []
    try:
        load(file, {"X": "abcd"})
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
    assert problems or set(tables) >= {"node"}
    assert not [problem for problem in problems if "failed: " in problem]
