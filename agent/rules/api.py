"""The rule contract: frozen settings, and a state that steps, and travels through restarts as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from lamppost.agent.event import Event
from lamppost.drivers.api import Sample

Json: TypeAlias = dict[str, Any]


class RuleState(Protocol):
    """What a running rule remembers. All calls are pure but for the state itself: no I/O, no clock."""

    def step(self, sample: Sample, now: datetime) -> Iterable[Event]:
        """Take one sample of a watched device; return what it makes happen."""

    def tick(self, now: datetime) -> Iterable[Event]:
        """Let time pass without a sample; called about once a second."""

    def save(self) -> Json:
        """Return the state as JSON values, for `Rule.start` after a restart."""

    def shift(self, seconds: float) -> None:
        """Move every remembered time: the box's clock was set forward by so many seconds."""


class Rule(BaseModel):
    """Settings of a rule: its fields are its TOML keys, their descriptions its documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="Name of the rule; set from its table's name, never a key in the file.")

    def watches(self) -> Iterable[tuple[str, str]]:
        """Return the (device, quantity) pairs that `RuleState.step` wants; quantity "" is every sample."""
        raise NotImplementedError

    def start(self, saved: Json | None) -> RuleState:
        """Return a state: new, or as saved. A saved state that no longer fits is begun anew."""
        raise NotImplementedError
