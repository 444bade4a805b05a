"""Frames around a Modbus PDU, seen from the slave: RTU (serial) and MBAP (TCP).

Source: Modbus over serial line V1.02 sections 2.5.1 and 6.2.2; Modbus messaging on TCP/IP V1.0b section 3.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, Protocol


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC = _crc_table()


def crc16(data: bytes) -> int:
    """Return the Modbus CRC of ``data``; on the wire its low byte goes first."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC[(crc ^ byte) & 0xFF]
    return crc


def with_crc(data: bytes) -> bytes:
    """Return ``data`` as an RTU frame."""
    return data + struct.pack("<H", crc16(data))


class Request(NamedTuple):
    """One request as it stood on the wire. ``tag`` is the transaction id, 0 in RTU."""

    unit: int
    pdu: bytes
    tag: int
    raw: bytes


class Framing(Protocol):
    """Cuts a stream of bytes into requests and wraps answers; one per connection."""

    #: Whether requests wait for each other on one wire (RTU), so that overlapping ones collide.
    half_duplex: bool
    bad_frames: int
    dropped_bytes: int

    def feed(self, data: bytes) -> list[Request]:
        """Take bytes as they came and return the requests that are complete."""
        ...

    def silence(self) -> list[Request]:
        """Say that nothing has come for a while: what is left is a whole frame or rubbish."""
        ...

    @property
    def pending(self) -> bool:
        """Whether bytes wait for the rest of their frame."""
        ...

    def wrap(self, unit: int, pdu: bytes, tag: int) -> bytes:
        """Return the answer as it goes on the wire."""
        ...


class Mbap:
    """Modbus TCP: transaction id, protocol 0, length, unit."""

    half_duplex = False

    def __init__(self) -> None:
        self._buffer = b""
        self.bad_frames = 0
        self.dropped_bytes = 0

    @property
    def pending(self) -> bool:  # noqa: D102
        return False  # TCP has no silence that means anything

    def feed(self, data: bytes) -> list[Request]:  # noqa: D102
        buffer = self._buffer + data if self._buffer else data
        requests = []
        while len(buffer) >= 8:
            tag, protocol, length, unit = struct.unpack_from(">HHHB", buffer)
            if protocol != 0 or not 2 <= length <= 254:
                self.bad_frames += 1
                self.dropped_bytes += len(buffer)
                buffer = b""
                break
            end = 6 + length
            if len(buffer) < end:
                break
            requests.append(Request(unit, buffer[7:end], tag, buffer[:end]))
            buffer = buffer[end:]
        self._buffer = buffer
        return requests

    def silence(self) -> list[Request]:  # noqa: D102
        return []

    def wrap(self, unit: int, pdu: bytes, tag: int) -> bytes:  # noqa: D102
        return struct.pack(">HHHB", tag, 0, len(pdu) + 1, unit) + pdu


#: Length of a whole request frame of fixed size, by function code.
_FIXED = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 7: 4, 8: 8, 11: 4, 12: 4, 17: 4, 22: 10, 24: 6, 43: 7}
#: Where the byte count stands in requests of variable size.
_COUNTED = {15: 6, 16: 6, 20: 2, 21: 2, 23: 10}


def _frame_length(buffer: bytes) -> int | None:
    """Return the length of the request that begins here; None when more bytes or a silence must tell."""
    if len(buffer) < 2:
        return None
    function = buffer[1]
    if function in _FIXED:
        return _FIXED[function]
    at = _COUNTED.get(function)
    if at is None or len(buffer) <= at:
        return None
    return at + 1 + buffer[at] + 2


class Rtu:
    """Modbus RTU: unit, PDU, CRC; frames end by their length or by silence."""

    half_duplex = True

    def __init__(self) -> None:
        self._buffer = b""
        self.bad_frames = 0
        self.dropped_bytes = 0

    @property
    def pending(self) -> bool:  # noqa: D102
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Request]:  # noqa: D102
        self._buffer += data
        requests = []
        while (length := _frame_length(self._buffer)) is not None and len(self._buffer) >= length:
            frame = self._buffer[:length]
            if crc16(frame) != 0:
                break  # only silence tells where the next frame begins
            requests.append(Request(frame[0], frame[1:-2], 0, frame))
            self._buffer = self._buffer[length:]
        return requests

    def silence(self) -> list[Request]:  # noqa: D102
        frame, self._buffer = self._buffer, b""
        if len(frame) >= 4 and crc16(frame) == 0:
            return [Request(frame[0], frame[1:-2], 0, frame)]
        if frame:
            self.bad_frames += 1
            self.dropped_bytes += len(frame)
        return []

    def wrap(self, unit: int, pdu: bytes, tag: int) -> bytes:  # noqa: ARG002, D102
        return with_crc(bytes((unit,)) + pdu)
