"""The loitering rule: somebody who stays in a zone for longer than one does there."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from lamppost.agent.event import Severity
from lamppost.agent.rules.api import Json, Rule
from lamppost.agent.rules.loitering_state import LoiteringState
from lamppost.agent.rules.schedule import Schedule


class Loitering(Rule):
    """Watches one zone of one camera."""

    camera: str = Field(min_length=1, description="Name of the camera.")
    zone: str = Field(min_length=1, description="Zone of the camera that nobody should stay in.")
    dwell_s: float = Field(60.0, gt=0, le=86400, description="How long one may stay, walking or standing.")
    leave_s: float = Field(
        10.0, ge=1, le=600, description="Who is out of the zone or out of sight for longer has left."
    )
    classes: tuple[str, ...] = Field(("person",), min_length=1, description="Labels that count.")
    event: str = Field(
        "",
        pattern=r"^([a-z0-9][a-z0-9._-]*)?$",
        description="Kind of the event; people.loitering for people alone without it, else object.loitering.",
    )
    update_s: float = Field(
        300.0, ge=0, description="While an event is open, tell it at most so often; 0 never."
    )
    repeat_s: float = Field(
        0.0, ge=0, le=86400, description="After an event has closed, none is opened for so long."
    )
    min_height: float = Field(
        0.02, ge=0, le=1, description="Smallest height of what counts, as share of the picture."
    )
    max_height: float = Field(
        1.0, gt=0, le=1, description="Greatest height of what counts, as share of the picture."
    )
    min_score: float = Field(0.35, ge=0.2, le=1, description="Least median score of what is reported.")
    schedule: Schedule | None = Field(
        None, description="Days and hours in which the rule applies; always without."
    )
    severity: Severity = Field(Severity.ALARM, description="How urgent the events are.")

    @property
    def event_kind(self) -> str:
        """The kind of its events."""
        return self.event or ("people" if self.classes == ("person",) else "object") + ".loitering"

    def watches(self) -> Iterable[tuple[str, str]]:
        """Return the camera: every look at it."""
        return [(self.camera, "")]

    def zones(self) -> Iterable[tuple[str, str]]:
        """Return the zone."""
        return [(self.camera, self.zone)]

    def start(self, saved: Json | None) -> LoiteringState:
        """Return a state: new, or as saved."""
        state = LoiteringState(self)
        if saved is not None:
            try:
                state.restore(saved)
            except (AttributeError, IndexError, KeyError, TypeError, ValueError):
                return LoiteringState(self)
        return state
