"""The driver: settings, and a loop that reads one file."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from lamppost.drivers.api import Driver, DriverError, Emit, Quality, Reading
from lamppost_w1.codec import BadFileError, parse


class W1Thermometer(Driver):
    """A 1-Wire thermometer."""

    summary: ClassVar[str] = "1-Wire thermometers (DS18B20) of a Linux box"

    sensor: str = Field(description="Id of the sensor, as /sys/bus/w1/devices shows it.")
    every_s: float = Field(30.0, ge=1.0, le=86400.0, description="Seconds from one reading to the next.")
    folder: Path = Field(Path("/sys/bus/w1/devices"), description="Where the kernel shows its sensors.")

    @field_validator("sensor")
    @classmethod
    def _is_an_id(cls, sensor: str) -> str:
        family, _, serial = sensor.partition("-")
        if len(family) != 2 or len(serial) != 12:
            raise ValueError(f"{sensor!r} is no 1-Wire id; expected one like 28-0316a2795cff")
        return sensor

    def expected_interval_s(self) -> float:
        """Return the pause between two readings."""
        return self.every_s

    async def run(self, emit: Emit) -> None:
        """Read every ``every_s`` seconds."""
        while True:
            emit(await self._read(emit))
            await asyncio.sleep(self.every_s)

    async def probe(self) -> str:
        """Read once."""
        value = parse(await self._text())
        return "no measurement yet" if value is None else f"{value} Cel"

    async def _read(self, emit: Emit) -> Reading:
        value = None
        try:
            value = parse(await self._text())
        except BadFileError as error:
            emit.fault("crc", f"{self.sensor}: {error}")
        quality = Quality.BAD if value is None else Quality.GOOD
        return Reading(self.name, "temperature", value, "Cel", datetime.now(UTC), quality)

    async def _text(self) -> str:
        """Return the file's text: the kernel measures while it is read, which takes most of a second."""
        path = self.folder / self.sensor / "w1_slave"
        try:
            return await asyncio.to_thread(path.read_text)
        except OSError as error:
            raise DriverError(
                f"{path}: {error.strerror}; is the sensor connected, and w1_therm loaded?"
            ) from error
