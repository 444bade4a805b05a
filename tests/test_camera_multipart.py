"""The multipart stream of HTTP cameras, in all the ways in which they get it wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.drivers.camera.multipart import LARGEST, Multipart, MultipartError

PARTS = [
    b"\xff\xd8one\xff\xd9",
    b"\xff\xd8" + bytes(range(256)) * 3 + b"\xff\xd9",
    b"\xff\xd8three\r\n\xff\xd9",
]


def stream(parts, *, length=True, end=b"\r\n", lie=0):
    out = b""
    for part in parts:
        out += b"--frame" + end + b"Content-Type: image/jpeg" + end
        if length:
            out += b"content-length: %d" % (len(part) + lie) + end
        out += end + part + end
    return out + b"--frame" + end


FORMS = [
    {},
    {"length": False},
    {"end": b"\n"},
    {"length": False, "end": b"\n"},
    {"lie": 3},
    {"lie": -2},
]


@pytest.mark.parametrize("form", FORMS)
@given(cuts=st.lists(st.integers(1, 400), max_size=30))
def test_parts_are_found_however_the_stream_is_cut(form, cuts):
    data, found, parser = stream(PARTS, **form), [], Multipart('"--frame"')
    for cut in [*cuts, len(data)]:
        found += parser.feed(data[:cut])
        data = data[cut:]
    assert found[: len(PARTS)] == [part.rstrip(b"\r\n") for part in PARTS]


def test_what_stands_before_the_first_boundary_is_passed_over():
    assert Multipart("frame").feed(b"hello\r\n" + stream(PARTS[:1])) == PARTS[:1]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"--frame\r\nContent-Length: 99999999999\r\n\r\n", "MB"),
        (b"--frame\r\n\r\n" + bytes(LARGEST + 1), "more than 16 MB"),
        (bytes(1 << 17), "lost its boundary"),
        (b"--frame\r\n" + b"X: y\r\n" * 10000, "has no end"),
    ],
)
def test_a_stream_that_would_fill_the_memory_is_given_up(data, words):
    with pytest.raises(MultipartError, match=words):
        Multipart("frame").feed(data)
