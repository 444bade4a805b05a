"""A person's commands know the secrets that the service's unit gives it."""

from __future__ import annotations

import pytest

from lamppost.agent.config import ConfigError
from lamppost.provisioning.edit import editing
from lamppost.provisioning.service_env import load_as_service, read_env

BOX = """
[node]
id = "a"
site = "b"
[hub]
url = "mqtt://h:1883"
username = "u"
password = "${HUB_PASSWORD}"
"""


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=sesame", "sesame"),
        ('A="open sesame"', "open sesame"),
        ("A='it $is'", "it $is"),
        (r'A="say \"please\""', 'say "please"'),
        ("  A=x=y  ", "x=y"),
        ('A="never closed', '"never closed'),
        ("A=", ""),
    ],
)
def test_an_environment_file_is_read_as_systemd_reads_it(tmp_path, line, value):
    path = tmp_path / "secrets.env"
    path.write_text(f"# a comment\n; another\n\nno assignment\n{line}\n")
    assert read_env(path) == {"A": value}


def test_a_configuration_is_loaded_and_edited_with_the_services_secrets(tmp_path):
    path = tmp_path / "lamppost.toml"
    path.write_text(BOX)
    with pytest.raises(ConfigError, match="HUB_PASSWORD"):
        load_as_service(path, {})
    (tmp_path / "secrets.env").write_text("HUB_PASSWORD=sesame\n")
    hub = load_as_service(path, {}).hub
    assert hub is not None
    assert hub.password is not None
    assert hub.password.reveal() == "sesame"
    mine = load_as_service(path, {"HUB_PASSWORD": "the shell's own"}).hub
    assert mine is not None
    assert mine.password is not None
    assert mine.password.reveal() == "the shell's own"
    with editing(path) as change:
        change.add_device("meter", {"driver": "modbus", "url": "tcp://h", "profile": "eastron-sdm120"})
    assert "meter" in load_as_service(path, {}).devices
