"""Where a Modbus line is: the URL notation ``tcp://``, ``rtu://`` and ``rtu+tcp://``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast
from urllib.parse import parse_qsl, urlsplit

Framing = Literal["tcp", "rtu", "rtu+tcp"]
PARITIES = ("N", "E", "O")
#: Modbus over serial line, section 2.5.1.1: above 19200 baud the silence is fixed.
FAST_SILENCE_S = 0.00175
FAST_BAUD = 19200
NOTATION = "tcp://host:502, rtu:///dev/serial/by-id/NAME?baud=9600&parity=N&stop=1 or rtu+tcp://host:port"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One line: a serial port, a TCP device or gateway, or a serial server that passes RTU frames.

    ``silence_s`` is the pause that the line needs between two frames.
    """

    framing: Framing
    host: str = ""
    port: int = 502
    path: str = ""
    baud: int = 9600
    parity: str = "N"
    stop: int = 1
    bits: int = 8
    silence_s: float = 0.0

    @property
    def key(self) -> str:
        """What two devices must have in common to share the line."""
        return self.path if self.framing == "rtu" else f"{self.framing}://{self.host}:{self.port}"

    @property
    def character_s(self) -> float:
        """Time of one character on a serial line, start and stop bits and parity included."""
        return (1 + self.bits + (self.parity != "N") + self.stop) / self.baud

    @property
    def usual_silence_s(self) -> float:
        """Pause that the line needs if nothing else is said."""
        if self.framing != "rtu":
            return FAST_SILENCE_S if self.framing == "rtu+tcp" else 0.0
        return FAST_SILENCE_S if self.baud > FAST_BAUD else 3.5 * self.character_s

    @property
    def spoken(self) -> str:
        """How the line is spoken to: the same for all devices on it."""
        serial = f"{self.baud} {self.bits}{self.parity}{self.stop}" if self.framing == "rtu" else self.framing
        usual = abs(self.silence_s - self.usual_silence_s) < 1e-6
        return serial if usual else f"{serial} with pauses of {self.silence_s * 1000:g} ms"

    def __str__(self) -> str:
        if self.framing == "rtu":
            return f"{self.path} at {self.baud} {self.bits}{self.parity}{self.stop}"
        return f"{self.framing}://{self.host}:{self.port}"


def parse(url: str, defaults: dict[str, str | int] | None = None) -> Endpoint:
    """Return the endpoint that ``url`` names.

    ``defaults`` are serial settings (baud, parity, stop, bits) of the profile; the URL's own win.
    Raises ValueError with what was found and the notation that is expected.
    """
    parts = urlsplit(url)
    options: dict[str, str | int] = {
        **(defaults or {}),
        **dict(parse_qsl(parts.query, keep_blank_values=True)),
    }
    unknown = set(options) - {"baud", "parity", "stop", "bits", "silence_ms"}
    if unknown:
        raise ValueError(
            f"unknown option {min(unknown)!r} in {url!r}; known: baud, parity, stop, bits, silence_ms"
        )
    if parts.scheme not in ("tcp", "rtu", "rtu+tcp"):
        raise ValueError(f"{url!r} is no Modbus line; expected {NOTATION}")
    framing = cast("Framing", parts.scheme)
    silence_s = _number(options.get("silence_ms", 0), "silence_ms", 0, 1000) / 1000
    if framing == "rtu":
        return _serial(url, parts.netloc + parts.path, options, silence_s)
    if not parts.hostname:
        raise ValueError(f"{url!r} names no host; expected {framing}://host:port")
    try:
        port = parts.port or 502
    except ValueError as error:
        raise ValueError(f"{url!r}: the port must be a number from 1 to 65535") from error
    return _with_silence(Endpoint(framing, host=parts.hostname, port=port, silence_s=silence_s))


def _serial(url: str, path: str, options: dict[str, str | int], silence_s: float) -> Endpoint:
    if not path.startswith("/"):
        raise ValueError(f"{url!r} names no serial port; expected rtu:///dev/... with three slashes")
    parity = str(options.get("parity", "N")).upper()[:1]
    if parity not in PARITIES:
        raise ValueError(f"parity {options['parity']!r} in {url!r}: expected N, E or O")
    endpoint = Endpoint(
        "rtu",
        path=path,
        baud=int(_number(options.get("baud", 9600), "baud", 50, 4_000_000)),
        parity=parity,
        stop=int(_number(options.get("stop", 1), "stop", 1, 2)),
        bits=int(_number(options.get("bits", 8), "bits", 7, 8)),
        silence_s=silence_s,
    )
    return _with_silence(endpoint)


def _with_silence(endpoint: Endpoint) -> Endpoint:
    return endpoint if endpoint.silence_s else replace(endpoint, silence_s=endpoint.usual_silence_s)


def _number(text: str | float, name: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise ValueError(f"{name}={text}: expected a number from {low} to {high}")
    return value
