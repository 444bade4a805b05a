"""`lamppost report`: one file that shows what hangs on the pole, how it does and what it sees."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from html.parser import HTMLParser

import cv2
import numpy as np
from boxes import RULE, device
from broker import free_port
from cameras import picture, write_video

from lamppost.agent.config import load
from lamppost.provisioning.cli import main
from lamppost.provisioning.report import gather, page
from lamppost.provisioning.words import speaking
from lamppost.simulators.modbus import Unit, serve_tcp


class Page(HTMLParser):
    """What of a page could be fetched, and whether its elements are closed."""

    void = frozenset({"meta", "img", "br", "hr", "link", "input", "wbr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.fetched += [v for k, v in attrs if k in ("src", "href", "srcset") and not v.startswith("data:")]
        assert tag not in ("script", "link", "iframe")
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def site(folder, port):
    write_video(folder / "street.mp4", (picture(n) for n in range(20)))
    text = device("tank", port) + device("gone", free_port()) + RULE
    text += '[devices.kerb-cam]\ndriver = "camera"\nsource = "street.mp4"\n'
    text += "zones.bus-stop = [[0.1, 0.2], [0.9, 0.2], [0.9, 0.9]]\n"
    text += 'zones."<b>公交" = [[0.2, 0.3], [0.8, 0.3], [0.8, 0.8]]\n'
    path = folder / "lamppost.toml"
    head = '[node]\nid = "pole-1"\nsite = "site-1"\nlat = 22.7\nlon = 114.2\n'
    head += 'run_dir = "run"\nstate_dir = "state"\n'
    path.write_text(head + text)
    return path


def test_the_record_holds_readings_pictures_checks_and_hashes_in_one_file(tmp_path):
    async def gathered():
        async with serve_tcp([Unit(1, holding=[500])]) as line:
            return await gather(load(site(tmp_path, line.port)), "Li Wei & Co")

    record = asyncio.run(gathered())
    assert record["colour"] == "red"
    assert record["devices"]["tank"]["readings"]["level"]["value"] == 500
    assert record["devices"]["gone"]["readings"] == {}
    assert record["rules"]["high"]["kind"] == "threshold"
    assert record["rules"]["high"]["settings"]["above"] == 100
    assert re.fullmatch("[0-9a-f]{64}", record["identity"]["lamppost"]["sha256"])
    assert re.fullmatch("[0-9a-f]{64}", record["identity"]["config"]["sha256"])
    camera = record["cameras"]["kerb-cam"]
    assert camera["legend"] == {"zone 2": "<b>公交"}
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(camera["jpeg"]), np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (180, 320, 3)
    json.dumps(record)
    for language, title in (("en", "Acceptance record"), ("zh", "验收记录")):
        with speaking(language):
            text = page(record)
        assert title in text
        for said in (
            "pole-1",
            "site-1",
            "22.700000",
            "Li Wei &amp; Co",
            "bus-stop",
            "&lt;b&gt;公交",
            "<b>500</b>",
        ):
            assert said in text
        parsed = Page(text)
        assert parsed.fetched == []
        assert parsed.open == []
        assert "http" not in re.sub(r"data:image[^\"]*|http://127[^<]*", "", text)


def test_the_command_writes_the_file_and_says_how_the_box_is(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "lamppost.toml"
    path.write_text('[node]\nid = "pole-1"\nsite = "site-1"\nrun_dir = "run"\nstate_dir = "state"\n')
    assert main(["report", "-t", "Li Wei", "--lang", "zh"]) == 0
    (written,) = tmp_path.glob("site-1-pole-1-*.html")
    assert capsys.readouterr().out == f"{written.name}: yellow\n"
    assert 'lang="zh-CN"' in written.read_text()
    assert main(["report", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["node"]["id"] == "pole-1"
    assert main(["report", "-o", str(tmp_path / "no" / "such.html")]) == 1
    assert "No such file" in capsys.readouterr().err
