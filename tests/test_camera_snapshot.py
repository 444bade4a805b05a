"""`lamppost camera snapshot`: the picture as the agent gets it, with the zones where they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from cameras import write_video

from lamppost.drivers import registry
from lamppost.provisioning.cli import main

pytestmark = pytest.mark.skipif(
    "camera" not in registry.names(), reason="the driver camera is not installed: pip install -e . again"
)


@pytest.fixture
def config(tmp_path):
    write_video(tmp_path / "street.avi", [np.full((180, 320, 3), 100, np.uint8)] * 20, code="MJPG")
    file = tmp_path / "lamppost.toml"
    file.write_text(
        """
[node]
id = "pole-1"
site = "s"

[devices.kerb-cam]
driver = "camera"
source = "street.avi"
zones.bus-stop = [[0.25, 0.5], [0.75, 0.5], [0.75, 0.9], [0.25, 0.9]]

[devices.gone]
driver = "camera"
source = "gone.avi"
"""
    )
    return file


def test_a_picture_is_saved(config, tmp_path, capsys):
    out = tmp_path / "x.png"
    assert main(["camera", "snapshot", "kerb-cam", "--out", str(out), "--config", str(config)]) == 0
    image = cv2.imread(str(out))
    assert image.shape == (180, 320, 3)
    assert abs(float(image.mean()) - 100) < 3
    assert "x.png: 320x180" in capsys.readouterr().out


def test_zones_are_drawn_where_they_are(config, tmp_path):
    out = tmp_path / "x.png"
    main(["camera", "snapshot", "kerb-cam", "--zones", "--out", str(out), "--config", str(config)])
    changed = np.abs(cv2.imread(str(out)).astype(int) - 100).max(axis=2) > 60
    assert changed[90, 100:220].all()
    assert changed[100:160, 80].all()
    assert not changed[110:150, 100:220].any()


def test_names_and_lines_are_drawn_and_names_beyond_ascii_are_numbered(config, tmp_path, capsys):
    extra = 'zones."公交站" = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.3]]\nlines.entry = [[0.6, 0.2], [0.9, 0.2]]\n'
    config.write_text(config.read_text().replace("\n[devices.gone]", f"{extra}\n[devices.gone]"))
    out = tmp_path / "x.png"
    assert main(["camera", "snapshot", "kerb-cam", "--zones", "-o", str(out), "--config", str(config)]) == 0
    assert "\nzone 2: 公交站\n" in capsys.readouterr().out
    image = cv2.imread(str(out)).astype(int)
    changed = np.abs(image - 100).max(axis=2) > 60
    assert changed[36, 200:280].all()  # the line
    assert changed[30:42, 239].all()  # and across it the arrow, forward is to its right
    assert changed[41, 235:244].sum() > changed[31, 235:244].sum()
    label = image[66:86, 82:130]  # bus-stop, at its highest point, on a ground of its own
    assert (label.max(axis=2) > 230).any()
    assert (label.max(axis=2) < 30).mean() > 0.3


def test_a_camera_that_gives_no_picture_says_why(config, capsys):
    config.write_text(config.read_text().replace('"gone.avi"', '"rtsp://127.0.0.1:9/stream1"'))
    assert main(["camera", "snapshot", "gone", "--config", str(config)]) == 1
    said = capsys.readouterr().err
    assert (
        said
        == "lamppost: rtsp://127.0.0.1:9/stream1: connection refused; is the camera on, and the port right?\n"
    )


def test_what_goes_wrong_is_told_without_a_traceback(config, tmp_path, capsys):
    assert main(["camera", "snapshot", "nothing", "--config", str(config)]) == 2
    assert "nothing is not in the configuration; cameras: kerb-cam, gone" in capsys.readouterr().err
    assert main(["camera", "snapshot", "kerbcam", "--config", str(config)]) == 2
    assert "kerbcam is not in the configuration; did you mean 'kerb-cam'? cameras" in capsys.readouterr().err
    assert main(["camera", "snapshot", "gone", "--config", str(config)]) == 1
    assert "gone.avi; was it moved?" in capsys.readouterr().err
    out = tmp_path / "x.gif"
    assert main(["camera", "snapshot", "kerb-cam", "-o", str(out), "--config", str(config)]) == 2
    assert "ends in .jpg or .png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("polygon", "words"),
    [
        ("[[0.1, 0.1], [0.9, 0.9]]", "has 2 points"),
        ("[[0.1, 0.1], [1.2, 0.1], [0.5, 0.9]]", "point 2 at [1.2, 0.1] outside 0..1"),
        ("[[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]", "crosses itself"),
    ],
)
def test_a_wrong_zone_is_an_error_of_the_configuration_with_its_line(config, capsys, polygon, words):
    text = config.read_text()
    config.write_text(text + f"zones.bay = {polygon}\n")
    assert main(["camera", "snapshot", "gone", "--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "devices.gone.zones.bay" in said
    assert f"{config.name}:{len(text.splitlines()) + 1}" in said
