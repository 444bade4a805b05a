"""Who is answered by the page, what it refuses, and how it ends."""

from __future__ import annotations

import asyncio
import re
import tomllib
from pathlib import Path

import pytest
from evidencing import street
from portals import portal

from lamppost.provisioning.cli import main
from lamppost.provisioning.portal import zones
from lamppost.provisioning.portal.api import STATIC

CONFIG = """
[node]
id = "pole-1"
site = "site-1"
run_dir = "{folder}/run"
state_dir = "{folder}/state"
# the kerb
[devices.kerb-cam]
driver = "camera"
source = "{video}"
loop = true
zones.bay = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
[rules.bay]
kind = "parking"   # no stopping here
camera = "kerb-cam"
zone = "bay"
schedule = {{ days = "mon-fri", hours = "07:00-19:00" }}
[rules.lake]
kind = "road.waterlogging"
camera = "kerb-cam"
zone = "bay"
"""
SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "lamppost.toml"
    path.write_text(CONFIG.format(folder=tmp_path, video=street(tmp_path, pictures=5)))
    return path


def asked(config, *questions, options=()):
    """Return what a portal answers to questions."""

    async def run():
        async with portal(config, *options) as at:
            found = []
            for question in questions:
                words = dict(question)
                found.append(await asyncio.to_thread(lambda w=words: at.ask(w.pop("path"), **w)))
            return at, found

    return asyncio.run(run())


def test_only_the_page_itself_is_answered(config):
    put = {
        "path": "/api/cameras/kerb-cam/zones/bay",
        "method": "PUT",
        "body": {"points": SQUARE, "rules": {}},
    }
    before = config.read_text()
    _, found = asked(
        config,
        {"path": "/", "host": "evil.example"},
        {"path": "/api/state", "host": "evil.example:8480"},
        put | {"origin": "http://evil.example"},
        put | {"content_type": "text/plain"},
        put | {"body": b"x" * 70_000},
        {"path": "/static/../api.py"},
        {"path": "/api/evidence/..%2f..%2flamppost/1.jpg"},
    )
    assert [status for status, _ in found] == [421, 421, 403, 403, 413, 404, 404]
    assert config.read_text() == before


def test_what_cannot_be_is_refused_in_words_and_nothing_is_written(config):
    def draw(camera="kerb-cam", **drawing):
        return {"path": f"/api/cameras/{camera}/zones/bay", "method": "PUT", "body": drawing}

    before = config.read_text()
    crossing = [[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]
    _, found = asked(
        config,
        draw(points=crossing, rules={"parking": {}, "waterlogging": {}}),
        draw(points=SQUARE[:2]),
        draw(points=SQUARE, rules={"parking": {"dwell_s": -1}}),
        draw(points=SQUARE, colour="red"),
        draw("no-cam", points=SQUARE),
        {"path": "/api/cameras/kerb-cam/zones/none", "method": "DELETE", "body": {}},
        {"path": "/api/cameras/kerb-cam/dry", "method": "POST", "body": {"light": "noon"}},
    )
    assert [status for status, _ in found] == [409, 400, 400, 400, 409, 409, 400]
    words = [answer["error"] for _, answer in found]
    assert "zones.bay" in words[0]
    assert "cross" in words[0]
    assert "no camera 'no-cam'" in words[4]
    assert "zones.none" in words[5]
    assert config.read_text() == before


def test_a_zone_keeps_the_settings_of_its_rules_and_takes_them_along_when_it_goes(config):
    place = "/api/cameras/kerb-cam/zones/bay"
    rules = {"parking": {"dwell_s": 90}, "loitering": {"dwell_s": 45}}
    _, found = asked(config, {"path": place, "method": "PUT", "body": {"points": SQUARE, "rules": rules}})
    assert found[0][1]["agent"] == "none"
    text = config.read_text()
    assert "# the kerb" in text
    assert "# no stopping here" in text
    made = tomllib.loads(text)
    assert made["devices"]["kerb-cam"]["zones"]["bay"] == SQUARE
    assert made["rules"]["bay"]["dwell_s"] == 90
    assert made["rules"]["bay"]["schedule"]
    assert made["rules"]["bay-loitering"]["dwell_s"] == 45
    assert "lake" not in made["rules"]
    assert config.with_name(found[0][1]["backup"]).read_text() != text
    asked(config, {"path": place, "method": "DELETE", "body": {}})
    made = tomllib.loads(config.read_text())
    assert not made.get("rules")
    assert not made["devices"]["kerb-cam"].get("zones")


def test_without_the_pin_only_the_empty_page_is_shown(config):
    questions = [
        {"path": path} for path in ("/", "/static/main.js", "/api/state", "/api/cameras/kerb-cam/picture.jpg")
    ]
    at, found = asked(
        config,
        *questions,
        {"path": "/api/enter", "method": "POST", "body": {"pin": 7}},
        {"path": "/api/enter", "method": "POST", "body": []},
        options=("-i", "lo"),
    )
    assert at.pin
    assert [status for status, _ in found] == [200, 200, 401, 401, 403, 400]


def test_it_ends_by_itself_when_nobody_uses_it(config, capsys):
    assert main(["portal", "--config", str(config), "--port", "0", "--idle-min", "0.01"]) == 0
    assert "not used for 0.01 min: stopped" in capsys.readouterr().out


def test_a_port_or_an_interface_that_cannot_be_is_told(config, capsys):
    async def run():
        async with portal(config) as at:
            port = at.netloc.rpartition(":")[2]
            return await asyncio.to_thread(main, ["portal", "--config", str(config), "--port", port])

    assert asyncio.run(run()) == 1
    assert "choose another --port" in capsys.readouterr().err
    assert main(["portal", "--config", str(config), "--interface", "no-such0"]) == 2
    told = capsys.readouterr().err
    assert "no-such0" in told
    assert "lo (127.0.0.1)" in told


def test_every_text_of_the_page_is_there_in_both_languages():
    script = (STATIC / "texts.js").read_text(encoding="utf-8")
    table = dict(re.findall(r'^\s+"?([\w.-]+)"?: \["((?:[^"\\]|\\.)*)",', script, re.MULTILINE))
    both = re.findall(r'^\s+"?([\w.-]+)"?: \["[^"]+",\s+"[^"]+"\],', script, re.MULTILINE)
    assert sorted(table) == sorted(both)
    used = set()
    for path in STATIC.glob("*.js"):
        used |= set(re.findall(r'say\("([\w.-]+)"', path.read_text(encoding="utf-8")))
    assert used - set(table) == set()
    assert {*zones.KINDS} <= set(table)


def test_the_page_asks_nobody_else():
    for path in Path(STATIC).iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//cdn|@import", text), path.name
