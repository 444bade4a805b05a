"""The serial driver: sensors that speak by themselves, and DL/T 645 meters that are asked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from lamppost.drivers.api import Connection, Driver, DriverError, Emit, Reading, Sample, TrueTime
from lamppost.drivers.serial import dlt645
from lamppost.drivers.serial.ask import Line, NoAnswerError, RefusedError, join
from lamppost.drivers.serial.dlt645 import ANY
from lamppost.drivers.serial.layout import Framing
from lamppost.drivers.serial.listen import LEAST_S, PAUSES, Listener
from lamppost.drivers.serial.merge import Merge
from lamppost.drivers.serial.profile import Pattern, Profile, Quantity, available, find, titles
from lamppost.drivers.serial.reading import reader
from lamppost.drivers.tty import LineSettings

ADVICE = "check power, address and wires (A and B), and that the meter speaks DL/T 645-2007"


class Serial(Driver):
    """A sensor on a serial port that speaks no Modbus."""

    summary: ClassVar[str] = "serial sensors without Modbus: ultrasonic gauges, GNSS, DL/T 645, HJ 212, lines"

    port: str = Field(description="Path of the port; /dev/serial/by-id/... stays the same when replugged.")
    profile: str | None = Field(None, description="Name of a profile, or path of one relative to this file.")
    baud: int | None = Field(None, ge=50, le=4_000_000, description="Baud rate, if not the profile's.")
    parity: Literal["N", "E", "O"] | None = Field(None, description="Parity, if not the profile's.")
    stop: Literal[1, 2] | None = Field(None, description="Stop bits, if not the profile's.")
    bits: Literal[7, 8] | None = Field(None, description="Data bits, if not the profile's.")
    address: str = Field(
        "", description="DL/T 645: the meter's 12 digits. HJ 212: the station (MN) whose messages count."
    )
    quantities: list[str] | None = Field(None, description="Pass on only these quantities of the profile.")
    every_s: float | None = Field(
        None, ge=0.0, le=86400.0, description="Pass each quantity on at most so often, or ask so often."
    )
    timeout_s: float = Field(1.0, gt=0.0, le=60.0, description="How long a meter may take to answer.")
    framing: Framing | None = Field(None, description="Instead of a profile: how frames are told apart.")
    pattern: Pattern | None = Field(
        None, description="Instead of a profile: regular expression with named groups, for each line."
    )
    values: dict[str, Quantity] = Field(
        default_factory=dict, description="Instead of a profile: the quantities by name."
    )

    _profile: Profile = PrivateAttr()

    @field_validator("port")
    @classmethod
    def _is_a_path(cls, port: str) -> str:
        if not port.startswith("/"):
            raise ValueError(f"{port!r} is no path; expected /dev/serial/by-id/NAME (`ls /dev/serial/by-id`)")
        return port

    @model_validator(mode="after")
    def _knows_what_to_read(self, info: ValidationInfo) -> Self:
        base = (info.context or {}).get("base")
        profile = self._found(Path(base) if base else None)
        for name in self.quantities or ():
            if name not in profile.quantities:
                known = ", ".join(profile.quantities)
                raise ValueError(f"quantities: the profile has no {name!r}; it has {known}")
        if self.quantities is not None:
            wanted = {name: profile.quantities[name] for name in self.quantities}
            profile = profile.model_copy(update={"quantities": wanted})
        if profile.codec == "dlt645" and not re.fullmatch(r"\d{12}", self.address) and self.address != ANY:
            raise ValueError(
                f"address {self.address!r}: a DL/T 645 meter has 12 digits on its plate (or {ANY!r} for the "
                f"only meter of a line)"
            )
        self._profile = profile
        return self

    def _found(self, base: Path | None) -> Profile:
        own = (self.framing, self.pattern, self.values)
        if self.profile is not None:
            if any(own):
                raise ValueError("give a profile, or framing, pattern and values, not both")
            return find(self.profile, base)
        if not self.values:
            raise ValueError(
                "needs a profile, or values with a pattern or framing; installed profiles: "
                + ", ".join(available(base))
            )
        return Profile(
            title="this device",
            source="the configuration",
            framing=self.framing or Framing(kind="line"),
            pattern=self.pattern,
            quantities=self.values,
        )

    @classmethod
    def profiles(cls) -> dict[str, str]:
        """Return the installed profiles: name and title."""
        return titles()

    @cached_property
    def settings(self) -> LineSettings:
        """The line's settings: the device's own, else the profile's."""
        own = {key: getattr(self, key) for key in ("baud", "parity", "stop", "bits")}
        changes = {key: value for key, value in own.items() if value is not None}
        return self._profile.serial.model_copy(update=changes)

    @property
    def _asks(self) -> bool:
        return self._profile.codec == "dlt645"

    @property
    def _pace_s(self) -> float:
        return self._profile.every_s if self.every_s is None else self.every_s

    def true_time(self) -> TrueTime | None:
        """Return the quantity that is a GNSS receiver's time; it comes up to a second late."""
        if self._profile.codec != "nmea":
            return None
        for name, quantity in self._profile.quantities.items():
            if (quantity.source or name) == "utc" and (quantity.scale, quantity.offset) == (1, 0):
                return TrueTime(name, 1.0)
        return None

    def connection(self) -> Connection:
        """Return the port; only meters that are asked share one."""
        if self._asks:
            return Connection("port", self.port, f"{self.settings} DL/T 645", f"meter {self.address}")
        return Connection("port", self.port, f"{self.settings}, {self.name} alone", self.name)

    def expected_interval_s(self) -> float:
        """Return the longest normal pause between two readings."""
        return max(self._pace_s, self._profile.interval_s) + (self.timeout_s if self._asks else 0)

    async def run(self, emit: Emit) -> None:
        """Listen, or ask every ``every_s`` seconds."""
        if not self._asks:
            await self._listener(emit).run(self.port, self.settings)
            return
        loop = asyncio.get_running_loop()
        async with join(self.port, self.settings, self._profile.framing) as line:
            due = loop.time()
            while True:
                await self._poll(line, emit)
                due = max(due + self._pace_s, loop.time())
                await asyncio.sleep(due - loop.time())

    def _listener(self, emit: Emit, heard: Any = lambda _: None) -> Listener:
        read = reader(self._profile, self.address)
        return Listener(self.name, self._profile, read, emit, every_s=self._pace_s, heard=heard)

    async def _poll(self, line: Line, emit: Emit) -> None:
        """Ask for every quantity; what the meter refuses is a fault, and silence ends the poll."""
        merge = Merge(self.name, self._profile.quantities, 0)
        for name, quantity in self._profile.quantities.items():
            try:
                found = await line.ask(self.address, quantity.source, self.timeout_s, emit.fault)
                number = dlt645.number(found.data, size=quantity.digits // 2, signed=quantity.signed)
                merge.put({quantity.source: number})
            except RefusedError as error:
                emit.fault("refused", f"{name}: {error}")
            except ValueError as error:
                emit.fault("unread", f"{name}: {error}")
            except NoAnswerError as error:
                if readings := merge.take(0):
                    emit(*readings)
                raise DriverError(f"{self.port} at {self.settings}: {error}; {ADVICE}") from error
        readings = merge.take(0)
        if readings:
            emit(*readings)

    async def probe(self) -> str:
        """Listen, or ask, once and say what came."""
        seen = _Seen()
        if self._asks:
            async with join(self.port, self.settings, self._profile.framing) as line:
                await self._poll(line, seen)
            return seen.summary()
        complete = asyncio.Event()
        missing = set(self._profile.quantities)

        def heard(quantities: Collection[str]) -> None:
            missing.difference_update(quantities)
            if quantities and not missing:
                complete.set()

        listening = asyncio.ensure_future(self._listener(seen, heard).run(self.port, self.settings))
        waiting = asyncio.ensure_future(complete.wait())
        patience_s = max(LEAST_S, PAUSES * self._profile.interval_s) + 1
        try:
            await asyncio.wait({listening, waiting}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            failed = listening.done() and listening.exception()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        if failed:
            raise failed
        return seen.summary()


class _Seen:
    """An emit that keeps what came, for a single look."""

    def __init__(self) -> None:
        self.newest: dict[str, Reading] = {}
        self.faults: dict[str, str] = {}

    def __call__(self, *samples: Sample) -> None:
        self.newest.update({s.quantity: s for s in samples if isinstance(s, Reading)})

    def fault(self, kind: str, detail: str) -> None:
        self.faults[kind] = detail

    def summary(self) -> str:
        """Return the values and the faults in one line."""
        shown = [
            f"{r.quantity} {'?' if r.value is None else r.value} {r.unit}".strip()
            for r in self.newest.values()
        ]
        faults = "".join(f"; {kind}: {detail}" for kind, detail in self.faults.items())
        return (", ".join(shown[:8]) or "nothing that is wanted came") + faults
