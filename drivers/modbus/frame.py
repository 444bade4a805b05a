"""Requests as bytes, and the search for their answer in what the line delivers. Pure.

A client knows what the answer must begin with: unit, function, byte count or address. Searching for
that finds the answer behind noise and echoes, where parsing from the first byte would lose it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pymodbus.framer import FramerRTU
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

MBAP_SIZE = 7
#: Longest PDU by the Modbus Application Protocol 1.1b3, section 4.1, plus the unit byte.
LONGEST = 254
READS: dict[int, type[ModbusPDU]] = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
EXCEPTIONS = {
    1: "illegal function", 2: "illegal data address", 3: "illegal data value", 4: "device failure",
    5: "acknowledge", 6: "device busy", 8: "memory parity error",
    10: "gateway path unavailable", 11: "gateway target failed to respond",
}  # fmt: skip

FaultKind = Literal["crc", "noise", "unit", "length", "truncated", "stale", "frame"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request, encoded once and sent many times.

    ``answer`` is what the PDU of the answer begins with; ``size`` the data bytes that follow it.
    """

    unit: int
    pdu: bytes
    answer: bytes
    size: int
    text: str

    def rtu(self) -> bytes:
        """Return the RTU frame."""
        frame = bytes((self.unit,)) + self.pdu
        return frame + FramerRTU.compute_CRC(frame).to_bytes(2, "big")

    def tcp(self, transaction: int) -> bytes:
        """Return the frame with MBAP header (Modbus Messaging on TCP/IP 1.0b, section 3.1.3)."""
        return b"%b\0\0%b%c%b" % (
            transaction.to_bytes(2, "big"),
            (len(self.pdu) + 1).to_bytes(2, "big"),
            self.unit,
            self.pdu,
        )


def read(unit: int, function: int, address: int, count: int, text: str) -> Request:
    """Return the request that reads ``count`` registers (or bits) from ``address`` on."""
    size = (count + 7) // 8 if function in (1, 2) else 2 * count
    message = READS[function](address=address, count=count, dev_id=unit)
    return Request(unit, _pdu(message), bytes((function, size)), size, text)


def write(
    unit: int, address: int, values: Sequence[int], *, coil: bool, multiple: bool, text: str
) -> Request:
    """Return the request that sets one coil (FC05), one register (FC06) or several registers (FC16)."""
    message: ModbusPDU
    if coil:
        message = WriteSingleCoilRequest(address=address, bits=[bool(values[0])], dev_id=unit)
    elif multiple or len(values) > 1:
        message = WriteMultipleRegistersRequest(address=address, registers=list(values), dev_id=unit)
    else:
        message = WriteSingleRegisterRequest(address=address, registers=list(values), dev_id=unit)
    pdu = _pdu(message)
    return Request(unit, pdu, pdu[:5], 0, text)


def _pdu(message: ModbusPDU) -> bytes:
    return bytes((message.function_code,)) + message.encode()


class Answer(NamedTuple):
    """What a search found: the data, or the exception code, or neither yet.

    ``faults`` are what had to be dropped on the way; ``broken`` says that waiting longer is no use.
    """

    data: bytes | None = None
    exception: int = 0
    faults: tuple[tuple[FaultKind, str], ...] = ()
    broken: bool = False


PENDING = Answer()


def search_rtu(buffer: bytes, request: Request) -> Answer:
    """Look for the answer in all that came since the request was sent."""
    head = bytes((request.unit,)) + request.answer
    end = len(head) + request.size + 2
    at = buffer.find(head)
    while at >= 0:
        frame = buffer[at : at + end]
        if len(frame) == end and crc_fits(frame):
            return Answer(frame[len(head) : -2], faults=_noise(buffer[:at], request))
        at = buffer.find(head, at + 1)
    refusal = bytes((request.unit, request.pdu[0] | 0x80))
    at = buffer.find(refusal)
    while at >= 0:
        frame = buffer[at : at + 5]
        if len(frame) == 5 and crc_fits(frame):
            return Answer(exception=frame[2], faults=_noise(buffer[:at], request))
        at = buffer.find(refusal, at + 1)
    return PENDING


def crc_fits(frame: bytes) -> bool:
    """Check the CRC in the last two bytes (Modbus over serial line 1.02, section 2.5.1.2)."""
    return FramerRTU.compute_CRC(frame[:-2]) == frame[-2] << 8 | frame[-1]


def _noise(before: bytes, request: Request) -> tuple[tuple[FaultKind, str], ...]:
    """Name what stood before the answer; an adapter that echoes the request is no fault."""
    if not before or before == request.rtu():
        return ()
    return (judge_rtu(before, request),)


def judge_rtu(buffer: bytes, request: Request) -> tuple[FaultKind, str]:
    """Say what is wrong with bytes that hold no answer, for the counters and the technician."""
    buffer = buffer.removeprefix(request.rtu())  # an adapter may echo
    shown = buffer[:12].hex(" ") + (" …" if len(buffer) > 12 else "")
    head = bytes((request.unit,)) + request.answer
    if len(buffer) >= 5 and buffer[0] != request.unit and crc_fits(buffer):
        return "unit", f"unit {buffer[0]} answered instead of unit {request.unit} ({shown})"
    at = buffer.find(head[:2])
    if at < 0:
        return "noise", f"{len(buffer)} bytes that are no frame ({shown})"
    found, whole = len(buffer) - at, len(head) + request.size + 2
    if not buffer.startswith(head, at):
        return "length", f"wrong byte count in the answer to {request.text} ({shown})"
    if found < whole:
        return "truncated", f"answer to {request.text} ended after {found} of {whole} bytes ({shown})"
    return "crc", f"wrong CRC in the answer to {request.text} ({shown})"


def search_tcp(buffer: bytes, request: Request, transaction: int) -> tuple[Answer, bytes]:
    """Look for the answer among the frames in ``buffer``; return it and what is left of the buffer."""
    faults: list[tuple[FaultKind, str]] = []
    while len(buffer) > MBAP_SIZE:
        length = int.from_bytes(buffer[4:6], "big")
        if buffer[2:4] != b"\0\0" or not 2 <= length <= LONGEST:
            faults.append(("frame", f"no MBAP header: {buffer[:8].hex(' ')}"))
            return Answer(faults=tuple(faults), broken=True), b""
        end = 6 + length
        if len(buffer) < end:
            break
        frame, buffer = buffer[:end], buffer[end:]
        answer = _judge_tcp(frame, request, transaction, faults)
        if answer is not None:
            return answer, buffer
    return Answer(faults=tuple(faults)), buffer


def _judge_tcp(
    frame: bytes, request: Request, transaction: int, faults: list[tuple[FaultKind, str]]
) -> Answer | None:
    """Return the answer that the frame is, or note why it is none."""
    if int.from_bytes(frame[:2], "big") != transaction:
        faults.append(("stale", f"answer to an earlier request, dropped while waiting for {request.text}"))
    elif frame[6] != request.unit:
        faults.append(("unit", f"unit {frame[6]} answered instead of unit {request.unit}"))
    elif frame[7] == request.pdu[0] | 0x80 and len(frame) >= 9:
        return Answer(exception=frame[8], faults=tuple(faults))
    elif frame.startswith(request.answer, 7) and len(frame) == 7 + len(request.answer) + request.size:
        return Answer(frame[7 + len(request.answer) :], faults=tuple(faults))
    else:
        faults.append(("length", f"answer of {len(frame) - 6} bytes does not fit {request.text}"))
        return Answer(faults=tuple(faults), broken=True)
    return None
