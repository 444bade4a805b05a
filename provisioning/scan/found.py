"""What a scan came upon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

#: Called with a text of what is being asked now, and how much of the work is done (0..1).
Progress = Callable[[str, float], None]


class Found(NamedTuple):
    """A device: where it answers, the settings that would configure it, and why they are believed.

    ``name`` is a proposal. ``sure`` says whether the profile is more than a guess; without a profile
    ``settings`` are not enough to add it.
    """

    where: str
    name: str
    settings: dict[str, Any]
    evidence: str
    sure: bool

    @property
    def complete(self) -> bool:
        """Whether it can be added as it is."""
        return "profile" in self.settings or "source" in self.settings

    def as_json(self) -> dict[str, Any]:
        """Return all as JSON values."""
        return {**self._asdict(), "complete": self.complete}
