"""What a person at the box may look at: cameras while somebody wants them, the last events with evidence.

Whoever wants to see a camera makes ``window/CAMERA.want`` in the run directory and touches it every few
seconds; the agent then keeps ``window/CAMERA.jpg`` fresh, whose modification time is that of the picture.
While nobody wants it, it costs nothing, and the camera is read once for all: many allow one stream only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamppost.agent.log import get_logger
from lamppost.agent.rundir import write_whole
from lamppost.agent.tail import event_record

if TYPE_CHECKING:
    from lamppost.agent.engine import Raised
    from lamppost.drivers.api import Frame

log = get_logger()

FOLDER = "window"
EVENTS = "events.json"
WANT, PICTURE = ".want", ".jpg"
#: A wish that nobody renews is over after so long.
WANTED_S = 10.0
#: Pictures of a camera at most so often, and so wide: the run directory is memory.
EVERY_S, LONGEST_SIDE, QUALITY = 0.5, 960, 80
#: Evidence is at most 60 kB a picture.
EVENTS_KEPT, PICTURES_KEPT = 30, 24


class Window:
    """Writes whole files only. What cannot be written is told once, and costs nobody anything else."""

    def __init__(self, run_dir: Path) -> None:
        self._folder = run_dir / FOLDER
        self._wanted: frozenset[str] = frozenset()
        self._drawn: dict[str, float] = {}
        self._busy: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._events: deque[dict[str, Any]] = deque(maxlen=EVENTS_KEPT)
        self._pictures: deque[Path] = deque()
        self._failed = False

    def open(self) -> None:
        """Make the folder and remove what an earlier run left. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # Pictures of a street are for the folder's owner and group.
        self._folder.chmod(0o770)
        for path in self._folder.iterdir():
            if path.suffix != WANT:
                path.unlink(missing_ok=True)

    def look(self) -> None:
        """Find out which cameras somebody wants to see; called about once a second."""
        now = time.time()
        try:
            wishes = [entry for entry in os.scandir(self._folder) if entry.name.endswith(WANT)]
        except OSError:
            return
        wanted = set()
        for entry in wishes:
            with contextlib.suppress(OSError):
                # A clock that is set makes a wish look old or new for a moment: it is renewed at once.
                if abs(now - entry.stat().st_mtime) < WANTED_S:
                    wanted.add(entry.name.removesuffix(WANT))
        for name in self._wanted - wanted:
            (self._folder / f"{name}{PICTURE}").unlink(missing_ok=True)
        self._wanted = frozenset(wanted)

    def show(self, frame: Frame) -> None:
        """Take a camera's newest frame; it is drawn if somebody wants it and the last one is done."""
        name = frame.device
        if name not in self._wanted or name in self._busy:
            return
        now = time.monotonic()
        if now - self._drawn.get(name, 0.0) < EVERY_S - 0.05:
            return
        self._drawn[name] = now
        self._busy.add(name)
        task = asyncio.create_task(self._draw(frame), name=f"window {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _draw(self, frame: Frame) -> None:
        try:
            jpeg = await asyncio.to_thread(as_jpeg, frame.image)
            self._put(self._folder / f"{frame.device}{PICTURE}", jpeg, frame.at.timestamp())
        finally:
            self._busy.discard(frame.device)

    def tell(self, raised: Sequence[Raised]) -> None:
        """Keep events, and the pictures that they name."""
        for one in raised:
            evidence = [{"n": p.number, "moment": p.moment, "sha256": p.sha256} for p in one.event.evidence]
            self._events.append({**event_record(one.event), "evidence": evidence})
            if one.exhibit is None:
                continue
            for number, jpeg in one.exhibit.complete(one.event)[1]:
                path = self._folder / f"{one.event.id}-{number}{PICTURE}"
                if path not in self._pictures:
                    self._pictures.append(path)
                self._put(path, jpeg, one.event.at.timestamp())
        while len(self._pictures) > PICTURES_KEPT:
            self._pictures.popleft().unlink(missing_ok=True)
        self._attempt(
            lambda: write_whole(self._folder / EVENTS, json.dumps(list(self._events), ensure_ascii=False))
        )

    def _put(self, path: Path, content: bytes, at: float) -> None:
        fresh = path.with_name(f".{path.name}.new")

        def write() -> None:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "wb") as file:
                file.write(content)
            os.utime(fresh, (at, at))
            fresh.replace(path)

        self._attempt(write)

    def _attempt(self, write: Any) -> None:
        try:
            write()
        except OSError as error:
            if not self._failed:
                log.warning("nothing to look at", folder=str(self._folder), reason=str(error))
            self._failed = True
        else:
            self._failed = False


def as_jpeg(image: Any) -> bytes:
    """Return a picture (H, W, 3) as a JPEG of moderate size."""
    import cv2  # noqa: PLC0415 - only with a camera that somebody looks at

    scale = LONGEST_SIDE / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
