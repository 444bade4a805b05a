"""Requests to electricity meters, and what they answer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serial_frames import meter
from serial_noise import cuts, frames_of, noise

from lamppost.drivers.serial import dlt645
from lamppost.drivers.serial.layout import Framing

FRAMING = Framing.model_validate(
    {
        "kind": "length", "start": [0x68], "end": [0x16], "marks": {7: 0x68}, "length_at": 9,
        "length_extra": 12, "check": {"kind": "sum8", "at": -2},
    }
)  # fmt: skip
METER = "000000000001"


def says(control: int, data: bytes, address: str = METER) -> bytes:
    """Return a frame as a meter writes it."""
    return meter(address, control, data)


def test_a_request_is_the_known_one():
    wanted = "fefefefe6801000000000068110433343435b616"
    assert dlt645.request(METER, "02010100").hex() == wanted


def test_an_answer_gives_the_value_that_was_asked_for():
    frame = bytes.fromhex("68010000000000689106333434353855c516")
    assert says(0x91, bytes.fromhex("000101020522")) == frame
    found = dlt645.answer(frame)
    assert found == dlt645.Answer(METER, "02010100", b"\x05\x22", "")
    assert dlt645.number(found.data, 1) == 220.5


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0x02, "it has no such value"),
        (0x04, "the password is wrong or missing"),
        (0x06, "it has no such value, the password is wrong or missing"),
        (0x80, "error 80"),
    ],
)
def test_a_refusal_says_why(bits, words):
    assert dlt645.answer(says(0xD1, bytes([bits]))) == dlt645.Answer(METER, "", b"", words)


def test_a_refusal_without_a_reason_is_one():
    found = dlt645.answer(says(0xD1, b""))
    assert found is not None
    assert found.refused


def test_the_lines_echo_of_a_request_is_no_answer():
    assert dlt645.answer(dlt645.request(METER, "02010100")[4:]) is None


@pytest.mark.parametrize(
    "frame",
    [b"", b"\x68" * 9, says(0x91, b"123"), says(0x91, bytes(6))[:-1], b"\x69" + says(0x91, bytes(6))[1:]],
)
def test_a_frame_that_is_not_as_it_should_be_is_refused_in_words(frame):
    with pytest.raises(ValueError, match=r"a frame|an answer"):
        dlt645.answer(frame)


@pytest.mark.parametrize(
    ("data", "decimals", "signed", "value"),
    [
        ("0522", 1, False, 220.5),
        ("563412", 4, True, 12.3456),
        ("563492", 4, True, -12.3456),
        ("000080", 3, True, 0.0),
        ("ffffff", 4, True, None),
        ("00000090", 2, False, 900000.0),
    ],
)
def test_numbers_have_their_sign_and_decimals(data, decimals, signed, value):
    assert dlt645.number(bytes.fromhex(data), decimals, signed=signed) == value


def test_a_value_is_taken_from_the_bytes_it_has():
    assert dlt645.number(b"\x05\x22\x99", 1, size=2) == 220.5
    with pytest.raises(ValueError, match="2 bytes of data came, expected 3"):
        dlt645.number(b"\x05\x22", size=3)


@pytest.mark.parametrize("data", ["", "0a", "a000", "ff00"])
def test_bytes_that_are_no_number_are_refused_in_words(data):
    with pytest.raises(ValueError, match=r"no BCD number|bytes of data came"):
        dlt645.number(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("address", "data_id"),
    [("1", "02010100"), ("00000000000x", "02010100"), (METER, "0201"), (METER, "02 01 01 00"), ("", "")],
)
def test_a_request_that_no_meter_would_understand_is_refused(address, data_id):
    with pytest.raises(ValueError, match="expected"):
        dlt645.request(address, data_id)


@settings(deadline=None, max_examples=200)
@given(
    st.binary(max_size=40)
    | st.tuples(st.integers(0, 255), st.binary(max_size=20)).map(lambda two: says(*two))
)
def test_whatever_comes_raises_nothing_but_value_errors(frame):
    try:
        found = dlt645.answer(frame)
        if found is not None:
            dlt645.number(found.data, 2, signed=True)
    except ValueError:
        return


addresses = st.from_regex(r"[0-9]{12}", fullmatch=True)


@settings(deadline=None, max_examples=60)
@given(addresses, st.integers(0, 799_999), st.booleans())
def test_what_a_meter_writes_is_read_as_it_was_meant(address, value, negative):
    data = bytearray(bytes.fromhex(f"{value:06d}")[::-1])
    data[2] |= 0x80 * negative
    found = dlt645.answer(says(0x91, b"\0\0\x03\x02" + data, address))
    assert found is not None
    assert (found.address, found.data_id) == (address, "02030000")
    assert dlt645.number(found.data, signed=True) == (-value if negative else value)


@settings(deadline=None, max_examples=60)
@given(addresses, st.binary(min_size=5, max_size=12), noise(FRAMING), noise(FRAMING), cuts)
def test_an_answer_after_any_noise_is_found(address, data, before, after, at):
    frame = says(0x91, data, address)
    assert frame in frames_of(FRAMING, before + dlt645.WAKE + frame + after, at)
