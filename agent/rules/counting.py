"""The counting rule: who crosses a line of a camera, by direction and class, as telemetry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, field_validator

from lamppost.agent.rules.api import Json, Rule
from lamppost.agent.rules.counting_state import CountingState

#: What may stand in a quantity's name (RFC 8428, section 4.5.1).
_WORD = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


class Counting(Rule):
    """Watches one line of one camera."""

    camera: str = Field(min_length=1, description="Name of the camera.")
    line: str = Field(min_length=1, description="Line of the camera whose crossings are counted.")
    classes: tuple[str, ...] = Field(
        ("person", "bicycle", "motorcycle", "car", "bus", "truck"),
        min_length=1,
        description="Labels that count, each for itself.",
    )
    directions: tuple[Annotated[str, Field(pattern=_WORD)], Annotated[str, Field(pattern=_WORD)]] = Field(
        ("in", "out"),
        description="What the two directions are called: from left to right, seen from the line's first "
        "point to its second, and back.",
    )
    every_s: float = Field(
        60.0,
        ge=1,
        le=86400,
        description="Interval over which the flow is measured: each full minute.",
    )
    min_score: float = Field(
        0.35, ge=0.2, le=1, description="Least score of something that begins to be followed."
    )

    @field_validator("directions")
    @classmethod
    def _differ(cls, names: tuple[str, str]) -> tuple[str, str]:
        if names[0] == names[1]:
            raise ValueError("the two directions need different names")
        return names

    def watches(self) -> Iterable[tuple[str, str]]:
        """Return the camera: every look at it."""
        return [(self.camera, "")]

    def lines(self) -> Iterable[tuple[str, str]]:
        """Return the line."""
        return [(self.camera, self.line)]

    def start(self, saved: Json | None) -> CountingState:
        """Return a state: new, or with the totals as saved."""
        state = CountingState(self)
        if saved is not None:
            try:
                state.restore(saved)
            except (AttributeError, IndexError, KeyError, TypeError, ValueError):
                return CountingState(self)
        return state
