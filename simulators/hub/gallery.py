"""Pictures against what events say of them: which fit, which are missing, altered, or of no event."""

from __future__ import annotations

from typing import NamedTuple

from lamppost.simulators.hub.letters import EventLetter, Node, PictureLetter


class Name(NamedTuple):
    """What a picture is named by."""

    node: Node
    event: str
    number: int


class Gallery:
    """All pictures and all announcements of pictures that came, in any order."""

    def __init__(self, *, keep: bool = False) -> None:
        self._keep = keep
        self._announced: dict[Name, str] = {}
        #: The pictures by name; their JPEG only if they are kept.
        self.pictures: dict[Name, PictureLetter] = {}

    def announce(self, letter: EventLetter) -> None:
        """Note which pictures an event names."""
        for entry in letter.evidence:
            self._announced[Name(letter.node, letter.id, int(entry["n"]))] = str(entry["sha256"])

    def has(self, letter: PictureLetter) -> bool:
        """Whether just this picture has come before."""
        known = self.pictures.get(Name(letter.node, letter.event, letter.number))
        return known is not None and known.sha256 == letter.sha256

    def add(self, letter: PictureLetter) -> None:
        """Take a picture."""
        if not self._keep:
            letter.jpeg = b""
        self.pictures[Name(letter.node, letter.event, letter.number)] = letter

    def matched(self) -> list[Name]:
        """Return the pictures whose hash is the one that their event names."""
        return [name for name, sha256 in self._announced.items() if self._sha256(name) == sha256]

    def missing(self) -> list[Name]:
        """Return the pictures that an event names and that have not come."""
        return [name for name in self._announced if name not in self.pictures]

    def altered(self) -> list[Name]:
        """Return the pictures with another hash than their event names."""
        return [name for name, sha256 in self._announced.items() if self._sha256(name) not in ("", sha256)]

    def orphaned(self) -> list[Name]:
        """Return the pictures that no event names."""
        return [name for name in self.pictures if name not in self._announced]

    def _sha256(self, name: Name) -> str:
        picture = self.pictures.get(name)
        return "" if picture is None else picture.sha256
