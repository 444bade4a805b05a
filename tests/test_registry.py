"""Drivers and rules are found by entry point, and what cannot be used says why."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from plugins import importable, install_package, lamppost, write_plugin

from lamppost.drivers import registry
from lamppost.drivers.api import Driver


@pytest.fixture
def shelf(tmp_path):
    """A folder of the path into which a test lays its packages."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    with importable(folder, "shelf_"):
        yield folder


DRIVER = "from lamppost.drivers.api import Driver\nclass D(Driver):\n    pass\n"


def test_our_own_driver_is_found_by_entry_point_and_imported_on_demand():
    code = (
        "import sys; from lamppost.drivers import registry; assert 'modbus' in registry.names();"
        "assert 'pymodbus' not in sys.modules; print(registry.load('modbus').__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Modbus"


def test_an_unknown_name_lists_the_installed_ones_and_the_nearest():
    with pytest.raises(
        registry.UnknownPlugin, match=r"unknown driver 'modbsu'; did you mean 'modbus'\?"
    ) as caught:
        registry.load("modbsu")
    assert "modbus" in caught.value.installed
    assert caught.value.nearest == "modbus"


def test_a_name_that_two_packages_offer_is_refused(shelf):
    write_plugin(shelf, "shelf_one", DRIVER, "[lamppost.drivers]\nd = shelf_one:D\n")
    write_plugin(shelf, "shelf_two", DRIVER, "[lamppost.drivers]\nd = shelf_two:D\n", version="2.0")
    with pytest.raises(registry.DuplicatePlugin, match=r"shelf_one 1\.0 and shelf_two 2\.0"):
        registry.load("d")
    assert registry.names().count("d") == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'"),
        ("1 / 0", "ZeroDivisionError"),
        ("", "has no attribute 'D'"),
        ("class D: pass", "is no Driver"),
        ("def D(): pass", "is no Driver"),
    ],
)
def test_a_broken_plugin_names_its_package_and_the_reason(shelf, code, reason):
    write_plugin(shelf, "shelf_broken", code, "[lamppost.drivers]\nd = shelf_broken:D\n")
    with pytest.raises(registry.BrokenPlugin, match=r"shelf_broken 1\.0") as caught:
        registry.load("d")
    assert reason in str(caught.value)


def test_other_groups_have_their_own_names_and_kind(shelf):
    write_plugin(shelf, "shelf_rule", DRIVER, "[lamppost.rules]\nd = shelf_rule:D\n")
    assert registry.load("d", "lamppost.rules", Driver).__name__ == "D"
    assert "d" not in registry.names()
    with pytest.raises(registry.UnknownPlugin, match="unknown rule 'q'"):
        registry.load("q", "lamppost.rules", Driver)


@pytest.fixture(scope="module")
def third_party(tmp_path_factory):
    """The package of the documentation, installed by pip."""
    folder = tmp_path_factory.mktemp("site")
    install_package(folder, tmp_path_factory.mktemp("build"))
    return folder


CABINET = """
[node]
id = "pole-1"
site = "s"
[devices.cabinet]
driver = "w1-thermometer"
sensor = "28-0316a2795cff"
folder = "w1"
"""


def test_an_installed_driver_package_is_found_listed_and_configured(third_party, tmp_path):
    listed = json.loads(lamppost("driver", "list", "--json", path=third_party).stdout)
    assert listed["w1-thermometer"] == {
        "package": "lamppost-w1 1.2.0",
        "summary": "1-Wire thermometers (DS18B20) of a Linux box",
        "profiles": {},
    }
    assert "eastron-sdm120" in listed["modbus"]["profiles"]

    file = tmp_path / "lamppost.toml"
    file.write_text(CABINET)
    checked = lamppost("config", "check", str(file), path=third_party)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "cabinet (w1-thermometer)" in checked.stdout
    without = lamppost("config", "check", str(file))
    assert without.returncode == 2
    assert f'{file}:6: devices.cabinet.driver: found unknown driver "w1-thermometer"' in without.stderr


def test_an_installed_driver_reads_its_device(third_party, tmp_path):
    sensor = tmp_path / "28-0316a2795cff"
    sensor.mkdir()
    (sensor / "w1_slave").write_text("72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b t=23125\n")
    code = (
        "import asyncio, sys; from lamppost.drivers import registry\n"
        "made = registry.load('w1-thermometer')(name='c', sensor='28-0316a2795cff', folder=sys.argv[1])\n"
        "print(asyncio.run(made.probe()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env={"PYTHONPATH": str(third_party)}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "23.125 Cel\n"
