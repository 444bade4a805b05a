"""Streams of serial bytes as tests make them: noise that imitates frames, and any split."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from lamppost.drivers.serial.framer import Framer
from lamppost.drivers.serial.layout import Framing

cuts = st.lists(st.integers(0, 600), max_size=8)


def noise(framing: Framing, most: int = 8) -> st.SearchStrategy[bytes]:
    """Return noise that knows the frames' own bytes, so that it makes false beginnings; ``most`` pieces."""
    marks = [bytes((b,)) for b in framing.start + framing.tail + bytes(framing.marks.values())]
    known = [*marks, framing.start, b"\xff", b"\0", b"1", b"01", b"\x01"]
    piece = st.one_of(st.binary(max_size=6), st.sampled_from(known))
    return st.lists(piece, max_size=most).map(b"".join)


def split(stream: bytes, at: list[int]) -> list[bytes]:
    """Return a stream in pieces."""
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in at)})
    return [stream[a:b] for a, b in pairwise(edges)]


def frames_of(framing: Framing, stream: bytes, at: list[int]) -> list[bytes]:
    """Return the frames of a stream that comes in pieces."""
    framer = Framer(framing)
    found = [frame for piece in split(stream, at) for frame in framer.feed(piece)]
    return found + framer.silence()
