"""DL/T 645-2007, the protocol of Chinese electricity meters: requests, answers, numbers. Pure.

A frame is 68, six bytes of address (BCD, lowest first), 68, control, length, data with 33 added to each byte,
the sum of all before, 16; FE bytes before it wake the receiver (DL/T 645-2007, 5.2).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

WAKE = b"\xfe\xfe\xfe\xfe"
START, END = 0x68, 0x16
READ, ANSWER, MORE, REFUSED = 0x11, 0x91, 0xB1, 0xD1
ADDED = 0x33
#: Bytes of a frame without its data.
BARE = 12
#: The bits of a refusal, lowest first (DL/T 645-2007, the error word).
REASONS = (
    "another error",
    "it has no such value",
    "the password is wrong or missing",
    "the line speed cannot be changed",
    "too many yearly time zones",
    "too many daily time slots",
    "too many tariffs",
)
#: The address that every meter answers to; only for a line with one meter.
ANY: Final = "aaaaaaaaaaaa"
_ADDRESS = re.compile(r"\d{12}|[Aa]{12}", re.ASCII)
_DATA_ID = re.compile(r"[0-9A-Fa-f]{8}", re.ASCII)


class Answer(NamedTuple):
    """What a meter says: the bytes of a value, lowest first, or in words why there is none.

    ``data_id`` is empty in a refusal: the meter does not repeat it.
    """

    address: str
    data_id: str
    data: bytes
    refused: str


def request(address: str, data_id: str) -> bytes:
    """Return the request, wake bytes before it, for a value (``02010100``) of the meter with that address.

    Raises ValueError unless the address is 12 digits (or 12 times A: any meter) and ``data_id`` 8 hexadecimal
    ones.
    """
    if _ADDRESS.fullmatch(address) is None:
        raise ValueError(f"address {address!r}: expected 12 digits")
    if _DATA_ID.fullmatch(data_id) is None:
        raise ValueError(f"data id {data_id!r}: expected 8 hexadecimal digits, as 02010100")
    data = bytes((byte + ADDED) & 0xFF for byte in bytes.fromhex(data_id)[::-1])
    body = bytes((START, *bytes.fromhex(address)[::-1], START, READ, len(data))) + data
    return WAKE + body + bytes((sum(body) & 0xFF, END))


def answer(frame: bytes) -> Answer | None:
    """Return what a frame (68 ... 16, its sum being right) answers; None if it is none, as the line's echo.

    Raises ValueError for a frame that is not as the standard has it.
    """
    if len(frame) < BARE or len(frame) != BARE + frame[9]:
        raise ValueError(f"a frame of {len(frame)} bytes with another length in it")
    if (frame[0], frame[7], frame[-1]) != (START, START, END):
        raise ValueError("a frame without its marks 68, 68 and 16")
    address = frame[6:0:-1].hex()
    control, data = frame[8], bytes((byte - ADDED) & 0xFF for byte in frame[10:-2])
    if control == REFUSED:
        return Answer(address, "", b"", _reasons(data))
    if control not in (ANSWER, MORE):
        return None
    if len(data) < 5:
        raise ValueError(f"an answer with {len(data)} bytes of data, expected 5 at least")
    return Answer(address, data[3::-1].hex(), data[4:], "")


def number(data: bytes, decimals: int = 0, *, size: int | None = None, signed: bool = False) -> float | None:
    """Return the BCD number of a value's bytes, lowest first; None where the meter shows none (all FF).

    ``size`` is how many bytes the value has where others may stand behind it; all if None.
    ``signed``: the highest bit is the sign, as of power, current and power factor. Raises ValueError for
    bytes that are no BCD number.
    """
    size = max(1, len(data) if size is None else size)
    if len(data) < size:
        raise ValueError(f"{len(data)} bytes of data came, expected {size}")
    data = data[:size]
    if all(byte == 0xFF for byte in data):
        return None
    high = data[-1]
    negative = signed and high & 0x80
    digits = bytes((high & 0x7F if signed else high, *data[-2::-1])).hex()
    if not digits.isdecimal():
        raise ValueError(f"{data[::-1].hex(' ')} is no BCD number")
    value = int(digits) / float(10**decimals)
    return -value if negative else value


def _reasons(data: bytes) -> str:
    """Return the words of a refusal's error bits."""
    if not data:
        return "refused without a reason"
    told = [text for bit, text in enumerate(REASONS) if data[0] >> bit & 1]
    return ", ".join(told) or f"error {data[0]:02x}"
