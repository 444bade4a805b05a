"""Checksums of serial frames, by the names that profiles use. Pure."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final


def _sum8(data: bytes) -> int:
    return sum(data) & 0xFF


def _negated_sum8(data: bytes) -> int:
    return -sum(data) & 0xFF


def _xor8(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
    return value


@lru_cache(maxsize=2)
def _reflected(polynomial: int) -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ polynomial if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


def _crc16_modbus(data: bytes) -> int:
    table, crc = _reflected(0xA001), 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc


def _crc16_hj212(data: bytes) -> int:
    """HJ 212-2017, appendix A: each byte goes against the high half of the register, shifted down."""
    table, crc = _reflected(0xA001), 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ byte
        crc = crc >> 8 ^ table[crc & 0xFF]
    return crc


def _straight(start: int) -> Callable[[bytes], int]:
    def crc16(data: bytes) -> int:
        crc = start
        for byte in data:
            crc ^= byte << 8
            for _ in range(8):
                crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
        return crc

    return crc16


#: Name, size in bytes, function.
CHECKSUMS: Final[dict[str, tuple[int, Callable[[bytes], int]]]] = {
    "sum8": (1, _sum8),
    "negated-sum8": (1, _negated_sum8),
    "xor8": (1, _xor8),
    "crc16-modbus": (2, _crc16_modbus),
    "crc16-hj212": (2, _crc16_hj212),
    "crc16-ccitt": (2, _straight(0xFFFF)),
    "crc16-xmodem": (2, _straight(0)),
}
