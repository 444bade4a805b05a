"""Frames out of a stream of bytes, whatever stands between them. Pure.

A frame that follows another one directly is in step. Any other may be a false one that begins in noise
and ends in the true one behind it, so the search goes on inside it: what is found there counts too if it is
plausible. So a frame is never lost to the noise before it, and a stream in step is never misread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from lamppost.drivers.serial.judge import MORE, SPOILT, judge
from lamppost.drivers.serial.layout import Framing

Kind = Literal["noise", "checksum", "truncated"]
#: Bytes of noise that are shown, and how many are counted as one fault at most.
SHOWN, ONE_FAULT = 12, 1024


class Fault(NamedTuple):
    """A stretch of bytes that are no frame."""

    kind: Kind
    detail: str


def _any(_frame: bytes) -> bool:
    return True


class Framer:
    """Cuts a stream into frames. What `feed` returns does not depend on how the stream was split.

    ``plausible`` says whether a frame holds values that can be; it is asked only where frames overlap.
    ``secret`` keeps the bytes themselves out of the faults.
    """

    def __init__(
        self, framing: Framing, plausible: Callable[[bytes], bool] = _any, *, secret: bool = False
    ) -> None:
        self._framing = framing
        self._plausible = plausible
        self._secret = secret
        self._buffer = bytearray()
        #: Where the search goes on, and where the newest frame ended: bytes between are noise.
        self._at = self._end = 0
        self._in_step = False
        self._cut = False
        self._run = bytearray()
        self._run_size = 0
        self._run_kind: Kind = "noise"
        self._faults: list[Fault] = []
        #: Frames found, and bytes that belonged to none.
        self.frames = 0
        self.noise_bytes = 0

    @property
    def waiting(self) -> int:
        """Bytes that may become a frame yet."""
        return len(self._buffer) - self._at

    def joined(self) -> None:
        """The port was opened, perhaps in the middle of a frame: no fault is made of its rest."""
        self._cut = True

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; return the frames that they complete."""
        self._buffer += data
        return self._search(final=False)

    def silence(self) -> list[bytes]:
        """The line fell silent: give up on what is incomplete; return the frames behind false beginnings."""
        frames = self._search(final=True)
        self._forget(len(self._buffer))
        self._told()
        self._in_step = self._cut = False
        return frames

    def take_faults(self) -> list[Fault]:
        """Return the faults since the last call."""
        faults, self._faults = self._faults, []
        return faults

    def _search(self, *, final: bool) -> list[bytes]:
        frames: list[bytes] = []
        while (at := self._beginning(final=final)) is not None:
            size = judge(self._framing, self._buffer, at)
            if size > 0:
                self._found(at, size, frames)
            elif size == MORE and not final:
                self._at = at
                break
            else:
                self._refused(at, "checksum" if size == SPOILT else "truncated" if size == MORE else "noise")
        self._forget(min(self._at, len(self._buffer)))
        return frames

    def _beginning(self, *, final: bool) -> int | None:
        """Return where the next frame may begin; None if nowhere yet."""
        buffer, start = self._buffer, self._framing.start
        if self._at >= len(buffer):
            return None
        if not start:
            return self._at
        at = buffer.find(start, self._at)
        if at >= 0:
            return at
        begun, self._at = self._at, len(buffer)
        if not final:
            for size in range(min(len(start) - 1, len(buffer) - begun), 0, -1):
                if buffer.endswith(start[:size]):
                    self._at = len(buffer) - size
                    break
        return None

    def _found(self, at: int, size: int, frames: list[bytes]) -> None:
        frame = bytes(self._buffer[at : at + size])
        overlaps = at < self._end
        if overlaps and not self._plausible(frame):
            self._at = at + 1
            return
        follows = self._in_step and at == self._end
        if self._cut and not self._framing.start and self._framing.check is None:
            self._cut = False  # its beginning may be missing, and nothing would tell
        else:
            frames.append(frame)
            self.frames += 1
        if not overlaps:
            self._noise(self._end, at)
            self._told()
        whole_line = self._framing.kind == "line" and self._framing.check is None
        self._end = at + size
        self._at = self._end if follows or whole_line else at + 1
        self._in_step, self._cut = True, False

    def _refused(self, at: int, kind: Kind) -> None:
        if at >= self._end and self._run_kind == "noise":
            self._run_kind = kind
        self._at = at + 1

    def _forget(self, until: int) -> None:
        """Drop the bytes before ``until``; those behind the newest frame are noise."""
        self._noise(self._end, until)
        del self._buffer[:until]
        self._at = max(0, self._at - until)
        self._end = max(0, self._end - until)

    def _noise(self, begin: int, end: int) -> None:
        size = end - begin
        if size <= 0:
            return
        self._in_step = False
        self._run += self._buffer[begin : min(end, begin + max(0, SHOWN - len(self._run)))]
        self._run_size += size
        self.noise_bytes += size
        self._end = end
        if self._run_size >= self._framing.longest:
            self._cut = False  # more than the rest of one frame
        if self._run_size >= ONE_FAULT:
            self._told()

    def _told(self) -> None:
        """Make one fault of the noise so far."""
        if self._run_size and not self._cut:
            self._faults.append(Fault(self._run_kind, self._words()))
            del self._faults[:-100]
        self._run.clear()
        self._run_size, self._run_kind = 0, "noise"

    def _words(self) -> str:
        what = {
            "noise": "that are no frame",
            "checksum": "with a wrong checksum",
            "truncated": "of a frame that broke off",
        }[self._run_kind]
        more = " …" if self._run_size > len(self._run) else ""
        shown = "" if self._secret else f" ({self._run.hex(' ')}{more})"
        return f"{self._run_size} bytes {what}{shown}"
