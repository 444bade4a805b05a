"""The parking rule: a vehicle that stands in a zone for longer than it may."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from lamppost.agent.event import Severity
from lamppost.agent.rules.api import Json, Rule
from lamppost.agent.rules.parking_state import ParkingState
from lamppost.agent.rules.schedule import Schedule


class Parking(Rule):
    """Watches one zone of one camera."""

    camera: str = Field(min_length=1, description="Name of the camera.")
    zone: str = Field(min_length=1, description="Zone of the camera that must be kept clear.")
    dwell_s: float = Field(180.0, gt=0, le=86400, description="How long a vehicle may stand.")
    grace_s: float = Field(
        0.0, ge=0, le=86400, description="Added to dwell_s while somebody loads: a person at the vehicle."
    )
    update_s: float = Field(
        300.0, ge=0, description="While an event is open, tell it at most so often; 0 never."
    )
    repeat_s: float = Field(
        300.0,
        ge=0,
        description="The same vehicle found again in its place within this time is no new violation.",
    )
    classes: tuple[str, ...] = Field(
        ("car", "bus", "truck", "train"),
        min_length=1,
        description="Labels that count; some buses are taken for a train.",
    )
    min_height: float = Field(
        0.02, ge=0, le=1, description="Smallest height of a vehicle, as share of the picture."
    )
    max_height: float = Field(
        1.0, gt=0, le=1, description="Greatest height of a vehicle, as share of the picture."
    )
    min_score: float = Field(
        0.27, ge=0, le=1, description="Least median score of a vehicle that is reported."
    )
    schedule: Schedule | None = Field(
        None, description="Days and hours in which the rule applies; always without."
    )
    severity: Severity = Field(Severity.ALARM, description="How urgent the events are.")

    def watches(self) -> Iterable[tuple[str, str]]:
        """Return the camera: every look at it."""
        return [(self.camera, "")]

    def zones(self) -> Iterable[tuple[str, str]]:
        """Return the zone."""
        return [(self.camera, self.zone)]

    def start(self, saved: Json | None) -> ParkingState:
        """Return a state: new, or as saved."""
        state = ParkingState(self)
        if saved is not None:
            try:
                state.restore(saved)
            except (KeyError, TypeError, ValueError, IndexError):
                return ParkingState(self)
        return state
