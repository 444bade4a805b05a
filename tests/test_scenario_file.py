"""Scenario files: every mistake is told with its entry, and what is shipped holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lamppost.agent.config import load as load_config
from lamppost.simulators.camera import CameraSettings
from lamppost.simulators.scenarios import ACTIONS, Action, ScenarioError, action, find, load, shipped
from lamppost.simulators.scenarios.model import (
    CounterTable,
    ExpectTable,
    LineTable,
    Scenario,
    TotalsTable,
    UnitTable,
    filled,
)
from lamppost.simulators.street.names import ZONES
from lamppost.simulators.street.projection import polygon

DOCS = Path(__file__).parent.parent / "docs/scenarios.md"

GOOD = """
name = "good"
duration_s = 60
[lines.bus]
kind = "pty"
units.3 = { device = "sen0676-level", name = "gutter" }
[agent]
config = "url = '@{lines.bus}' @{hub} @{run_dir} @{state_dir} every_s = @{s:6}"
"""


def read(folder: Path, text: str) -> Scenario:
    path = folder / "scenario.toml"
    path.write_text(text)
    return load(path)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ScenarioError) as told:
        read(folder, text)
    return told.value.problems


@pytest.mark.parametrize("name", shipped())
def test_shipped_scenarios_hold_and_so_do_their_configurations(name, tmp_path):
    scenario = load(find(name))
    assert scenario.name == name
    assert scenario.soak == (scenario.duration_s > 120)
    places = {
        "hub": "mqtt://127.0.0.1:1",
        "protocol": "5",
        "run_dir": str(tmp_path),
        "state_dir": str(tmp_path),
    }
    places |= {
        f"lines.{line}": {
            "tcp": "tcp://127.0.0.1:1",
            "serial": f"{tmp_path}/tty",
        }.get(table.kind, f"rtu://{tmp_path}/tty?baud=9600")
        for line, table in scenario.lines.items()
    }
    for camera, settings in scenario.cameras.items():
        places[f"cameras.{camera}"] = "http://127.0.0.1:1/stream"
        places |= {f"cameras.{camera}.zones.{zone}": polygon(settings.view, zone) for zone in ZONES}
    path = tmp_path / "lamppost.toml"
    path.write_text(filled(scenario.config(), places, 1.0))
    config = load_config(path)
    assert {counter.device for counter in scenario.counters} <= config.devices.keys()
    assert {expect.device for expect in scenario.expect} <= {*config.devices, None}


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path):
    text = GOOD.replace("seconds", "").replace("60", "60\nspeed = 3") + (
        '[[at]]\nat_s = 5\ndo = "link.cutt"\n'
        '[[at]]\nat_s = -1\ndo = "link.cut"\n'
        '[[at]]\nat_s = 1\ndo = "set"\nunit = "gutter"\n'
        "[[at]]\nat_s = 1\n"
    )
    found = "\n".join(problems(tmp_path, text))
    assert "[[at]] entry 1: unknown action 'link.cutt'; did you mean 'link.cut'?" in found
    assert "[[at]] entry 2 (link.cut): at_s: Input should be greater than or equal to 0, found -1" in found
    assert "[[at]] entry 3 (set): quantity: this key is needed" in found
    assert "[[at]] entry 3 (set): to: this key is needed" in found
    assert "[[at]] entry 4: it says not what to do" in found
    assert "speed: unknown key" in found


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('[[at]]\nat_s = 70\ndo = "link.cut"', "entry 1 (link.cut at 70 s): the scenario lasts only 60 s"),
        ('[[at]]\nat_s = 1\ndo = "unit.clear"\nunit = "x"', "no unit 'x'; there are: gutter"),
        ('[[at]]\nat_s = 1\ndo = "line.plug"\nline = "x"', "no line 'x'; there are: bus"),
        (
            '[[at]]\nat_s = 1\ndo = "freeze"\nunit = "gutter"\nquantity = "x"',
            "no quantity 'x' here; there are",
        ),
        ('[[at]]\nat_s = 1\ndo = "unit.fault"\nunit = "gutter"\nfault = "x"', "unknown fault 'x'; there are"),
        ('[[at]]\nat_s = 1\ndo = "line.fault"\nline = "bus"\nfault = "x"', "unknown fault 'x'; there are"),
        ('[[at]]\nat_s = 1\ndo = "agent.reload"\nreplace = { x = "y" }', "has no 'x' to replace"),
        (
            '[[expect]]\nkind = "a"\nphase = "open"\nafter_s = 61',
            "[[expect]] entry 1: the scenario lasts only 60 s",
        ),
        ('[[expect]]\nkind = "a"\nphase = "begin"\nafter_s = 1', "expect.1.phase: Input should be 'open'"),
        ('[[counters]]\nunit = "x"\ndevice = "d"\nquantity = "q"', "[[counters]] entry 1: no unit 'x'"),
        (
            '[lines.b]\nkind = "tcp"\nunits.1 = { device = "nosuch", name = "b" }',
            "no simulated device 'nosuch'",
        ),
        ('[lines.b]\nkind = "tcp"\nunits.1 = { device = "generic", name = "gutter" }', "another unit"),
        ('[lines.b]\nkind = "tcp"\nunits = {}', "lines.b.units: Dictionary should have at least 1 item"),
        ('[cameras.c]\nview = "moon"', "cameras.c.view: Input should be 'kerb' or 'stop', found 'moon'"),
        ('[[at]]\nat_s = 1\ndo = "camera.clear"\ncamera = "x"', "no camera 'x'; there are: none"),
        (
            '[cameras.c]\n[[at]]\nat_s = 1\ndo = "camera.fault"\ncamera = "c"\nfault = "fire"',
            "unknown fault 'fire'; there are: stall",
        ),
        (
            '[cameras.c]\n[[at]]\nat_s = 1\ndo = "camera.leave"\ncamera = "c"\nvehicle = "van"',
            "no vehicle 'van' parks; there are: none",
        ),
        (
            '[cameras.c]\n[[at]]\nat_s=1\ndo="camera.park"\ncamera="c"\nvehicle="v"\nkind="bus"\nplace="bay-1"',
            "a bus does not fit into a bay",
        ),
        ("at = 3", "write [[at]] for each action"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(tmp_path, more, says):
    text = f"{more}\n{GOOD}" if more.startswith("at ") else f"{GOOD}\n{more}"
    assert says in "\n".join(problems(tmp_path, text))


def test_configuration_and_its_placeholders_are_checked(tmp_path):
    assert (
        "unknown placeholder @{hubb}; there are: hub"
        in problems(tmp_path, GOOD.replace("@{hub}", "@{hubb}"))[0]
    )
    assert "give either" in problems(tmp_path, GOOD.replace("config =", "config_file = 'a'\nconfig ="))[0]
    missing = GOOD.replace("config = ", "config_file = 'a.toml' # ")
    assert "No such file" in problems(tmp_path, missing)[0]
    (tmp_path / "a.toml").write_text("# @{hub}")
    assert read(tmp_path, missing).config() == "# @{hub}"


def test_durations_in_the_configuration_follow_the_speed():
    assert filled("@{s:6} @{hub}", {"hub": "h"}, 4.0) == "1.5 h"


def test_no_toml_and_no_file_are_told(tmp_path):
    assert problems(tmp_path, "name =")[0].startswith("no TOML: ")
    with pytest.raises(ScenarioError, match=r"no such file, and shipped are only: .*street"):
        find("nosuch")


def test_steps_come_in_the_order_of_time_and_may_repeat(tmp_path):
    text = GOOD + (
        '[[at]]\nat_s = 25\nevery_s = 15\ndo = "link.restore"\n'
        '[[at]]\nat_s = 20\ndo = "link.cut"\n'
        '[[expect]]\nkind = "a"\nphase = "open"\nafter_s = 10\nevery_s = 25\n'
    )
    scenario = read(tmp_path, text)
    assert [(step.at_s, step.do) for step in scenario.steps()] == [
        (20, "link.cut"),
        (25, "link.restore"),
        (40, "link.restore"),
        (55, "link.restore"),
    ]
    assert [expect.after_s for expect in scenario.expected()] == [10, 35, 60]


def test_a_word_means_one_action():
    with pytest.raises(ValueError, match=r"two actions are called 'link\.cut'"):
        action("link.cut")(Action)


def test_every_action_key_and_shipped_scenario_is_documented():
    text = DOCS.read_text()
    words = set(re.findall(r"`([^`]+)`", text))
    assert ACTIONS.keys() <= words
    keys = {key for kind in ACTIONS.values() for key in kind.model_fields}
    tables = (Scenario, UnitTable, LineTable, CameraSettings, ExpectTable, TotalsTable, CounterTable)
    keys |= {key for table in tables for key in table.model_fields}
    assert keys <= words, keys - words
    assert shipped().keys() <= words
