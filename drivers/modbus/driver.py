"""The Modbus driver: its settings, and the loop that keeps its pace."""

from __future__ import annotations

import asyncio
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from lamppost.drivers.api import Connection, Driver, DriverError, Emit, Look, Reading, Sample, Value
from lamppost.drivers.modbus import frame
from lamppost.drivers.modbus.codec import pack
from lamppost.drivers.modbus.endpoint import NOTATION, Endpoint, parse
from lamppost.drivers.modbus.explain import explain
from lamppost.drivers.modbus.line import GarbledError, LostError, NoAnswerError, RefusedError, join
from lamppost.drivers.modbus.plan import Block, expand, plan
from lamppost.drivers.modbus.plan import Field as Item
from lamppost.drivers.modbus.poll import NO_TARGET, Poll
from lamppost.drivers.modbus.profile import Profile, Register, available, find, titles

ADVICE_BEHIND = "check unit number and power of the device behind the gateway"
ADVICE_SERIAL = "check power, unit number, baud rate and parity, and whether A and B are swapped"
INLINE = Profile(title="registers of the configuration", source="the configuration")


class Modbus(Driver):
    """A Modbus server: meter, weather station, level gauge, gateway."""

    summary: ClassVar[str] = "Modbus TCP, RTU (serial) and RTU over TCP: meters, stations, gauges"

    url: str = Field(description=f"The line: {NOTATION}.")
    unit: int = Field(1, ge=0, le=255, description="Unit (slave) number; 1 to 247 on a serial line.")
    profile: str | None = Field(None, description="Name of a profile, or path of one relative to this file.")
    registers: dict[str, Register] = Field(
        default_factory=dict, description="Quantities beside, or instead of, those of the profile."
    )
    quantities: list[str] | None = Field(None, description="Read only these quantities of the profile.")
    every_s: float = Field(10.0, ge=0.0, le=86400.0, description="Seconds from one poll to the next.")
    timeout_s: float = Field(1.0, gt=0.0, le=60.0, description="How long the device may take to answer.")
    ratios: dict[str, float] = Field(
        default_factory=dict, description="Ratios of the installation, as CT = 40; the profile lists them."
    )
    max_registers: int | None = Field(None, ge=1, le=125, description="Most registers in one request.")
    max_gap: int | None = Field(None, ge=0, le=124, description="Unneeded registers read to save a request.")

    _profile: Profile = PrivateAttr(default=INLINE)

    @field_validator("url")
    @classmethod
    def _is_a_line(cls, url: str) -> str:
        parse(url)
        return url

    @field_validator("profile")
    @classmethod
    def _is_installed(cls, profile: str | None, info: ValidationInfo) -> str | None:
        if profile is not None:
            find(profile, _base(info))
        return profile

    @model_validator(mode="after")
    def _knows_what_to_read(self, info: ValidationInfo) -> Self:
        base = _base(info)
        if self.profile is not None:
            self._profile = find(self.profile, base)
        elif not self.registers:
            raise ValueError(
                f"needs a profile or registers; installed profiles: {', '.join(available(base))}"
            )
        names = {**self._profile.registers, **self.registers}
        for name in self.quantities or ():
            if name not in names:
                raise ValueError(f"quantities: the profile has no {name!r}; it has {', '.join(names)}")
        for ratio in self.ratios:
            if ratio not in self._profile.ratios:
                known = ", ".join(self._profile.ratios) or "none"
                raise ValueError(f"ratios: the profile has no ratio {ratio!r}; it has {known}")
        if not names:
            raise ValueError(
                f"profile {self.profile!r} lists no registers of its own: add some under registers"
            )
        if self.endpoint.framing == "rtu" and not 1 <= self.unit <= 247:
            raise ValueError(f"unit {self.unit}: a serial line has units 1 to 247")
        return self

    @classmethod
    def profiles(cls) -> dict[str, str]:
        """Return the installed profiles: name and title."""
        return titles()

    @cached_property
    def endpoint(self) -> Endpoint:
        """The line, with the profile's serial settings where the URL says nothing."""
        url_is_serial = self.url.startswith("rtu://")
        serial = self._profile.serial.model_dump() if url_is_serial and self._profile.serial else {}
        return parse(self.url, serial)

    def connection(self) -> Connection:
        """Return the line and the unit."""
        endpoint = self.endpoint
        line = endpoint.path or f"{endpoint.host}:{endpoint.port}"
        return Connection("url", line, endpoint.spoken, f"unit {self.unit}")

    @cached_property
    def limits(self) -> Profile:
        """The profile with this device's own limits and registers."""
        changes: dict[str, Any] = {"registers": self.registers_in_use()}
        if self.max_registers is not None:
            changes["max_registers"] = self.max_registers
        if self.max_gap is not None:
            changes["max_gap"] = self.max_gap
        return self._profile.model_copy(update=changes)

    def registers_in_use(self) -> dict[str, Register]:
        """Return the registers to read, with the ratios of the installation in their scale."""
        wanted = {**self._profile.registers, **self.registers}
        if self.quantities is not None:
            wanted = {name: wanted[name] for name in [*self.quantities, *self.registers]}
        ratios = {**self._profile.ratios, **self.ratios}
        return {name: _with_ratios(register, ratios) for name, register in wanted.items()}

    def blocks(self) -> list[Block]:
        """Return the requests of one poll."""
        return plan(expand(self.limits.registers), self.limits)

    def expected_interval_s(self) -> float:
        """Return the pause between two polls, slow answers included."""
        return self.every_s + self.timeout_s

    async def run(self, emit: Emit) -> None:
        """Poll every ``every_s`` seconds; a poll never overlaps the one before it."""
        loop = asyncio.get_running_loop()
        async with join(self.endpoint) as line:
            poll = Poll(self.name, self.unit, self.blocks(), self.timeout_s, line, emit)
            due = loop.time()
            while True:
                await self._once(poll)
                due += self.every_s
                late_s = loop.time() - due
                if late_s < 0:
                    await asyncio.sleep(-late_s)
                    continue
                if late_s > self.every_s > 0:
                    due = loop.time()
                    if poll.spent_s > self.every_s:  # else it was the neighbours that took the time
                        emit.fault("late", f"a poll took {poll.spent_s:.2f} s; every_s is {self.every_s:g}")
                if not poll.spent_s:  # it waited for nothing, so nobody else had a turn
                    await asyncio.sleep(0)

    async def _once(self, poll: Poll) -> None:
        try:
            await poll.once()
        except (NoAnswerError, GarbledError, LostError, RefusedError) as error:
            raise DriverError(f"{self.endpoint}: {error}; {_advice(error, self.endpoint)}") from error

    async def probe(self) -> str:
        """Read everything once and say what came."""
        seen = _Collector()
        async with join(self.endpoint) as line:
            await self._once(Poll(self.name, self.unit, self.blocks(), self.timeout_s, line, seen))
        return seen.summary()

    async def explain(self) -> list[Look]:
        """Read everything once, with the raw registers of each quantity."""
        try:
            async with join(self.endpoint) as line:
                return await explain(line, self.unit, self.blocks(), self.timeout_s)
        except (NoAnswerError, GarbledError, LostError) as error:
            raise DriverError(f"{self.endpoint}: {error}; {_advice(error, self.endpoint)}") from error

    def writable(self) -> list[str]:
        """Return the quantities that may be set."""
        return [item.name for item in expand(self.limits.registers) if item.register.writable]

    async def write(self, quantity: str, value: Value) -> None:
        """Set a quantity that the profile names writable. Raises DriverError."""
        items = {item.name: item for item in expand(self.limits.registers)}
        item = items.get(quantity)
        if item is None or not item.register.writable:
            allowed = ", ".join(i.name for i in items.values() if i.register.writable) or "none"
            raise DriverError(f"{self.name}: {quantity!r} is not writable; writable: {allowed}", retry=False)
        request = _write_request(self.name, self.unit, item, value)
        try:
            async with join(self.endpoint) as line:
                await line.ask(request, self.timeout_s, lambda _kind, _detail: None)
        except (NoAnswerError, GarbledError, LostError, RefusedError) as error:
            raise DriverError(f"{self.name}, {self.endpoint}: {error}") from error


def _base(info: ValidationInfo) -> Path | None:
    """Return the folder of the configuration file."""
    base = (info.context or {}).get("base")
    return Path(base) if base else None


def _with_ratios(register: Register, ratios: dict[str, float]) -> Register:
    """Return the register with the ratios of the installation multiplied into its scale."""
    if not register.ratios:
        return register
    scale = register.scale
    for ratio in register.ratios:
        scale *= ratios[ratio]
    return register.model_copy(update={"scale": float(f"{scale:.12g}")})


def _write_request(device: str, unit: int, item: Item, value: Value) -> frame.Request:
    register = item.register
    try:
        values = pack(register, value)
    except ValueError as error:
        raise DriverError(f"{device}: {item.name}: {error}", retry=False) from error
    return frame.write(
        unit,
        item.address,
        values,
        coil=register.is_bit,
        multiple=register.write_multiple,
        text=f"write of {register.table} {item.address} ({item.name} = {value})",
    )


def _advice(error: Exception, endpoint: Endpoint) -> str:
    """Say what a technician can do."""
    if isinstance(error, RefusedError):
        return ADVICE_BEHIND if error.code in NO_TARGET else "does the profile fit this device?"
    if isinstance(error, LostError):
        return "is the port right, and does it speak Modbus?"
    if isinstance(error, GarbledError):
        if endpoint.framing == "tcp":
            return "does this port speak Modbus TCP? check host and port"
        return "check baud rate and parity, shield and termination"
    return ADVICE_SERIAL if endpoint.framing == "rtu" else "check unit number and power of the device"


class _Collector:
    """An emit that keeps what came, for a single look."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.faults: list[str] = []

    def __call__(self, *samples: Sample) -> None:
        self.samples.extend(samples)

    def fault(self, kind: str, detail: str) -> None:
        self.faults.append(f"{kind}: {detail}")

    def summary(self) -> str:
        """Return the first values and the faults in one line."""
        readings = [s for s in self.samples if isinstance(s, Reading)]
        shown = [f"{r.quantity} {r.value} {r.unit}".strip() for r in readings[:6]]
        more = f" and {len(readings) - 6} more" if len(readings) > 6 else ""
        return ", ".join(shown) + more + "".join(f"; {fault}" for fault in self.faults)
