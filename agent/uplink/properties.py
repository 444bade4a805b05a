"""MQTT 5 properties of a PUBLISH, packed by hand: paho's own class costs more than the rest of a publish."""

from __future__ import annotations

from functools import lru_cache

# MQTT 5, section 2.2.2.2: identifiers of properties.
_EXPIRY, _CONTENT_TYPE, _USER = b"\x02", b"\x03", b"\x26"


class Packed:
    """Properties as bytes; has the one method that paho asks of them."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = _length(len(data)) + data

    def pack(self) -> bytes:
        """Return the properties with their length before them."""
        return self._data


def pack(content_type: str, *, seq: str = "", expiry_s: int | None = None, deflated: bool = False) -> Packed:
    """Return the properties of one message; ``seq`` and ``deflated`` become user properties."""
    data = _kind(content_type, deflated)
    if seq:
        data += _USER + _text("seq") + _text(seq)
    if expiry_s is not None:
        data += _EXPIRY + min(expiry_s, 0xFFFF_FFFF).to_bytes(4)
    return Packed(data)


@lru_cache(maxsize=64)
def _kind(content_type: str, deflated: bool) -> bytes:
    data = _CONTENT_TYPE + _text(content_type)
    return data + _USER + _text("content-encoding") + _text("deflate") if deflated else data


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2) + data


def _length(length: int) -> bytes:
    """Return a variable byte integer (MQTT 5, section 1.5.5)."""
    data = bytearray()
    while length > 0x7F:
        data.append(length & 0x7F | 0x80)
        length >>= 7
    data.append(length)
    return bytes(data)
