"""The rule contract: frozen settings, and a state that steps, and travels through restarts as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from lamppost.agent.event import Event
from lamppost.drivers.api import Reading, Sample

Json: TypeAlias = dict[str, Any]
#: What a rule tells: events, and what it counts or measures at a device that it watches. Such readings go
#: the way of the device's own: newest values, telemetry policy, and the rules that watch their quantity.
Told: TypeAlias = Event | Reading
Moment: TypeAlias = Literal["arrival", "half-way", "alarm"]


class RuleState(Protocol):
    """What a running rule remembers. All calls are pure but for the state itself: no I/O, no clock."""

    def step(self, sample: Sample, now: datetime) -> Iterable[Told]:
        """Take one sample of a watched device; return what it makes happen.

        The state that readings leave is saved with their telemetry: a counter never goes back.
        """

    def tick(self, now: datetime) -> Iterable[Told]:
        """Let time pass without a sample; called about once a second."""

    def save(self) -> Json:
        """Return the state as JSON values, for `Rule.start` after a restart."""

    def shift(self, seconds: float) -> None:
        """Move every remembered time: the box's clock was set forward by so many seconds."""


class Shot(NamedTuple):
    """A picture that a rule wants of the scene it was just given.

    ``key`` names what stands there within the rule, and with ``since`` the one that stands there now.
    ``box`` is x1, y1, x2, y2 in 0..1 of the camera's reference view, ``zone`` a zone of the camera.
    ``event`` is the id of the open event that this step returned, at the moment ``alarm``.
    ``hidden``: something stands in front of it; asked for at ``alarm`` only, other moments can wait.
    ``outline``: polygons to be drawn, in 0..1 of the reference view: where the water is.
    """

    key: str
    moment: Moment
    box: tuple[float, float, float, float]
    zone: str
    since: datetime
    event: str = ""
    hidden: bool = False
    outline: Sequence[Sequence[tuple[float, float]]] = ()


@runtime_checkable
class Witness(Protocol):
    """What a `RuleState` has beside its own methods if its events carry pictures. Pure as well."""

    def shots(self) -> Sequence[Shot]:
        """Return the pictures that the last step asks for; empty if that was no scene.

        The same shot may be asked for again and again: the first that succeeds is kept, the others cost
        nothing. So a picture that a restart lost, or had no room, is taken anew, in its own time.
        """

    def pending(self) -> Collection[str]:
        """Return the keys of what may yet become an event; pictures of all others are forgotten."""


@runtime_checkable
class KnowsDry(Protocol):
    """What a `RuleState` has beside its own methods if it can tell that a road is dry. Pure as well."""

    def dry(self) -> Collection[str]:
        """Return the cameras whose road is dry for certain now: what they show may be kept as reference."""


@runtime_checkable
class Remarks(Protocol):
    """What a `RuleState` has beside its own methods if it may run weaker than it could. Pure as well."""

    def remarks(self) -> Sequence[str]:
        """Return why, in words; empty if it does not."""


class Rule(BaseModel):
    """Settings of a rule: its fields are its TOML keys, their descriptions its documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="Name of the rule; set from its table's name, never a key in the file.")

    def watches(self) -> Iterable[tuple[str, str]]:
        """Return the (device, quantity) pairs that `RuleState.step` wants; quantity "" is every sample."""
        raise NotImplementedError

    def zones(self) -> Iterable[tuple[str, str]]:
        """Return the (camera, zone) pairs that the rule looks at; zone "" is the whole picture.

        The configuration is refused where a device is no camera or has no such zone.
        """
        return ()

    def lines(self) -> Iterable[tuple[str, str]]:
        """Return the (camera, line) pairs that the rule looks at, as `zones` does."""
        return ()

    def wants(self) -> Iterable[tuple[str, str]]:
        """Return the (camera, sense) pairs that scenes must carry beside detections; a sense is "water"."""
        return ()

    def start(self, saved: Json | None) -> RuleState:
        """Return a state: new, or as saved. A saved state that no longer fits is begun anew."""
        raise NotImplementedError
