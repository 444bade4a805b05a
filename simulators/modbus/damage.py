"""Turn a right answer into what the struck faults make of it: bytes and the pauses before them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from lamppost.simulators.faults import Fault, Kind, noisy
from lamppost.simulators.modbus.framing import Framing, Request

#: (pause in seconds before them, bytes)
Step: TypeAlias = tuple[float, bytes]
GATEWAY_TARGET_FAILED = 11


@dataclass(slots=True)
class Reply:
    """``steps`` keep the line busy; ``after`` follows them while further requests are taken."""

    steps: list[Step] = field(default_factory=list)
    after: list[Step] = field(default_factory=list)
    reset: bool = False

    @property
    def data(self) -> bytes:
        """All bytes of the answer."""
        return b"".join(data for _, data in self.steps or self.after)


def damaged(request: Request, pdu: bytes, framing: Framing, hits: Mapping[Kind, Fault]) -> Reply:
    """Return the reply to ``request`` whose right answer would be ``pdu``."""
    if Kind.RESET in hits:
        return Reply(reset=True)
    if Kind.NO_ANSWER in hits:
        return Reply()
    frame = _frame(request, pdu, framing, hits)
    frame = noisy(frame, hits)
    if Kind.ECHO in hits:
        frame = request.raw + frame
    steps: list[Step] = [(0.0, frame)]
    if (split := hits.get(Kind.SPLIT)) is not None:
        steps = [(split.delay_s if at else 0.0, frame[at : at + 1]) for at in range(len(frame))]
    reply = Reply(steps)
    if (duplicate := hits.get(Kind.DUPLICATE)) is not None:
        reply.after.append((duplicate.delay_s, frame))
    if (unsolicited := hits.get(Kind.UNSOLICITED)) is not None:
        reply.after.append((unsolicited.delay_s, unsolicited.data))
    if (slow := hits.get(Kind.SLOW_ANSWER)) is not None:
        reply.steps.insert(0, (slow.delay_s, b""))
    if (late := hits.get(Kind.LATE_ANSWER)) is not None:
        reply = Reply([], [(late.delay_s, b""), *reply.steps, *reply.after])
    return reply


def _frame(request: Request, pdu: bytes, framing: Framing, hits: Mapping[Kind, Fault]) -> bytes:
    """Wrap the answer, wrong in those parts that a valid frame can be wrong in."""
    function, body = pdu[0], pdu[1:]
    if (exception := hits.get(Kind.EXCEPTION)) is not None:
        function, body = request.pdu[0] | 0x80, bytes((exception.code,))
    if Kind.WRONG_CRC in hits and not framing.half_duplex:
        function, body = request.pdu[0] | 0x80, bytes((GATEWAY_TARGET_FAILED,))
    if Kind.WRONG_FUNCTION in hits:
        function = (function & 0x80) | ((function + 1) & 0x7F)
    if Kind.WRONG_BYTE_COUNT in hits:
        body = bytes(((body[0] + 2) & 0xFF,)) + body[1:]
    unit = (request.unit + 1) & 0xFF if Kind.WRONG_UNIT in hits else request.unit
    tag = (request.tag + 1) & 0xFFFF if Kind.WRONG_TRANSACTION in hits else request.tag
    frame = framing.wrap(unit, bytes((function,)) + body, tag)
    if Kind.WRONG_CRC in hits and framing.half_duplex:
        frame = frame[:-1] + bytes((frame[-1] ^ 0xFF,))
    return frame
