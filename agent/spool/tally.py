"""A lane's running figures."""

from __future__ import annotations

from dataclasses import dataclass, field

UNSAVED = 500


@dataclass(slots=True)
class Tally:
    """Running figures of a lane, kept so that neither opening nor evicting has to count rows."""

    last: int = 0
    depth: int = 0
    bytes: int = 0
    written: int = 0
    oldest: float | None = None
    saved: int = 0  # the last number that the file's own figures know
    dropped: dict[str, tuple[int, int]] = field(default_factory=dict)

    def drop(self, reason: str, count: int, size: int) -> None:
        """Count what was lost."""
        had, had_bytes = self.dropped.get(reason, (0, 0))
        self.dropped[reason] = (had + count, had_bytes + size)

    def only_grew(self, old: Tally) -> bool:
        """Return whether every new number is a new row, no row left, and a reopening can count them."""
        numbers = self.last - old.last
        rows = self.depth - old.depth
        return numbers == rows and self.dropped == old.dropped and self.last - self.saved <= UNSAVED

    def copy(self) -> Tally:
        """Return a copy to go back to when a transaction fails."""
        return Tally(
            self.last, self.depth, self.bytes, self.written, self.oldest, self.saved, dict(self.dropped)
        )
