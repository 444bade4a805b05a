"""Profiles: data files that teach the Modbus driver one product."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lamppost.drivers.catalogue import Catalogue
from lamppost.drivers.tty import LineSettings

Table = Literal["holding", "input", "coil", "discrete"]
Type = Literal[
    "bool",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float32",
    "float64",
    "bcd16",
    "bcd32",
    "ascii",
]
#: A is the most significant byte: ABCD big endian, DCBA little, CDAB words swapped, BADC bytes swapped.
Order = Literal["ABCD", "DCBA", "CDAB", "BADC"]
WIDTH = {"64": 4, "32": 2, "16": 1}


class Register(BaseModel):
    """One quantity of a device: where it stands, how it is coded, what it means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: int = Field(ge=0, le=0xFFFF, description="Zero-based address as it goes over the wire.")
    table: Table = Field("holding", description="Modbus table: holding, input, coil or discrete.")
    type: Type = Field("uint16", description="How the value is coded; coils and discrete inputs are bool.")
    order: Order = Field("ABCD", description="Byte order, A most significant: ABCD, DCBA, CDAB or BADC.")
    length: int = Field(0, ge=0, le=125, description="Registers of an ASCII text.")
    count: int = Field(
        1, ge=1, le=0x10000, description="How many such values follow each other: NAME.0, NAME.1, ..."
    )
    bit: int | None = Field(
        None, ge=0, le=63, description="Lowest bit of a bit field, 0 is the least significant."
    )
    bits: int = Field(1, ge=1, le=64, description="Width of the bit field; one bit becomes true or false.")
    scale: float = Field(1.0, description="value = raw * scale + offset")
    offset: float = Field(0.0, description="value = raw * scale + offset")
    ratios: tuple[str, ...] = Field(
        (), description="Installation ratios the value is multiplied with (CT, PT)."
    )
    decimals: int | None = Field(None, ge=0, le=12, description="Round to so many decimals.")
    unit: str = Field(
        "", description="SenML unit (V, A, W, Hz, Cel, %RH, hPa, mm, kWh); empty if it has none."
    )
    invalid: tuple[int, ...] = Field((), description="Raw values (as unsigned) that mean: no value.")
    min: float | None = Field(None, description="A value below is not believed.")
    max: float | None = Field(None, description="A value above is not believed.")
    writable: bool = Field(default=False, description="May be set through write().")
    write_multiple: bool = Field(
        default=False, description="Write single registers with FC16 instead of FC06."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.type == "ascii" and not self.length:
            raise ValueError("an ascii value needs length, its number of registers")
        if self.scale == 0:
            raise ValueError("scale must not be 0")
        if self.bit is not None and self.bit + self.bits > 16 * self.width:
            raise ValueError(f"bits {self.bit} to {self.bit + self.bits - 1} do not fit into {self.type}")
        if self.writable and self.table in ("input", "discrete"):
            raise ValueError(f"the {self.table} table cannot be written; writable needs holding or coil")
        if self.address + self.count * self.width > 0x10000:
            raise ValueError(f"ends beyond address 65535 ({self.count} x {self.width} from {self.address})")
        return self

    @property
    def is_bit(self) -> bool:
        """Whether it stands in a table of single bits."""
        return self.table in ("coil", "discrete")

    @property
    def width(self) -> int:
        """Registers (or bits, in the bit tables) of one value."""
        if self.is_bit or self.type == "bool":
            return 1
        return self.length if self.type == "ascii" else WIDTH[self.type[-2:]]


class Profile(BaseModel):
    """One product: its registers and what its Modbus side can bear."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    driver: Literal["modbus"] = "modbus"
    title: str = Field(description="Maker and product, as a technician would say it.")
    source: str = Field(description="Where the register map comes from.")
    serial: LineSettings | None = Field(
        None, description="Serial settings from the factory; the URL's own win."
    )
    max_registers: int = Field(125, ge=1, le=125, description="Most registers in one request.")
    max_bits: int = Field(2000, ge=1, le=2000, description="Most coils or discrete inputs in one request.")
    max_gap: int = Field(16, ge=0, le=124, description="Unneeded registers worth reading to save a request.")
    ratios: dict[str, float] = Field(
        default_factory=dict, description="Ratios of the installation and their defaults."
    )
    registers: dict[str, Register] = Field(default_factory=dict, description="The quantities by name.")

    @model_validator(mode="after")
    def _knows_its_ratios(self) -> Self:
        for name, register in self.registers.items():
            for ratio in register.ratios:
                if ratio not in self.ratios:
                    raise ValueError(
                        f"registers.{name} uses ratio {ratio!r}, which the profile does not list"
                    )
            if register.type == "ascii" and register.width > self.max_registers:
                raise ValueError(f"registers.{name} is longer than max_registers")
        return self


_CATALOGUE = Catalogue("modbus", Profile, "registers")
available, find, titles = _CATALOGUE.available, _CATALOGUE.find, _CATALOGUE.titles
