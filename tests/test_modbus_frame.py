"""The search for an answer: behind noise, echoes and wrong frames; never in them."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from lamppost.drivers.modbus import frame


def crc(data: bytes) -> bytes:
    """CRC of the Modbus over serial line guide, section 6.2.2, bit by bit."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def rtu(unit: int, pdu: bytes) -> bytes:
    body = bytes((unit,)) + pdu
    return body + crc(body)


def mbap(transaction: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


READ = frame.read(17, 3, 0x6B, 3, "read of holding registers 107..109")
DATA = bytes.fromhex("022b00000064")
#: The example of the Modbus Application Protocol 1.1b3, section 6.3.
ANSWER = rtu(17, b"\x03\x06" + DATA)


def test_requests_are_those_of_the_specification():
    assert READ.pdu == bytes.fromhex("03006b0003")
    assert READ.rtu() == rtu(17, READ.pdu)
    assert READ.tcp(0x1501) == mbap(0x1501, 17, READ.pdu)
    coils = frame.read(1, 1, 19, 19, "")
    assert (coils.pdu, coils.size) == (bytes.fromhex("0100130013"), 3)
    assert frame.write(1, 1, [3], coil=False, multiple=False, text="").pdu == bytes.fromhex("0600010003")
    assert frame.write(1, 172, [1], coil=True, multiple=False, text="").pdu == bytes.fromhex("0500acff00")
    several = frame.write(1, 1, [10, 258], coil=False, multiple=False, text="")
    assert several.pdu == bytes.fromhex("100001000204000a0102")
    assert frame.search_rtu(rtu(1, bytes.fromhex("1000010002")), several).data == b""


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_the_answer_is_found_behind_and_before_any_noise(before, after):
    found = frame.search_rtu(before + ANSWER + after, READ)
    assert found.data == DATA or ANSWER[:3] in before
    assert bool(found.faults) == bool(before) or before == READ.rtu()


@given(st.integers(0, len(ANSWER) - 1), st.integers(1, 255))
def test_a_changed_byte_is_never_taken_for_an_answer(at, flip):
    spoilt = bytearray(ANSWER)
    spoilt[at] ^= flip
    assert frame.search_rtu(bytes(spoilt), READ) == frame.PENDING


@given(st.integers(0, len(ANSWER) - 1))
def test_a_part_of_the_answer_is_waited_for(length):
    assert frame.search_rtu(ANSWER[:length], READ) == frame.PENDING


def test_an_adapter_that_echoes_is_no_fault():
    found = frame.search_rtu(READ.rtu() + ANSWER, READ)
    assert (found.data, found.faults) == (DATA, ())


def test_a_refusal_is_found():
    assert frame.search_rtu(rtu(17, b"\x83\x02"), READ).exception == 2
    assert frame.search_tcp(mbap(5, 17, b"\x83\x0b"), READ, 5)[0].exception == 11


def test_what_is_wrong_is_said():
    spoilt = ANSWER[:-1] + bytes((ANSWER[-1] ^ 1,))
    cases = {
        "crc": spoilt,
        "truncated": ANSWER[:6],
        "unit": rtu(18, b"\x03\x06" + DATA),
        "length": rtu(17, b"\x03\x04" + DATA[:4]),
        "noise": b"\x00\xff\x00",
    }
    assert {kind: frame.judge_rtu(wire, READ)[0] for kind, wire in cases.items()} == {k: k for k in cases}


@given(st.lists(st.integers(0, 0xFFFF).filter(lambda t: t != 9), max_size=3))
def test_answers_to_earlier_requests_are_dropped_over_tcp(earlier):
    stream = b"".join(mbap(t, 17, b"\x03\x06" + bytes(6)) for t in earlier) + mbap(9, 17, b"\x03\x06" + DATA)
    found, rest = frame.search_tcp(stream, READ, 9)
    assert (found.data, rest) == (DATA, b"")
    assert [kind for kind, _ in found.faults] == ["stale"] * len(earlier)


@given(st.binary(max_size=60), st.integers(0, 0xFFFF))
def test_no_bytes_break_the_tcp_search(stream, transaction):
    found, rest = frame.search_tcp(stream, READ, transaction)
    assert len(rest) <= len(stream)
    assert found.data is None or len(found.data) == 6


def test_a_wrong_byte_count_or_unit_over_tcp_is_no_answer():
    short, _ = frame.search_tcp(mbap(9, 17, b"\x03\x04" + DATA[:4]), READ, 9)
    assert (short.data, short.broken, short.faults[0][0]) == (None, True, "length")
    other, _ = frame.search_tcp(mbap(9, 18, b"\x03\x06" + DATA), READ, 9)
    assert (other.data, other.broken, other.faults[0][0]) == (None, False, "unit")
    lost, _ = frame.search_tcp(b"HTTP/1.1 400 Bad Request\r\n", READ, 9)
    assert lost.broken
