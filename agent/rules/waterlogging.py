"""The waterlogging rule: water on a road, seen by a camera, measured by a gauge, told once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lamppost.agent.event import Severity
from lamppost.agent.rules.api import Json, Rule
from lamppost.agent.rules.gauge import GaugeSettings
from lamppost.agent.rules.waterlogging_state import WaterloggingState


class Levels(BaseModel):
    """From where on water is worth attention, a warning, a danger."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attention: float = Field(gt=0, description="Lowest value of level attention.")
    warning: float = Field(gt=0, description="Lowest value of level warning.")
    danger: float = Field(gt=0, description="Lowest value of level danger.")

    @property
    def limits(self) -> tuple[float, float, float]:
        """The three, rising."""
        return self.attention, self.warning, self.danger

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if not self.attention < self.warning < self.danger:
            raise ValueError("attention, warning and danger must rise in this order")
        return self


class Rain(BaseModel):
    """What tells that it rains."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str = Field(min_length=1, description="Name of the device.")
    quantity: str = Field(min_length=1, description="Its quantity.")
    above: float = Field(0.0, description="It rains when the value is above this.")


class Waterlogging(Rule):
    """Watches one road, by a camera, a gauge, or both."""

    camera: str = Field("", description="Name of the camera; empty with a gauge alone.")
    zone: str = Field("", description="The road in the camera's picture: one of its zones.")
    gauge: GaugeSettings | None = Field(None, description="The level gauge at this road.")
    rain: Rain | None = Field(None, description="What tells that it rains: a camera is believed less then.")
    open_share: float = Field(
        0.08, gt=0, lt=1, description="New water on so much of the visible road is waterlogging."
    )
    close_share: float = Field(0.04, ge=0, lt=1, description="At so little of it the road is dry again.")
    persist_s: float = Field(30.0, ge=0, le=3600, description="So long it must last before it is told.")
    clear_s: float = Field(
        300.0, ge=0, le=86400, description="So long the road must be dry before it closes."
    )
    levels_mm: Levels = Field(
        Levels(attention=50, warning=150, danger=270), description="Levels by depth, in millimetres."
    )
    levels_share: Levels = Field(
        Levels(attention=0.08, warning=0.3, danger=0.6), description="Levels by share of the road."
    )
    update_s: float = Field(
        600.0, ge=0, description="Tell an open event at most so often, if not worse; 0 never."
    )
    severity: Severity = Field(Severity.ALARM, description="How urgent the events are.")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not self.camera and self.gauge is None:
            raise ValueError("give a camera, a gauge, or both: nothing else sees water")
        if bool(self.camera) != bool(self.zone):
            raise ValueError("camera and zone belong together: the zone is the road in the camera's picture")
        if self.close_share >= self.open_share:
            raise ValueError(
                f"close_share ({self.close_share:g}) must be below open_share ({self.open_share:g})"
            )
        return self

    def watches(self) -> Iterable[tuple[str, str]]:
        """Return every look of the camera, the gauge with its temperature, and the rain."""
        found = [(self.camera, "")] if self.camera else []
        if self.gauge is not None:
            found.append((self.gauge.device, self.gauge.quantity))
            if self.gauge.temperature is not None:
                found.append((self.gauge.temperature.device, self.gauge.temperature.quantity))
        if self.rain is not None:
            found.append((self.rain.device, self.rain.quantity))
        return found

    def zones(self) -> Iterable[tuple[str, str]]:
        """Return the road."""
        return [(self.camera, self.zone)] if self.camera else ()

    def wants(self) -> Iterable[tuple[str, str]]:
        """Return the camera's sense of water."""
        return [(self.camera, "water")] if self.camera else ()

    def start(self, saved: Json | None) -> WaterloggingState:
        """Return a state: new, or as saved."""
        state = WaterloggingState(self)
        if saved is not None:
            try:
                state.restore(saved)
            except (AttributeError, KeyError, TypeError, ValueError):
                return WaterloggingState(self)
        return state
