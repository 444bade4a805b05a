"""Frames as sensors, stations and meters write them, apart from the product's own way of reading them."""

from __future__ import annotations

from functools import reduce
from operator import xor


def sentence(body: str) -> bytes:
    """An NMEA sentence."""
    return f"${body}*{reduce(xor, body.encode(), 0):02X}\r\n".encode()


def crc_of_hj212(data: bytes) -> int:
    """The checksum of HJ 212-2017, appendix A: a CRC whose register is shifted before each byte."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def station(data: bytes) -> bytes:
    """A message of an environment station."""
    return b"##%04d%b%04X\r\n" % (len(data), data, crc_of_hj212(data))


def meter(address: str, control: int, data: bytes) -> bytes:
    """A DL/T 645 frame: the address backwards, the data with 0x33 added to each byte."""
    body = bytes((0x68, *bytes.fromhex(address)[::-1], 0x68, control, len(data)))
    body += bytes(byte + 0x33 & 0xFF for byte in data)
    return body + bytes((sum(body) & 0xFF, 0x16))
