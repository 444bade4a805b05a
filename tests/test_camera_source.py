"""What the settings of a camera may be, and what is said of those that may not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from lamppost.drivers.camera import Camera
from lamppost.drivers.camera.job import fitting
from lamppost.drivers.camera.reasons import explain
from lamppost.drivers.camera.source import conceal, parse, split_login, with_login

SOURCES = [
    ("rtsp://cam/stream1", "rtsp", "rtsp://cam/stream1"),
    ("RTSP://cam:554/x?a=b", "rtsp", "RTSP://cam:554/x?a=b"),
    ("https://cam/video", "http", "https://cam/video"),
    ("/dev/video0", "v4l2", "/dev/video0"),
    ("v4l2:/dev/v4l/by-id/usb-X", "v4l2", "/dev/v4l/by-id/usb-X"),
    ("street.mp4", "file", "street.mp4"),
    ("10.mp4", "file", "10.mp4"),
    ("2026.11.23.7.avi", "file", "2026.11.23.7.avi"),
    ("clips/10.0.0.5/a.mp4", "file", "clips/10.0.0.5/a.mp4"),
    ("file:/a b/street.mp4", "file", "/a b/street.mp4"),
    ("file:///street.mp4", "file", "/street.mp4"),
    ("gst: nvarguscamerasrc ! nvvidconv", "gst", "nvarguscamerasrc ! nvvidconv"),
]


@pytest.mark.parametrize(("text", "kind", "address"), SOURCES)
def test_a_source_is_told_by_its_form(text, kind, address):
    assert parse(text) == (kind, address)


def test_a_relative_file_belongs_to_the_configuration(tmp_path):
    cam = Camera.model_validate({"name": "c", "source": "a.mp4"}, context={"base": tmp_path})
    assert cam.shown == str(tmp_path / "a.mp4")


WRONG = [
    ("ftp://cam/x", "ftp:// is no source of a camera"),
    ("rtsp://", "names no host"),
    ("rtsp://cam:port/x", "no valid port"),
    ("rtsp://cam:99999/x", "no valid port"),
    ("rtsp:/cam/x", "neither a URL nor a file; expected rtsp://HOST/PATH"),
    ("rtsp:cam/x", "neither a URL nor a file"),
    ("10.0.0.5/stream1", "neither a URL nor a file"),
    ("10.0.0.5", "neither a URL nor a file"),
    ("kerb.example:554/stream1", "neither a URL nor a file"),
    ("", "is empty"),
    ("gst:", "needs a pipeline"),
    ("gst:v4l2src ! fdsink", "added by the driver"),
    ("gst:v4l2src !", "added by the driver"),
    ("gst:filesrc location='a", "quotes"),
    ("gst:rtspsrc location=rtsp://joe:secret@cam/x ! decodebin", "list of processes"),
    ("gst:rtspsrc user-pw=secret location=rtsp://cam/x", "list of processes"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_a_wrong_source_is_told_in_words(text, words):
    with pytest.raises(ValidationError, match=words) as caught:
        Camera(name="c", source=text)
    assert "secret" not in str(caught.value)


def test_credentials_leave_the_url_and_find_their_way_back():
    cam = Camera(name="c", source="rtsp://joe:s%40c%2Fret@cam:554/x?y=1")
    assert cam.source == cam.shown == "rtsp://cam:554/x?y=1"
    assert (cam.username, cam.password.get_secret_value()) == ("joe", "s@c/ret")
    for shown in (repr(cam), str(cam), str(cam.model_dump()), cam.model_dump_json(), repr(cam._job())):
        assert "c/ret" not in shown
        assert "c%2Fret" not in shown
    assert with_login(cam.source, "joe", "s@c/ret") == "rtsp://joe:s%40c%2Fret@cam:554/x?y=1"
    assert split_login("http://cam/a@b") == ("http://cam/a@b", None)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"source": "rtsp://a:b@cam/x", "username": "joe"}, "once is enough"),
        ({"source": "rtsp://cam/x", "password": "secret"}, "needs a username"),
        ({"source": "/dev/video0", "username": "joe"}, "for rtsp:// and http:// sources only"),
        ({"source": "rtsp://cam/x", "fps": 0}, "greater than 0"),
        ({"source": "rtsp://cam/x", "speed": 1}, "Extra inputs"),
    ],
)
def test_settings_that_do_not_fit_are_told(settings, words):
    with pytest.raises(ValidationError, match=words) as caught:
        Camera(name="c", **settings)
    assert "secret" not in str(caught.value)


ZONES = [
    ([[0.1, 0.1], [0.9, 0.9]], "at least three"),
    ([[0.1, 0.1], [0.9, 0.1], [1.01, 0.9]], r"point 3 at \[1.01, 0.9\] outside 0..1"),
    ([[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]], "sides 1 and 3"),
    ([[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]], "no area"),
    ([[0.1, 0.1], [0.1, 0.1], [0.9, 0.9], [0.1, 0.9]], "twice in a row"),
    ([[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.1]], "twice in a row"),
    ([[0.5, 0.5], [0.9, 0.1], [0.9, 0.9], [0.5, 0.5], [0.1, 0.9], [0.1, 0.1]], "sides"),
    ([[0.1, 0.1], [0.9, float("nan")], [0.5, 0.5]], "its point 2 is no pair of numbers"),
]


@pytest.mark.parametrize(("polygon", "words"), ZONES)
def test_a_zone_that_is_no_polygon_is_refused(polygon, words):
    with pytest.raises(ValidationError, match=words) as caught:
        Camera(name="c", source="a.mp4", zones={"bus-stop": polygon})
    assert "bus-stop" in str(caught.value)


def test_a_zone_may_be_concave_and_touch_the_edge():
    star = [[0.0, 0.0], [0.5, 0.4], [1.0, 0.0], [0.6, 0.5], [1.0, 1.0], [0.0, 1.0]]
    assert Camera(name="c", source="a.mp4", zones={"z": star}).zones["z"][1] == (0.5, 0.4)


@pytest.mark.parametrize(
    ("size", "limits", "expected"),
    [
        ((640, 360), (1280, 1280), (640, 360)),
        ((1920, 1080), (1280, 1280), (1280, 720)),
        ((1080, 1920), (1280, 1280), (720, 1280)),
        ((1920, 1080), (8192, 360), (640, 360)),
        ((5000, 2), (100, 100), (100, 1)),
    ],
)
def test_pictures_are_fitted_into_the_limits(size, limits, expected):
    assert fitting(*size, *limits) == expected


@pytest.mark.parametrize(
    ("kind", "printed", "words", "retry"),
    [
        ("rtsp", "[rtsp @ 0x55] method DESCRIBE failed: 401 (Unauthorized)", "refused username", False),
        (
            "rtsp",
            "[tcp @ 0x5] Connection to tcp://1.2.3.4:554?timeout=0 failed: No route to host",
            "reached",
            True,
        ),
        (
            "rtsp",
            "Could not find codec parameters for stream 0 (Video: none)\nNo decoder for hevc",
            "hevc",
            False,
        ),
        ("gst", "WARNING: erroneous pipeline: syntax error", "syntax error", False),
        (
            "gst",
            "ERROR: from element /GstPipeline:p/GstV4l2Src:s: Cannot identify device",
            "identify device",
            True,
        ),
    ],
)
def test_what_libraries_print_becomes_a_reason(kind, printed, words, retry):
    reason = explain(kind, printed)
    assert words in reason.words
    assert reason.retry is retry


def test_foreign_text_is_cleared_of_logins():
    text = "cannot open rtsp://joe:pa%2Fss@cam/x with pa/ss"
    assert conceal(text, "pa/ss", None) == "cannot open rtsp://********@cam/x with ********"
