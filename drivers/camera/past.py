"""What is known of a camera from before: whether it was tried, and what is normal for its pictures."""

from __future__ import annotations

import hashlib


class Past:
    """No setting: two devices do not differ by it, whatever `==` is asked."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self) -> None:
        #: As the reading process says it: base64 of `PictureWatch.remember`.
        self.learnt = ""
        #: Whether the camera has been read, or was tried to be.
        self.tried = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Past)

    def save(self, outlook: object) -> str:
        """Return what was learnt as one text; ``outlook`` is what it was learnt of, compared by its repr."""
        return f"{_digest(outlook)}:{self.learnt}" if self.learnt else ""

    def restore(self, saved: str, outlook: object) -> None:
        """Take it back, unless it was learnt of something else."""
        digest, _, data = saved.partition(":")
        if digest == _digest(outlook):
            self.learnt = data


def _digest(outlook: object) -> str:
    return hashlib.sha256(repr(outlook).encode()).hexdigest()[:16]
