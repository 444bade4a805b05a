"""Profiles: data files that teach the serial driver one product."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lamppost.drivers.catalogue import Catalogue
from lamppost.drivers.serial.layout import Framing
from lamppost.drivers.tty import LineSettings

Type = Literal[
    "uint8", "int8", "uint16", "uint16le", "int16", "int16le", "uint32", "uint32le", "int32", "int32le"
]
Codec = Literal["nmea", "hj212", "dlt645"]


def _pattern(value: Any) -> Any:
    """Refuse what is no regular expression, in its own words."""
    if isinstance(value, str):
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
    return value


Pattern = Annotated[str, BeforeValidator(_pattern)]


class Quantity(BaseModel):
    """One quantity of a sensor: where it stands in the frame, and what it means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(
        "", description="Group of the pattern, or the codec's name of it; the quantity's name if not given."
    )
    at: int | None = Field(None, ge=0, le=4096, description="First byte in a binary frame, counted from 0.")
    type: Type = Field("uint16", description="How it is coded in a binary frame.")
    digits: int = Field(4, ge=2, le=16, description="Digits of a DL/T 645 value.")
    signed: bool = Field(default=False, description="A DL/T 645 value whose highest bit is its sign.")
    text: bool = Field(default=False, description="It is a text, not a number.")
    scale: float = Field(1.0, description="value = raw * scale + offset")
    offset: float = Field(0.0, description="value = raw * scale + offset")
    decimals: int | None = Field(None, ge=0, le=12, description="Round to so many decimals.")
    unit: str = Field("", description="SenML unit (mm, V, A, W, Cel, %RH, hPa, lat, lon).")
    invalid: tuple[float, ...] = Field((), description="Raw values that mean: no value.")
    min: float | None = Field(None, description="A value below is not believed.")
    max: float | None = Field(None, description="A value above is not believed.")
    combine: Literal["newest", "median"] = Field(
        "newest", description="What of the frames since the last reading is passed on."
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.scale == 0:
            raise ValueError("scale must not be 0")
        if self.text and self.combine == "median":
            raise ValueError("a text has no median")
        if self.digits % 2:
            raise ValueError("digits must be even: two stand in a byte")
        return self


class Profile(BaseModel):
    """One product: its frames, and the quantities in them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    driver: Literal["serial"] = "serial"
    title: str = Field(description="Maker and product, as a technician would say it.")
    source: str = Field(description="Where the facts come from.")
    serial: LineSettings = Field(LineSettings(), description="Serial settings from the factory.")
    framing: Framing = Field(description="How its frames are told from each other.")
    pattern: Pattern | None = Field(
        None, description="Regular expression with named groups, searched in each line."
    )
    codec: Codec | None = Field(None, description="Name of a codec, where no pattern or table is enough.")
    secret: bool = Field(default=False, description="Its frames hold passwords: faults never show them.")
    every_s: float = Field(1.0, ge=0, le=86400, description="Pass each quantity on at most so often.")
    interval_s: float = Field(1.0, gt=0, le=86400, description="Longest normal pause between its frames.")
    quantities: dict[str, Quantity] = Field(default_factory=dict, description="The quantities by name.")

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.pattern is not None and self.codec is not None:
            raise ValueError("give a pattern or a codec, not both")
        if not self.quantities:
            raise ValueError("lists no quantities")
        groups = set(re.compile(self.pattern).groupindex) if self.pattern is not None else set()
        for name, quantity in self.quantities.items():
            if self.pattern is not None and (quantity.source or name) not in groups:
                known = ", ".join(sorted(groups)) or "none"
                raise ValueError(
                    f"quantities.{name}: the pattern has no group {quantity.source or name!r}; it has {known}"
                )
            if self.pattern is None and self.codec is None and quantity.at is None:
                raise ValueError(f"quantities.{name} needs `at`, its first byte; or give a pattern")
            if self.codec == "dlt645" and not re.fullmatch("[0-9a-fA-F]{8}", quantity.source):
                raise ValueError(f"quantities.{name}: source must be a data id of 8 digits, as 02010100")
        return self


_CATALOGUE = Catalogue("serial", Profile, "quantities")
available, find, titles = _CATALOGUE.available, _CATALOGUE.find, _CATALOGUE.titles
