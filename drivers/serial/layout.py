"""How the frames of a product are told from each other: the part of a profile called ``framing``."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lamppost.drivers.serial.checksum import CHECKSUMS

#: Fixed frames come in one piece; lines may be written by slow firmware.
GAP_S = {"line": 1.0, "fixed": 0.05, "length": 0.1}


def _bytes(value: Any) -> Any:
    """Take ``"R"`` or ``[0xFF]``."""
    if isinstance(value, str):
        return value.encode("latin-1", "replace")
    if isinstance(value, list) and all(isinstance(v, int) and 0 <= v <= 255 for v in value):
        return bytes(value)
    if isinstance(value, bytes):
        return value
    raise ValueError('expected a text ("$") or a list of bytes ([0xFF])')


Bytes = Annotated[bytes, BeforeValidator(_bytes)]


class Check(BaseModel):
    """The checksum of a frame: over which of its bytes, and where it stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal[
        "sum8", "negated-sum8", "xor8", "crc16-modbus", "crc16-hj212", "crc16-ccitt", "crc16-xmodem"
    ] = Field(description="Name of the checksum.")
    skip: int = Field(0, ge=0, le=64, description="Bytes at the frame's beginning that it does not cover.")
    at: int = Field(ge=-64, le=-1, description="Where it stands, from the frame's end: -1 is the last byte.")
    covers_to: int | None = Field(
        None,
        ge=-64,
        le=-1,
        description="Where the covered bytes end, from the frame's end; `at` if not given.",
    )
    text: bool = Field(default=False, description="It is written as hexadecimal digits.")
    order: Literal["big", "little"] = Field("big", description="Order of its bytes if it has two.")

    @model_validator(mode="after")
    def _stands_inside(self) -> Self:
        if self.width > -self.at:
            raise ValueError(f"at = {self.at}: a {self.kind} has {self.width} bytes there")
        return self

    @property
    def width(self) -> int:
        """Bytes that it takes in the frame."""
        return CHECKSUMS[self.kind][0] * (2 if self.text else 1)

    def fits(self, frame: bytes) -> bool:
        """Whether the frame's checksum is right."""
        end = len(frame) + (self.at if self.covers_to is None else self.covers_to)
        at = len(frame) + self.at
        if end < self.skip or at < 0:
            return False
        written = frame[at : at + self.width]
        if not self.text:
            found = int.from_bytes(written, self.order)
        elif all(c in b"0123456789abcdefABCDEF" for c in written):
            found = int(written, 16)
        else:
            return False
        return CHECKSUMS[self.kind][1](frame[self.skip : end]) == found


class Framing(BaseModel):
    """The outer form of a product's frames."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["line", "fixed", "length"] = Field(
        description="line: ends with `end`; fixed: `length` bytes; length: says its length itself."
    )
    start: Bytes = Field(b"", description='What a frame begins with: a text ("$") or bytes ([0xFF]).')
    end: Bytes = Field(b"", description="What a frame ends with; a line's default is a line feed.")
    length: int = Field(0, ge=0, le=4096, description="Bytes of a fixed frame.")
    max_length: int = Field(256, ge=2, le=8192, description="A longer frame is noise.")
    length_at: int = Field(0, ge=0, le=64, description="Where the length field stands.")
    length_type: Literal["uint8", "uint16", "uint16le", "digits4"] = Field(
        "uint8", description="How the length is written; digits4 is four decimal digits."
    )
    length_extra: int = Field(
        0, ge=-64, le=64, description="Bytes of the frame that the length field leaves out."
    )
    marks: dict[int, int] = Field(
        default_factory=dict, description="Bytes that never change, by position: { 7 = 0x68 }."
    )
    check: Check | None = Field(None, description="The checksum, if there is one.")
    gap_s: float | None = Field(
        None, ge=0.005, le=60.0, description="A pause as long ends a frame, whole or not."
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.kind == "fixed" and self.length < 2:
            raise ValueError("fixed frames need length, their number of bytes")
        if self.kind == "fixed" and not (self.start or self.check):
            raise ValueError("fixed frames need start, or a checksum: else none can be told from noise")
        if self.kind == "length" and not self.start:
            raise ValueError("frames with a length field need start")
        return self

    @property
    def tail(self) -> bytes:
        """What ends a frame."""
        return self.end or (b"\n" if self.kind == "line" else b"")

    @property
    def silence_s(self) -> float:
        """The pause after which a frame has surely ended."""
        return GAP_S[self.kind] if self.gap_s is None else self.gap_s

    @property
    def longest(self) -> int:
        """Bytes of the longest frame."""
        return self.length if self.kind == "fixed" else self.max_length
