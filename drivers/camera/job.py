"""What the driver and the process that reads the camera say to each other.

The driver writes one line, the `Job`, and then one byte `NEXT` for each picture that it wants; the end of
this pipe ends the process. The process answers in lines of JSON, each with the key ``say``:

| say | with |
|---|---|
| started | nothing more: the camera is opened from now on |
| opened | width, height, fps (0: unknown), codec |
| frame | width, height, seq, at: the picture stands in the shared memory until the next `NEXT` |
| picture | state, detail, sure (0..1), at: how the picture is (see `picture`): each change, and every 10 s |
| memory | data: what the next process must know to judge the picture |
| fault | kind, detail: something that was survived |
| error | kind, detail, retry: the last line; the process ends |

Only the two ask and answer: the memory belongs to the process between `NEXT` and ``frame`` and to the driver
from ``frame`` to `NEXT`, so no picture can be torn and none can queue.
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

NEXT: Final = b"n"
#: Longest line in either direction, in bytes.
LONGEST_LINE: Final = 1 << 18


class Job(NamedTuple):
    """What to read and how. Travels by pipe only: it holds the password."""

    kind: str
    address: str
    username: str | None
    password: str | None
    fps: float
    max_width: int
    max_height: int
    open_timeout_s: float
    read_timeout_s: float
    realtime: bool
    loop: bool
    frozen_s: float
    memory: str

    def __repr__(self) -> str:
        return f"Job({self.kind} {self.address})"

    def line(self) -> bytes:
        """Return the job as one line."""
        return json.dumps(self._asdict()).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Job:
        """Read what `line` wrote."""
        return cls(**json.loads(line))


def fitting(width: int, height: int, max_width: int, max_height: int) -> tuple[int, int]:
    """Return the size of a picture scaled down, never up, into the limits; the aspect is kept."""
    scale = min(1.0, max_width / width, max_height / height)
    return max(1, min(max_width, round(width * scale))), max(1, min(max_height, round(height * scale)))
