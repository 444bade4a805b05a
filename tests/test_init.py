"""`lamppost init`: a configuration from options, from the office's list, from answers."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from terminal import at_terminal

from lamppost.agent.config import load
from lamppost.provisioning.cli import main
from lamppost.provisioning.draft import draft_of, keep_draft, read_draft
from lamppost.provisioning.poles import PolesError, read_poles

CSV = "id,site,lat,lon,hub\npole-1,north,22.7,114.2,mqtts://hub.example:8883\npole-2,south,22.8,114.3,\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lamppost.toml"


def init(path, *options) -> int:
    return main(["init", "-c", str(path), *options])


def test_options_make_a_configuration_that_holds(path, capsys):
    assert init(path, "--id", "pole-1", "--site", "north", "--hub", "mqtts://h:8883", "--yes") == 0
    config = load(path)
    assert (config.node.id, config.node.site, config.hub.url) == ("pole-1", "north", "mqtts://h:8883")
    assert "written for pole-1 at north" in capsys.readouterr().out
    assert path.read_text().startswith("# Configuration of this box")


def test_a_pole_comes_from_the_list_of_the_office(path, tmp_path):
    (tmp_path / "poles.csv").write_text(CSV)
    assert init(path, "--poles", str(tmp_path / "poles.csv"), "--pole", "pole-1", "--yes") == 0
    node = load(path).node
    assert (node.id, node.site, node.lat, node.lon) == ("pole-1", "north", 22.7, 114.2)


def test_what_is_there_is_kept_but_for_node_and_hub(path, capsys):
    device = '[devices.a]\ndriver = "modbus"\nurl = "tcp://h:1"\nprofile = "eastron-sdm120"\n'
    path.write_text('[node]\nid = "old" # a comment\nsite = "north"\n' + device)
    before = path.read_text()
    assert init(path, "--id", "new", "--yes", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert load(path).node.id == "new"
    assert "# a comment" in path.read_text()
    assert "a" in load(path).devices
    assert Path(told["backup"]).read_text() == before


def test_what_is_missing_is_said_where_nobody_can_be_asked(path, capsys):
    assert init(path, "--id", "pole-1", "--yes") == 2
    assert "give --site" in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--id", "a b"], "cannot be a name"),
        (["--hub", "hub.example"], "names no broker"),
        (["--lat", "22"], "belong together"),
    ],
)
def test_a_wrong_answer_is_refused_in_words(path, options, words, capsys):
    defaults = [] if "--id" in options else ["--id", "pole-1"]
    assert init(path, *defaults, "--site", "north", "--yes", *options) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("p.csv", "site,lat\nx,1\n", "p.csv:1: no column id"),
        (
            "p.csv",
            "id,lat\na,1\nb,far\n",
            "p.csv:3, column lat: found 'far', expected degrees from -90 to 90",
        ),
        ("p.csv", "id\na\na\n", "p.csv:3: pole 'a' is given twice"),
        ("p.csv", "id\n", "lists no poles"),
        ("p.toml", "poles = 3", r"expected \[\[poles\]\]"),
        ("p.toml", "[[poles]\n", "no TOML"),
    ],
)
def test_a_list_that_cannot_be_used_says_where(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(PolesError, match=words):
        read_poles(tmp_path / name)


def test_lists_of_spreadsheets_and_toml_are_read(tmp_path):
    (tmp_path / "a.csv").write_bytes(
        "编号;站点;纬度;经度\r\npole-1;龙岗;22,5\r\n".replace("22,5", "22.5;114").encode("gb18030")
    )
    assert read_poles(tmp_path / "a.csv")["pole-1"].site == "龙岗"
    (tmp_path / "b.toml").write_text('site = "north"\n[poles.pole-1]\nlat = 1.5\nlon = 2\n[poles.pole-2]\n')
    assert {p.id: (p.site, p.lat) for p in read_poles(tmp_path / "b.toml").values()} == {
        "pole-1": ("north", 1.5),
        "pole-2": ("north", None),
    }


def test_it_asks_at_a_terminal_and_asks_again(path):
    with at_terminal(["init", "-c", str(path), "--lat", "1", "--lon", "2"]) as terminal:
        for question, answer in (("Node id", "a b"), ("Node id", "pole-1"), ("Site", "north"), ("Hub", "")):
            terminal.said(question)
            terminal.type(f"{answer}\n")
        assert terminal.ended() == 0
    assert load(path).node.id == "pole-1"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGHUP])
def test_answers_survive_an_interruption_until_they_are_written(end, path):
    command = ["init", "-c", str(path), "--lat", "1.5", "--lon", "2"]
    with at_terminal(command) as terminal:
        for question, answer in (("Node id", "pole-1"), ("Site", "north")):
            terminal.said(question)
            terminal.type(f"{answer}\n")
        terminal.said("Hub")
        terminal.child.send_signal(end)
        assert terminal.ended() == (130 if end is signal.SIGINT else -end)
    assert not path.exists()
    assert draft_of(path).stat().st_mode & 0o777 == 0o600

    with at_terminal(["init", "-c", str(path)]) as terminal:
        for question in ("Node id, as on the pole's door [pole-1]", "[north]", "[1.5]", "[2.0]"):
            terminal.said(question)
            terminal.type("\n")
        terminal.said("Hub")
        terminal.type("mqtts://hub.example:8883\n")
        assert terminal.ended() == 0
    node = load(path).node
    assert (node.id, node.site, node.lat, node.lon) == ("pole-1", "north", 1.5, 2)
    assert not draft_of(path).exists()


def test_answers_about_one_pole_are_not_proposed_for_another(path):
    keep_draft(path, {"id": "pole-1", "site": "north", "lat": 1.5, "lon": 2.0})
    with at_terminal(["init", "-c", str(path)]) as terminal:
        terminal.said("Node id, as on the pole's door [pole-1]")
        terminal.type("pole-2\n")
        terminal.said("Site: ")
        terminal.type("south\n")
        for question in ("unknown): ", "unknown): ", "yet): "):
            terminal.said(question)
            terminal.type("\n")
        assert terminal.ended() == 0
    assert (load(path).node.site, load(path).node.lat) == ("south", None)


def test_a_draft_keeps_no_password_and_what_is_no_answer_is_left_out(path):
    keep_draft(path, {"id": "pole-1", "hub": "mqtts://me:canary@hub.example:8883", "password": "canary"})
    assert "canary" not in draft_of(path).read_text()
    assert read_draft(path) == {"id": "pole-1"}
    draft_of(path).write_text('{"id": "a b", "lat": 900, "site": "north", "lon": [1]}')
    assert read_draft(path) == {"site": "north"}
    draft_of(path).write_text("no JSON")
    assert read_draft(path) == {}


def test_the_poles_of_a_list_are_one_json_document(path, tmp_path, capsys):
    (tmp_path / "poles.csv").write_text(CSV)
    assert init(path, "--poles", str(tmp_path / "poles.csv"), "--json") == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == ["pole-1", "pole-2"]
