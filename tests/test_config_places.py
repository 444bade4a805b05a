"""Zones and lines in the configuration: what is drawn wrong, and rules that name what is not drawn."""

from __future__ import annotations

import pytest
from plugins import importable, write_plugin

from lamppost.agent.config import ConfigError, load

RULES = '''
from pydantic import Field

from lamppost.agent.rules.api import Rule


class Gate(Rule):
    """Counts what crosses a line."""

    camera: str = Field(description="Name of the camera.")
    line: str = Field(description="A line.")
    zone: str = Field("", description="A zone.")

    def watches(self):
        return [(self.camera, "")]

    def zones(self):
        return [(self.camera, self.zone)]

    def lines(self):
        return [(self.camera, self.line)]
'''

HEAD = """
[node]
id = "pole-1"
site = "s"
[devices.supply]
driver = "modbus"
url = "tcp://127.0.0.1"
registers.level = { address = 0 }
[devices.side-cam]
driver = "camera"
source = "side.avi"
zones.bay = [[0, 0], [1, 0], [1, 1]]
lines.gate = [[0, 0.5], [1, 0.5]]
[devices.kerb-cam]
driver = "camera"
source = "kerb.avi"
"""
LINE = HEAD.count("\n") + 1

BOW = "[[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]"


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gate")
    write_plugin(folder, "lamppost_gate", RULES, "[lamppost.rules]\ngate = lamppost_gate:Gate\n")
    with importable(folder, "lamppost_gate"):
        yield


def problems(tmp_path, text):
    file = tmp_path / "lamppost.toml"
    file.write_text(HEAD + text)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    return [f"{problem.line - LINE}: {problem.text}" for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ("[]", "has 0 points; a zone needs at least three"),
        ("[[0.1, 0.1], [0.9, 0.9]]", "has 2 points; a zone needs at least three"),
        ("[[0.1, 0.1], [1.2, 0.1], [0.5, 0.9]]", "has its point 2 at [1.2, 0.1] outside 0..1"),
        ("[[-0.1, 0.1], [0.2, 0.1], [0.5, 0.9]]", "has its point 1 at [-0.1, 0.1] outside 0..1"),
        (
            "[[64, 72], [320, 72], [320, 180]]",
            "in pixels, as its point 1 at [64, 72] shows; points are shares",
        ),
        (BOW, "crosses itself: its sides 1 and 3 meet; name the corners in their order around the zone"),
        ("[[0.1, 0.1], [0.5, 0.1], [0.9, 0.1]]", "has no area: its points lie on a line"),
        ("[[0.1, 0.1], [0.5, 0.1], [0.9, 0.1], [0.2, 0.1]]", "has no area: its points lie on a line"),
        ("[[0.1, 0.1], [0.5, 0.1], [0.5, 0.1], [0.2, 0.9]]", "has the point [0.5, 0.1] twice in a row"),
        ("[[0.1, 0.1, 0], [0.5, 0.1], [0.9, 0.9]]", "its point 1 has 3 numbers; a point is [x, y]"),
        ("[[0.1, 0.1], [0.5], [0.9, 0.9]]", "its point 2 has 1 number; a point is [x, y]"),
        ("[0.1, 0.1, 0.5, 0.1, 0.9, 0.9]", "its point 1 is no pair; a point is [x, y]"),
        (
            "[[0.1, 0.1], ['0.5', 0.1], [0.9, 0.9]]",
            "its point 2 has a text in it; write numbers from 0 to 1, without quotes",
        ),
        ("[[true, 0.1], [0.5, 0.1], [0.9, 0.9]]", "its point 1 is no pair of numbers"),
        ("[[nan, 0.1], [0.5, 0.1], [0.9, 0.9]]", "its point 1 is no pair of numbers"),
        ("[[[0.1, 0.1], [0.5, 0.1], [0.9, 0.9]]]", "its point 1 is an array of points: there is one pair"),
        ("'0.1 0.1'", "is no array of points"),
        ("{ x = 1 }", "is no array of points"),
    ],
)
def test_a_zone_that_is_drawn_wrong_is_told_with_its_line(tmp_path, points, words):
    (problem,) = problems(tmp_path, f"fps = 1\nzones.bay = {points}\n")
    assert problem.startswith("1: devices.kerb-cam.zones.bay: ")
    assert words in problem


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ("[[0.1, 0.1]]", "has 1 point; a line goes from one point to another: [[x, y], [x, y]]"),
        ("[[0.1, 0.1], [0.2, 0.1], [0.3, 0.3]]", "has 3 points; a line goes from one point to another"),
        ("[[0.1, 0.1], [0.1, 0.1]]", "has no length"),
        ("[[0, 0.5], [640, 0.5]]", "in pixels, as its point 2 at [640, 0.5] shows"),
        ("[0.1, 0.1]", "its point 1 is no pair"),
    ],
)
def test_a_line_that_is_drawn_wrong_is_told_with_its_line(tmp_path, points, words):
    (problem,) = problems(tmp_path, f"lines.gate = {points}\n")
    assert problem.startswith("0: devices.kerb-cam.lines.gate: ")
    assert words in problem


def test_a_place_without_a_name_is_told(tmp_path):
    (problem,) = problems(tmp_path, 'zones."" = [[0, 0], [1, 0], [1, 1]]\n')
    assert "expected a text that is not empty" in problem


def test_all_that_is_wrong_with_places_and_rules_is_told_at_once(tmp_path, gate):
    found = problems(
        tmp_path,
        "zones.bus-stop = [[0, 0], [1, 0]]\n"
        "zones.stand = [[0, 0], [1, 0], [1, 1]]\n"
        'fpss = 2\n[rules.a]\nkind = "parking"\ncamera = "kerb-cam"\nzone = "bus-stpo"\n'
        '[rules.b]\nkind = "gate"\ncamera = "side-cam"\nline = "gait"\n',
    )
    assert found == [
        "0: devices.kerb-cam.zones.bus-stop: has 2 points; a zone needs at least three",
        next(text for text in found if "unknown key 'fpss'" in text),
        (
            '6: rules.a.zone: found unknown zone "bus-stpo", expected one of the zones of kerb-cam: '
            "bus-stop, stand; did you mean 'bus-stop'?"
        ),
        (
            '10: rules.b.line: found unknown line "gait", expected one of the lines of side-cam: gate; '
            "did you mean 'gate'?"
        ),
    ]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            'kind = "parking"\ncamera = "kerb-cam"\nzone = "bay"',
            (
                'zone: found unknown zone "bay", expected one of the zones of kerb-cam: there are none; '
                "the zone is one of side-cam"
            ),
        ),
        (
            'kind = "parking"\ncamera = "side-cam"\nzone = "gate"',
            (
                'zone: found unknown zone "gate", expected one of the zones of side-cam: bay; '
                "side-cam has a line of this name, but the rule needs a zone"
            ),
        ),
        (
            'kind = "gate"\ncamera = "kerb-cam"\nline = "south"',
            (
                'line: found unknown line "south", expected one of the lines of kerb-cam: there are none; '
                "draw it in [devices.kerb-cam]: lines.south = [[x, y], [x, y]]"
            ),
        ),
        (
            'kind = "parking"\nzone = "supply"\ncamera = "supply"',
            (
                'camera: found "supply", which is no camera but a device of driver modbus, expected one of '
                "the cameras of this file: side-cam, kerb-cam"
            ),
        ),
        (
            'kind = "parking"\nzone = "kerb-camp"\ncamera = "kerb-camp"',
            (
                'camera: found unknown device "kerb-camp", expected one of the devices of this file: '
                "supply, side-cam, kerb-cam; did you mean 'kerb-cam'?"
            ),
        ),
        (
            'kind = "gate"\nline = "gate"\ncamera = "supply"',
            (
                'camera: found "supply", which is no camera but a device of driver modbus, expected one of '
                "the cameras of this file: side-cam, kerb-cam"
            ),
        ),
    ],
)
def test_a_rule_that_names_what_is_not_there_is_told_what_is(tmp_path, gate, rule, expected):
    (problem,) = problems(tmp_path, f"[rules.r]\n{rule}\n")
    assert problem.partition(": rules.r.")[2] == expected
    assert int(problem.partition(":")[0]) == next(
        i for i, line in enumerate(["", *rule.splitlines()]) if line.startswith(expected.partition(":")[0])
    )


def test_a_rule_may_look_at_the_whole_picture(tmp_path, gate):
    file = tmp_path / "lamppost.toml"
    file.write_text(HEAD + '[rules.r]\nkind = "gate"\ncamera = "side-cam"\nline = "gate"\n')
    config = load(file, {})
    assert config.devices["side-cam"].driver.lines["gate"] == [(0, 0.5), (1, 0.5)]


def test_a_source_that_is_no_url_shows_no_password(tmp_path):
    text = '[devices.c]\ndriver = "camera"\nsource = "rtsp:/joe:kanarie@10.0.0.1/x"\n'
    (problem,) = problems(tmp_path, text)
    assert "kanarie" not in problem
    assert "neither a URL nor a file" in problem
