"""All that the author of a driver reads: the contract between a driver and its host.

A driver package names its class in the entry-point group ``lamppost.drivers``; the entry point's
name is what ``driver = "..."`` says in the configuration. The class is a frozen pydantic model:
its fields are its TOML keys, their descriptions its documentation.

The host owns everything that is the same for all devices: back-off, restarts, stall detection,
counting, health. A driver opens, emits, and raises `DriverError` when the device stops answering.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeAlias, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

Value: TypeAlias = float | int | bool | str


class Quality(StrEnum):
    """How far a reading can be trusted."""

    GOOD = "good"
    BAD = "bad"


class Reading(NamedTuple):
    """One measured value of one quantity of a device.

    ``value`` is None exactly when ``quality`` is `Quality.BAD`: what is not known is no number.
    ``unit`` is a SenML unit (RFC 8428, section 12.1, and RFC 8798) or empty; ``at`` is aware UTC.
    """

    device: str
    quantity: str
    value: Value | None
    unit: str
    at: datetime
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a camera: ``image`` is a numpy array HxWx3, uint8, BGR; ``seq`` counts grabs."""

    device: str
    image: Any
    at: datetime
    seq: int


Sample: TypeAlias = Reading | Frame


class Emit(Protocol):
    """The way out of a driver. Neither call blocks or raises; both belong to the event loop's thread."""

    def __call__(self, *samples: Sample) -> None:
        """Hand over samples, in the order of their time. One call per poll is cheapest."""

    def fault(self, kind: str, detail: str) -> None:
        """Report a fault that `Driver.run` survived (a corrupt frame, a refused register).

        ``kind`` is a short constant word that the host counts by (``crc``, ``exception``);
        ``detail`` says what, where and with which address; the newest is shown with the device.
        """


class DriverError(Exception):
    """The device cannot be used now: what failed, where, and what to do about it.

    ``retry`` says whether trying again can help without a change by a person; the host
    tries again either way, but a ``retry=False`` error goes straight to the longest pause, and after some of
    them in a row to one of a minute at least.
    """

    def __init__(self, message: str, *, retry: bool = True) -> None:
        super().__init__(message)
        self.retry = retry


class Driver(BaseModel):
    """What talks to one kind of device. Constructing it does no I/O.

    Validation gets the folder of the configuration file as context ``{"base": Path}``, so that a
    driver can resolve relative paths.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    #: One line for `lamppost driver list` and error messages.
    summary: ClassVar[str] = ""
    #: What the host's own keys of the device's table (``backoff_max_s``) are where the file says nothing.
    host_defaults: ClassVar[Mapping[str, float]] = {}

    name: str = Field(description="Name of the device; set from its table's name, never a key in the file.")

    async def run(self, emit: Emit) -> None:
        """Open the device, emit samples until cancelled, close it.

        May be called again after it ended. Raises `DriverError` when the device stops answering;
        cancellation is the only way to stop it, and ``finally`` closes what was opened.
        """
        raise NotImplementedError

    def expected_interval_s(self) -> float | None:
        """Return the longest normal pause between two samples in seconds, None if there is none.

        The host calls a device stalled that stays silent for three of these (at least 5 s).
        """
        return None


@runtime_checkable
class CanProbe(Protocol):
    """A driver that can look once and say what it found."""

    async def probe(self) -> str:
        """Return one line on what answered. Raises `DriverError`."""


class Look(NamedTuple):
    """One quantity as found: ``raw`` is what the device sent, ``why`` says why there is no value."""

    quantity: str
    value: Value | None
    unit: str
    raw: str
    why: str


@runtime_checkable
class CanExplain(Protocol):
    """A driver that can show what its device sends beside what it means."""

    async def explain(self) -> Sequence[Look]:
        """Read everything once. Reads only. Raises `DriverError`."""


@runtime_checkable
class CanWrite(Protocol):
    """A driver with quantities that may be set."""

    def writable(self) -> Sequence[str]:
        """Return their names."""

    async def write(self, quantity: str, value: Value) -> None:
        """Set a quantity. Raises `DriverError` if it is not writable, out of range or refused."""


@runtime_checkable
class HasView(Protocol):
    """A camera: places drawn on its picture, by name; points (x, y) in 0..1 of width and height."""

    @property
    def zones(self) -> Mapping[str, Sequence[tuple[float, float]]]:
        """Polygons of at least three points, not crossing themselves."""

    @property
    def lines(self) -> Mapping[str, Sequence[tuple[float, float]]]:
        """Lines of two points."""


@runtime_checkable
class JudgesPicture(Protocol):
    """A camera that says how its picture is.

    It emits the text quantity ``picture``: ``ok``, or a constant word for what is wrong. Before each such
    word it calls `Emit.fault` with the word as kind and the reason as detail, and emits
    ``picture-confidence`` (0..1). The host makes the event ``camera.picture`` of it.
    """

    @property
    def picture_after_s(self) -> float:
        """How long the picture must be wrong before it is an event."""


@runtime_checkable
class Learns(Protocol):
    """A driver that learns what is normal; the host keeps it through restarts of the box."""

    def remember(self) -> str:
        """Return what was learnt, at most some 100 kB; empty if nothing was."""

    def recall(self, memory: str) -> None:
        """Take back what `remember` returned, before `Driver.run`; what no longer fits is dropped."""


class TrueTime(NamedTuple):
    """Which quantity of a device is the true time: unix seconds, good readings only where it is known.

    A reading is passed on as it comes; its value is wrong by ``within_s`` at most, the way to the host
    included.
    """

    quantity: str
    within_s: float


@runtime_checkable
class TellsTime(Protocol):
    """A driver whose device may know the time, as a GNSS receiver does.

    The host of a box whose own clock is unset or wrong goes by it, once several readings agree.
    """

    def true_time(self) -> TrueTime | None:
        """Return which quantity that is; None if this device has none."""


class Connection(NamedTuple):
    """The line that a device hangs on, for checks of the whole configuration.

    ``key`` is the setting that says so. ``line`` is what two devices must have in common to share it, and
    ``spoken`` how it is spoken to (``2400 8N1``): the same for all of a line. ``address`` tells its devices
    apart.
    """

    key: str
    line: str
    spoken: str
    address: str


@runtime_checkable
class SharesLine(Protocol):
    """A driver whose devices may share a line."""

    def connection(self) -> Connection:
        """Return the device's place on its line."""


class Found(NamedTuple):
    """A device that a scan came upon: the settings that would configure it, and why."""

    settings: dict[str, Any]
    evidence: str


@runtime_checkable
class CanScan(Protocol):
    """A driver class that can look for its devices. Reads only."""

    @classmethod
    def scan(cls, where: str) -> AsyncIterator[Found]:
        """Yield what answers at ``where`` (a URL or port in the driver's own notation)."""
