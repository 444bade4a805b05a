"""`lamppost camera zone`: a zone is drawn, drawn anew, refused in words, removed."""

from __future__ import annotations

import pytest

from lamppost.agent.config import load
from lamppost.provisioning.cli import main

TEXT = """\
[node]
id = "a"
site = "b"
[devices.cam]
driver = "camera"
source = "rtsp://10.0.0.6/stream1"   # on the pole
[rules.water]
kind = "waterlogging"
camera = "cam"
zone = "road"
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "lamppost.toml"
    path.write_text(TEXT.partition("[rules")[0])
    return path


def zone(path, *words) -> int:
    return main(["camera", "zone", "cam", "road", *words, "-c", str(path)])


def test_a_zone_is_drawn_anew_and_removed(path):
    assert zone(path, "0.1,0.4", "0.9,0.4", "1,1") == 0
    assert zone(path, "0.2,0.4", "0.9,0.4", "1,1", "0,1") == 0
    assert tuple(load(path).devices["cam"].driver.zones["road"][0]) == (0.2, 0.4)
    assert "# on the pole" in path.read_text()
    assert zone(path, "--remove") == 0
    assert load(path).devices["cam"].driver.zones == {}


def test_a_zone_that_a_rule_watches_is_not_removed(path, capsys):
    assert zone(path, "0.1,0.4", "0.9,0.4", "1,1") == 0
    with path.open("a") as file:
        file.write("[rules" + TEXT.partition("[rules")[2])
    before = path.read_text()
    assert zone(path, "--remove") == 2
    assert "rules.water.zone" in capsys.readouterr().err
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["0.1,0.4", "0.9,0.4"], "three corners at least"),
        (["0.1,0.4", "0.9", "1,1"], "expected X,Y"),
        (["0.1,0.4", "0.9,0.4", "2,1"], "zones"),
        (["0,0", "1,1", "1,0", "0,1"], "zones"),
    ],
)
def test_a_zone_that_cannot_be_is_refused_in_words(path, words, told, capsys):
    before = path.read_text()
    assert zone(path, *words) == 2
    assert told in capsys.readouterr().err
    assert path.read_text() == before
