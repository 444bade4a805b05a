"""Framing of serial lines: any split, any noise, any truncation."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from serial_frames import crc_of_hj212, sentence
from serial_noise import cuts, frames_of, noise, split

from lamppost.drivers.serial.checksum import CHECKSUMS
from lamppost.drivers.serial.framer import Framer
from lamppost.drivers.serial.layout import Framing

SUM = Framing.model_validate(
    {"kind": "fixed", "start": [0xFF], "length": 4, "check": {"kind": "sum8", "at": -1}}
)
DIGITS = Framing.model_validate({"kind": "fixed", "start": "R", "end": "\r", "length": 6})
LINE = Framing.model_validate({"kind": "line", "max_length": 40})
SENTENCE = Framing.model_validate(
    {
        "kind": "line", "start": "$", "end": "\r\n", "max_length": 60,
        "check": {"kind": "xor8", "skip": 1, "at": -4, "covers_to": -5, "text": True},
    }
)  # fmt: skip
LONG = Framing.model_validate(
    {
        "kind": "length", "start": [0x68], "end": [0x16], "marks": {3: 0x68}, "length_at": 2,
        "length_extra": 7, "check": {"kind": "crc16-modbus", "at": -3, "order": "little"},
    }
)  # fmt: skip
BARE = Framing.model_validate({"kind": "fixed", "length": 5, "check": {"kind": "crc16-ccitt", "at": -2}})

bodies = st.binary(max_size=12)


def sum_frame(body: bytes) -> bytes:
    frame = b"\xff" + body[:2].ljust(2, b"\0")
    return frame + bytes((sum(frame) & 0xFF,))


def digits_frame(body: bytes) -> bytes:
    return b"R%04d\r" % (int.from_bytes(body[:2], "big") % 10000)


def line_frame(body: bytes) -> bytes:
    return body.replace(b"\n", b"?") + b"\n"


def sentence_frame(body: bytes) -> bytes:
    return sentence(body.hex())


def long_frame(body: bytes) -> bytes:
    head = bytes((0x68, 1, len(body), 0x68)) + body
    return head + CHECKSUMS["crc16-modbus"][1](head).to_bytes(2, "little") + b"\x16"


def bare_frame(body: bytes) -> bytes:
    head = body[:3].ljust(3, b"\0")
    return head + CHECKSUMS["crc16-ccitt"][1](head).to_bytes(2, "big")


CHECKED = {"sum": (SUM, sum_frame), "digits": (DIGITS, digits_frame), "sentence": (SENTENCE, sentence_frame),
           "length": (LONG, long_frame), "bare": (BARE, bare_frame)}  # fmt: skip
ALL = {**CHECKED, "line": (LINE, line_frame)}


@pytest.mark.parametrize("name", CHECKED)
@settings(deadline=None, max_examples=25)
@given(st.data())
def test_a_frame_after_any_noise_is_found(name, data):
    framing, make = CHECKED[name]
    frame = make(data.draw(bodies))
    before = data.draw(noise(framing, 12))
    after = data.draw(noise(framing, 12))
    if name == "digits":  # it has no checksum: a false frame can be told by its form only
        before = before.replace(b"\r", b"")
    assert frame in frames_of(framing, before + frame + after, data.draw(cuts)), (before, frame)


@pytest.mark.parametrize(
    ("before", "frame"), [("ff", "ff01ffff"), ("ff03", "ff0107" + "07"), ("ffff", "ff0a0b14")]
)
def test_a_false_frame_that_fits_by_chance_does_not_swallow_the_true_one(before, frame):
    assert bytes.fromhex(frame) in frames_of(SUM, bytes.fromhex(before + frame), [])


@pytest.mark.parametrize("name", ALL)
@settings(deadline=None, max_examples=30)
@given(st.data())
def test_frames_do_not_depend_on_how_the_bytes_came(name, data):
    framing, make = ALL[name]
    parts = data.draw(st.lists(st.one_of(bodies.map(make), noise(framing, 12)), max_size=6))
    stream = b"".join(parts)
    whole = Framer(framing)
    pieces = Framer(framing)
    assert [f for p in split(stream, data.draw(cuts)) for f in pieces.feed(p)] == whole.feed(stream)
    assert pieces.silence() == whole.silence()
    assert pieces.noise_bytes == whole.noise_bytes
    assert whole.waiting == 0


@pytest.mark.parametrize("name", ALL)
@settings(deadline=None, max_examples=25)
@given(st.data())
def test_a_clean_stream_gives_its_frames_and_no_fault(name, data):
    framing, make = ALL[name]
    frames = [make(body) for body in data.draw(st.lists(bodies, min_size=1, max_size=8))]
    if name == "sum":
        frames = [sum_frame(bytes((body[1] & 0x1F, body[2]))) for body in frames]
    framer = Framer(framing, lambda frame: name != "sum" or frame[1] < 0x20)
    found = [f for p in split(b"".join(frames), data.draw(cuts)) for f in framer.feed(p)]
    assert found + framer.silence() == frames
    assert framer.take_faults() == []
    assert framer.noise_bytes == 0


@pytest.mark.parametrize("name", ALL)
@settings(deadline=None, max_examples=25)
@given(st.data())
def test_a_broken_off_frame_costs_itself_only(name, data):
    framing, make = ALL[name]
    body = data.draw(bodies)
    frame = make(body)
    framer = Framer(framing)
    framer.feed(frame[: data.draw(st.integers(0, len(frame) - 1))])
    framer.silence()
    assert frame in framer.feed(frame) + framer.silence()


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=3000), st.sampled_from(sorted(ALL)))
@example(b"\xff" * 3000, "sum")
@example(b"$" * 3000, "sentence")
@example(b"\x68" * 3000, "length")
def test_noise_is_bounded_in_memory_and_counted(stream, name):
    framing, _ = ALL[name]
    framer = Framer(framing)
    taken = 0
    for at in range(0, len(stream), 100):
        taken += sum(map(len, framer.feed(stream[at : at + 100])))
        assert framer.waiting <= framing.longest
    taken += sum(map(len, framer.silence()))
    assert framer.noise_bytes + taken >= len(stream)


def test_a_stretch_of_noise_is_one_fault_in_words():
    framer = Framer(SUM)
    framer.feed(b"abc" + sum_frame(b"\1\2") + b"\xff\1\2\3" + sum_frame(b"\1\3") + b"\xff\1")
    framer.silence()
    assert [f.kind for f in framer.take_faults()] == ["noise", "checksum", "truncated"]
    framer.feed(b"abc")
    framer.silence()
    assert framer.take_faults()[0].detail == "3 bytes that are no frame (61 62 63)"


def test_the_rest_of_a_frame_at_the_opening_of_the_port_is_no_fault():
    framer = Framer(SUM)
    framer.joined()
    assert framer.feed(b"\2\1" + sum_frame(b"\1\2")) == [sum_frame(b"\1\2")]
    assert framer.take_faults() == []


def test_a_line_whose_beginning_may_be_missing_is_not_believed():
    framer = Framer(LINE)
    framer.joined()
    assert framer.feed(b"2.5\n12.5\n") == [b"12.5\n"]


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        ("crc16-modbus", b"123456789", 0x4B37),
        ("crc16-ccitt", b"123456789", 0x29B1),
        ("crc16-xmodem", b"123456789", 0x31C3),
        ("sum8", b"\xff\x07\xa1", 0xA7),
        ("xor8", b"\1\2\4", 7),
        ("negated-sum8", b"\1\2", 0xFD),
    ],
)
def test_checksums_give_their_published_values(kind, data, value):
    assert CHECKSUMS[kind][1](data) == value


def test_a_dlt645_request_is_found_behind_its_wake_up_bytes():
    framing = Framing.model_validate(
        {
            "kind": "length", "start": [0x68], "end": [0x16], "marks": {7: 0x68}, "length_at": 9,
            "length_extra": 12, "check": {"kind": "sum8", "at": -2},
        }
    )  # fmt: skip
    request = bytes.fromhex("fefefefe6801000000000068110433343435b616")
    assert Framer(framing).feed(request) == [request[4:]]


@given(st.binary(max_size=200))
def test_the_crc_of_hj212_is_that_of_its_definition(data):
    assert CHECKSUMS["crc16-hj212"][1](data) == crc_of_hj212(data)
