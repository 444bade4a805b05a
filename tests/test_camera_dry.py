"""`lamppost camera dry`: an operator says that the road is dry, and is told what is odd about it."""

from __future__ import annotations

import json

import cv2
import pytest
from cameras import write_video
from modelling import blue_water
from plugins import wetness
from ponds import flood, street, wet_share

from lamppost.agent.sight.dry import DryFolder
from lamppost.provisioning.cli import main

__all__ = ["wetness"]


@pytest.fixture
def box(tmp_path):
    """Return the arguments, and the folder of the references."""
    (tmp_path / "models").mkdir()
    (tmp_path / "state").mkdir()
    blue_water(tmp_path / "models")
    write_video(tmp_path / "road.avi", [flood(street(), 0.3, 0.6, 0.5, 0.8)] * 30, code="MJPG")
    config = tmp_path / "lamppost.toml"
    config.write_text(
        f"""
[node]
id = "pole-1"
site = "s"
state_dir = "{tmp_path / "state"}"

[devices.cam]
driver = "camera"
source = "road.avi"
fps = 5
zones.road = [[0.1, 0.5], [0.9, 0.5], [0.9, 0.95], [0.1, 0.95]]
zones.puddle = [[0.3, 0.6], [0.5, 0.6], [0.5, 0.8], [0.3, 0.8]]
zones.sky = [[0.1, 0.05], [0.9, 0.05], [0.9, 0.3]]
zones.dot = [[0.7, 0.7], [0.71, 0.7], [0.71, 0.72]]
"""
    )
    return ["camera", "dry", "cam", "--config", str(config)], DryFolder(tmp_path / "state" / "dry")


def test_pictures_of_the_camera_become_its_reference_and_zones_are_judged(box, capsys):
    args, folder = box
    assert main([*args, "-n", "2"]) == 0
    told = capsys.readouterr()
    assert f"cam by day: dry as in 2 pictures, kept in {folder.path('cam', 'day')}" in told.out
    assert "zone sky: 0.0% of it looks wet all the same" in told.out
    shares = {line.split(":")[0]: float(line.split()[2].rstrip("%")) for line in told.out.splitlines()[1:]}
    assert shares["zone road"] == pytest.approx(100 * 0.2 * 0.2 / (0.8 * 0.45), abs=1.5)
    assert shares["zone puddle"] > 85
    assert "zone puddle: 9" in told.err or "zone puddle: 100%" in told.err
    assert "Is the road dry? What looks wet now is never told as water" in told.err
    assert "zone road" not in told.err
    assert "zone sky lies wholly in the upper third of the picture: is that road?" in told.err
    assert "zone dot covers 0.0% of the picture only" in told.err
    found = folder.load("cam", "day")
    assert (found.by, found.size) == ("operator", (640, 360))
    assert wet_share(found.wet, 0.32, 0.62, 0.48, 0.78) == 1


def test_pictures_from_files_are_sorted_by_their_light(box, tmp_path, capsys):
    args, folder = box
    for name, image in {
        "a": street(),
        "b": flood(street(), 0.5, 0.6, 0.7, 0.8),
        "n": street(light=0.2),
    }.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
    files = [part for name in "abn" for part in ("--image", str(tmp_path / f"{name}.png"))]
    assert main([*args, *files]) == 0
    said = capsys.readouterr().out
    assert "cam by day: dry as in 2 pictures" in said
    assert "cam by night: dry as in 1 picture," in said
    assert wet_share(folder.load("cam", "day").wet, 0.52, 0.62, 0.68, 0.78) == 1
    assert wet_share(folder.load("cam", "night").wet, 0, 0, 1, 1) == 0


def test_the_light_can_be_said(box, tmp_path, capsys):
    args, folder = box
    cv2.imwrite(str(tmp_path / "a.png"), street())
    assert main([*args, "--image", str(tmp_path / "a.png"), "--light", "night"]) == 0
    assert folder.stamp("cam", "night")
    assert folder.stamp("cam", "day") is None


def test_what_goes_wrong_is_told_without_a_traceback(box, tmp_path, capsys):
    args, folder = box
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    assert main([*args, "--image", str(bad)]) == 2
    assert "not a picture that can be read" in capsys.readouterr().err
    assert main(["camera", "dry", "gone", *args[3:]]) == 2
    assert "gone is not in the configuration; cameras: cam" in " ".join(capsys.readouterr().err.split())
    (tmp_path / "models" / "water.onnx").unlink()
    assert main([*args, "-n", "1"]) == 2
    assert "cannot read the model" in capsys.readouterr().err
    assert folder.stamp("cam", "day") is None


@pytest.mark.usefixtures("wetness")
def test_a_check_tells_before_the_first_flood_what_is_missing(box, tmp_path, capsys):
    args, _ = box
    config = tmp_path / "lamppost.toml"
    rule = '[rules.r]\nkind = "wetness"\ncamera = "cam"\nzone = "ZONE"\n'
    text = config.read_text()
    config.write_text(text + rule.replace("ZONE", "sky"))
    assert main(["config", "check", str(config)]) == 0
    said = capsys.readouterr().err
    assert "note: cam: zone sky lies wholly in the upper third of the picture: is that road?" in said
    assert "note: cam: no dry reference by day and by night yet" in said
    assert main([*args, "-n", "1"]) == 0
    assert "zone road" not in capsys.readouterr().out  # no rule looks there
    config.write_text(text + rule.replace("ZONE", "road") + '[sight]\nwater_model = "ice"\n')
    assert main(["config", "check", "--json", str(config)]) == 0
    model, dry = json.loads(capsys.readouterr().out)["notes"]
    assert "sight.water_model: model 'ice' is unknown" in model
    assert "no dry reference by night yet" in dry
