"""Whether a frame stands at a place in the bytes that came. Pure."""

from __future__ import annotations

from typing import Final

from lamppost.drivers.serial.layout import Framing

#: Verdicts that are no length: more bytes must come; this is none; it would be one but for its checksum.
MORE: Final = 0
NONE: Final = -1
SPOILT: Final = -2
WIDTHS: Final = {"uint8": 1, "uint16": 2, "uint16le": 2, "digits4": 4}


def judge(framing: Framing, buffer: bytearray, at: int) -> int:
    """Return the length of the frame that begins at ``at``, or MORE, NONE or SPOILT."""
    if framing.kind == "line":
        size = _line(framing, buffer, at)
    elif framing.kind == "fixed":
        size = framing.length
    else:
        size = _said(framing, buffer, at)
    if size <= 0:
        return size
    if size > framing.longest:
        return NONE
    here = len(buffer) - at
    if any(p < here and p < size and buffer[at + p] != byte for p, byte in framing.marks.items()):
        return NONE
    if here < size:
        return MORE
    frame = bytes(buffer[at : at + size])
    if not frame.endswith(framing.tail):
        return NONE
    return SPOILT if framing.check is not None and not framing.check.fits(frame) else size


def _line(framing: Framing, buffer: bytearray, at: int) -> int:
    begin = at + len(framing.start)
    end = buffer.find(framing.tail, begin, at + framing.longest)
    if end < 0:
        return NONE if len(buffer) - at >= framing.longest else MORE
    if framing.start and framing.check is None and buffer.find(framing.start, at + 1, end) >= 0:
        return NONE  # without a checksum only the last beginning can be told from a broken-off line
    return end + len(framing.tail) - at


def _said(framing: Framing, buffer: bytearray, at: int) -> int:
    """Return the length as the frame itself says it."""
    begin = at + framing.length_at
    raw = bytes(buffer[begin : begin + WIDTHS[framing.length_type]])
    here = len(buffer) - at
    if any(p < here and buffer[at + p] != byte for p, byte in framing.marks.items()):
        return NONE
    if framing.length_type == "digits4":
        if raw.strip(b"0123456789"):
            return NONE
        if len(raw) < 4:
            return MORE
        value = int(raw)
    elif len(raw) < WIDTHS[framing.length_type]:
        return MORE
    else:
        value = int.from_bytes(raw, "little" if framing.length_type == "uint16le" else "big")
    size = value + framing.length_extra
    least = max(framing.length_at + WIDTHS[framing.length_type], len(framing.start) + len(framing.tail), 2)
    return size if size >= least else NONE
