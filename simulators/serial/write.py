"""What simulated sensors write, from public descriptions; the product reads it with code of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

Values = Mapping[str, float]
UTC = dt.UTC
#: Environment stations keep China Standard Time.
BEIJING = dt.timezone(dt.timedelta(hours=8))


def a02yyuw(values: Values, at: float) -> bytes:
    """FF, high byte, low byte, and the low byte of their sum."""
    del at
    mm = max(0, min(0xFFFF, round(values["distance"])))
    head = [0xFF, mm // 256, mm % 256]
    return bytes([*head, sum(head) % 256])


def maxbotix(values: Values, at: float) -> bytes:
    """R, four digits, carriage return; 5000 is no target."""
    del at
    mm = round(values["distance"])
    return f"R{mm if 300 <= mm < 5000 else 300 if mm < 300 else 5000:04d}\r".encode()


def text_line(values: Values, at: float) -> bytes:
    """A line that a person can read."""
    del at
    return f"level: {values['value']:.1f} mm\r\n".encode()


def gnss(values: Values, at: float) -> bytes:
    """RMC and GGA; without a fix the fields are empty."""
    now = dt.datetime.fromtimestamp(at, UTC)
    clock, date = now.strftime("%H%M%S.") + f"{now.microsecond // 10000:02d}", now.strftime("%d%m%y")
    if values["fix"] < 1:
        return _sentence(f"GNRMC,{clock},V,,,,,,,{date},,,N") + _sentence(
            f"GNGGA,{clock},,,,,0,00,99.9,,M,,M,,"
        )
    lat, lon = values["lat"], values["lon"]
    place = f"{_angle(lat, 2)},{'NS'[lat < 0]},{_angle(lon, 3)},{'EW'[lon < 0]}"
    knots = values["speed"] * 3600 / 1852
    rmc = f"GNRMC,{clock},A,{place},{knots:.2f},,{date},,,A"
    gga = f"GNGGA,{clock},{place},1,{round(values['satellites']):02d},0.9,{values['alt']:.1f},M,0.0,M,,"
    return _sentence(rmc) + _sentence(gga)


def _sentence(body: str) -> bytes:
    check = 0
    for letter in body:
        check ^= ord(letter)
    return f"${body}*{check:02X}\r\n".encode()


def _angle(degrees: float, digits: int) -> str:
    whole, part = divmod(abs(degrees), 1)
    return f"{int(whole):0{digits}d}{part * 60:08.5f}"


def hj212(values: Values, at: float) -> bytes:
    """A message of real-time data (CN 2011)."""
    now = dt.datetime.fromtimestamp(at, BEIJING)
    codes = {
        "pm25": ("a34004", 1.0), "pm10": ("a34002", 1.0), "temperature": ("a01001", 1.0),
        "humidity": ("a01002", 1.0), "pressure": ("a01006", 0.1), "wind-speed": ("a01007", 1.0),
        "wind-direction": ("a01008", 1.0), "noise": ("LA", 1.0),
    }  # fmt: skip
    said = ";".join(
        f"{code}-Rtd={values[name] * scale:.2f},{code}-Flag=N" for name, (code, scale) in codes.items()
    )
    data = (
        f"QN={now:%Y%m%d%H%M%S}000;ST=22;CN=2011;PW=123456;MN=LG0017ENV0000000000000001;Flag=5;"
        f"CP=&&DataTime={now:%Y%m%d%H%M%S};{said}&&"
    )
    return f"##{len(data):04d}{data}{_crc_212(data.encode()):04X}\r\n".encode()


def _crc_212(data: bytes) -> int:
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ byte
        for _ in range(8):
            low = register & 1
            register >>= 1
            if low:
                register ^= 0xA001
    return register


#: DL/T 645-2007 data identifiers: quantity, factor, bytes, whether it has a sign.
METER: dict[str, tuple[str, float, int, bool]] = {
    "02010100": ("voltage-a", 10, 2, False),
    "02020100": ("current-a", 1000, 3, True),
    "02030000": ("power", 10, 3, True),
    "02060000": ("power-factor", 1000, 2, True),
    "02800002": ("frequency", 100, 2, False),
    "00010000": ("energy", 100, 4, False),
}


def meter_answer(values: Values, address: str, request: bytes) -> bytes | None:
    """Return what the DL/T 645 meter of this address answers; None if the request is not for it."""
    begin = request.find(b"\x68")
    frame = request[begin:] if begin >= 0 else b""
    if len(frame) < 12 or len(frame) < 12 + frame[9] or frame[7] != 0x68:
        return None
    frame = frame[: 12 + frame[9]]
    wanted = frame[1:7][::-1].hex()
    if sum(frame[:-2]) % 256 != frame[-2] or frame[-1] != 0x16 or frame[8] != 0x11:
        return None
    if wanted not in (address, "aaaaaaaaaaaa"):
        return None
    data = bytes((byte - 0x33) % 256 for byte in frame[10:-2])
    known = METER.get(data[3::-1].hex()) if len(data) >= 4 else None
    if known is None:
        return _meter_frame(address, 0xD1, b"\x02")
    name, factor, size, signed = known
    number = round(values[name] * factor)
    digits = bytearray.fromhex(f"{abs(number) % 10 ** (2 * size):0{2 * size}d}")
    if signed and number < 0:
        digits[0] |= 0x80
    return _meter_frame(address, 0x91, data[:4] + bytes(digits[::-1]))


def _meter_frame(address: str, control: int, data: bytes) -> bytes:
    frame = bytes([0x68, *bytes.fromhex(address)[::-1], 0x68, control, len(data)])
    frame += bytes((byte + 0x33) % 256 for byte in data)
    return b"\xfe\xfe\xfe\xfe" + frame + bytes([sum(frame) % 256, 0x16])
