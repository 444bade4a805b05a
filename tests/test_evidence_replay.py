"""`lamppost replay --evidence`: the pictures that the hub would get, as files."""

from __future__ import annotations

import hashlib
import json

import cv2
import pytest
from evidencing import one_car, street

from lamppost.drivers import registry
from lamppost.provisioning.cli import main

pytestmark = pytest.mark.skipif(
    "camera" not in registry.names(), reason="the driver camera is not installed: pip install -e . again"
)


@pytest.fixture
def asked(tmp_path):
    (tmp_path / "lamppost.toml").write_text(
        """
[node]
id = "pole-1"
site = "s"

[evidence]
max_kb = 20

[devices.kerb-cam]
driver = "camera"
source = "street.avi"
zones.stop = [[0.01, 0.01], [0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]

[rules.stop]
kind = "parking"
camera = "kerb-cam"
zone = "stop"
dwell_s = 5
"""
    )
    video = street(tmp_path, pictures=80)
    model, config = str(one_car(tmp_path)), str(tmp_path / "lamppost.toml")
    return ["replay", "--config", config, "-d", "kerb-cam", "--model", model, str(video)]


def test_each_picture_is_a_file_that_the_line_of_the_event_names(asked, tmp_path, capsys):
    folder = tmp_path / "new" / "pictures"
    assert main([*asked, "--evidence", str(folder)]) == 0
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert [entry["moment"] for entry in line["evidence"]] == ["arrival", "half-way", "alarm"]
    assert [entry["at_s"] for entry in line["evidence"]] == pytest.approx([1.5, 2.5, 5], abs=0.6)
    for entry in line["evidence"]:
        assert entry["file"] == f"{line['id']}-{entry['n']}-{entry['moment']}.jpg"
        data = (folder / entry["file"]).read_bytes()
        assert len(data) == entry["bytes"] <= 20_000
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert cv2.imread(str(folder / entry["file"])) is not None
    assert len(list(folder.iterdir())) == 3


def test_without_the_option_no_picture_is_made(asked, tmp_path, capsys):
    before = set(tmp_path.iterdir())
    assert main(asked) == 0
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert "evidence" not in line
    assert set(tmp_path.iterdir()) == before


def test_a_folder_that_cannot_be_made_is_told_before_anything_runs(asked, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert main([*asked, "--evidence", str(tmp_path / "file" / "x")]) == 2
    told = capsys.readouterr()
    assert "cannot be made" in told.err
    assert told.out == ""
