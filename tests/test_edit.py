"""Changing a configuration: comments stay, nothing is written by halves or wrong."""

from __future__ import annotations

import multiprocessing
import os
import signal

import pytest

from lamppost.agent.config import ConfigError, load
from lamppost.provisioning import edit
from lamppost.provisioning.edit import EditError, editing, write_new

TEXT = """\
# The box at the bus stop.
[node]
id = "pole-17"   # painted on the door
site = "longgang"

[devices.meter]
driver = "modbus"
url = "tcp://10.0.0.5:502"
profile = "eastron-sdm120"

# Too high burns lamps.
[rules.high]
kind = "threshold"
device = "meter"
quantity = "voltage"
above = 253

[devices.cam]
driver = "camera"
source = "rtsp://10.0.0.6/stream1"
zones.bus = [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]   # drawn by Li
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "lamppost.toml"
    path.write_text(TEXT)
    return path


def test_a_device_is_added_and_all_else_stays(path):
    with editing(path) as change:
        change.add_device(
            "gutter", {"driver": "serial", "port": "/dev/x", "profile": "a02yyuw"}, "at the kerb"
        )
    assert path.read_text().startswith(TEXT)
    assert "# at the kerb\n[devices.gutter]\n" in path.read_text()
    assert "gutter" in load(path).devices
    assert change.backup is not None
    assert change.backup.read_text() == TEXT


def test_a_value_and_a_zone_are_set_in_their_places(path):
    with editing(path) as change:
        change.set(("rules", "high", "above"), 250)
        change.set_zone("cam", "road", [(0.12345, 0.2), (0.9, 0.2), (0.9, 0.95)])
    text = path.read_text()
    assert "above = 250" in text
    assert "# Too high burns lamps." in text
    assert "# drawn by Li" in text
    zones = load(path).devices["cam"].driver.zones
    assert [tuple(point) for point in zones["road"]] == [(0.1235, 0.2), (0.9, 0.2), (0.9, 0.95)]
    assert set(zones) == {"bus", "road"}


def test_a_device_that_is_watched_is_not_removed(path):
    with pytest.raises(EditError, match="meter is watched by high"), editing(path) as change:
        change.remove_device("meter")
    with editing(path) as change:
        change.remove(("rules", "high"))
        change.remove_device("meter")
    assert "meter" not in load(path).devices
    assert path.read_text().startswith("# The box at the bus stop.")


def test_what_would_not_hold_together_is_refused_and_nothing_is_written(path):
    with pytest.raises(ConfigError) as refused, editing(path) as change:
        change.add_device("gutter", {"driver": "serial", "port": "COM3", "profile": "a02yyuw"})
    assert "is no path" in str(refused.value)
    assert str(refused.value).startswith(f"{path}:")
    assert path.read_text() == TEXT
    assert sorted(p.name for p in path.parent.iterdir()) == [".lamppost.toml.lock", "lamppost.toml"]


def test_a_name_that_is_taken_is_refused(path):
    with pytest.raises(EditError, match=r"devices\.meter is there already"), editing(path) as change:
        change.add_device("meter", {"driver": "modbus"})


def test_a_new_file_is_no_overwriting(path):
    kept = write_new(path, '[node]\nid = "a"\nsite = "b"\n')
    assert kept is not None
    assert kept.read_text() == TEXT
    assert write_new(path.with_name("new.toml"), '[node]\nid = "a"\nsite = "b"\n') is None


def test_the_file_keeps_its_mode_and_backups_are_few(path):
    path.chmod(0o600)
    for value in range(240, 255):
        with editing(path) as change:
            change.set(("rules", "high", "above"), value)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(list(path.parent.glob("*.bak-*"))) == edit.KEPT


def test_two_editors_do_not_meet(path, monkeypatch):
    monkeypatch.setattr(edit, "PATIENCE_S", 0.1)
    with editing(path), pytest.raises(EditError, match="another program is changing it"), editing(path):
        pass


def _killed_while_checking(path, ready):
    def stop(*_):
        ready.set()
        signal.pause()

    edit._check = stop
    with editing(path) as change:
        change.set(("rules", "high", "above"), 1)


def test_a_kill_in_the_middle_leaves_the_old_file(path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    child = context.Process(target=_killed_while_checking, args=(path, ready))
    child.start()
    assert ready.wait(20)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert path.read_text() == TEXT
    with editing(path) as change:
        change.set(("rules", "high", "above"), 251)
    assert load(path).rules["high"].above == 251
