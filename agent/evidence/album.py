"""Takes the pictures that rules ask for, and holds them until what they show is an event, or is gone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamppost.agent.engine import Raised
from lamppost.agent.event import Missing
from lamppost.agent.evidence.captions import captions, remark
from lamppost.agent.evidence.drawing import Subject, draw
from lamppost.agent.evidence.exhibit import MOMENTS, Exhibit, Print, Taken, Work
from lamppost.agent.evidence.jpeg import UNKNOWN, Fit, encode
from lamppost.agent.evidence.shelf import Shelf
from lamppost.agent.evidence.worker import Worker
from lamppost.agent.log import get_logger
from lamppost.agent.rules.api import Shot, Witness

if TYPE_CHECKING:
    from lamppost.agent.config.model import EvidenceSettings
    from lamppost.agent.sight.scene import Scene

log = get_logger()

#: Held in memory, and on disk, at most: pictures of what has stood longest stay.
MOST, MOST_BYTES = 64, 4_000_000
#: So many may wait to be drawn, each with the camera's whole picture; more are asked for again.
MOST_WAITING = 16
#: A stay that began at another time than the one that is held is another one.
SAME_S = 1.0
CLOSE_S = 1.0

NOT_THEN = "the agent did not run then, or ended before it was kept"
NOT_SEEN = "it was not in full view in time"
NO_ROOM = "others had stood longer, and there is room for {most} pictures only"


@dataclass(eq=False)
class Held:
    """The pictures of one stay. ``since`` is unix seconds."""

    since: float
    taken: dict[str, Taken] = field(default_factory=dict)


class Album:
    """Pictures by rule and key. All methods belong to one thread; drawing and the disk have their own.

    ``place`` is what captions say of the box, ``folder`` where pictures outlive the agent (None: they do
    not), ``half_way`` is called when something has stood half of its time: its state is worth saving.
    """

    def __init__(
        self,
        settings: EvidenceSettings,
        place: str,
        folder: Path | None = None,
        *,
        half_way: Callable[[], None] = lambda: None,
        most: int = MOST,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.settings = settings
        self._place = place
        self._half_way = half_way
        self._most, self._most_bytes = most, most_bytes
        self._shelf = None if folder is None else Shelf(folder)
        self._held: dict[tuple[str, str], Held] = {}
        self._first_look: dict[str, float] = {}
        self._drawer, self._keeper = Worker("evidence"), Worker("evidence-disk")
        self._failing = False
        self._fits: dict[str, Fit] = {}  # the drawing thread's own
        self._waiting: list[Work] = []
        #: Counts since the start.
        self.figures = {"taken": 0, "failed": 0, "no_room": 0, "dropped": 0}
        if self._shelf is not None:
            self._restore(self._shelf)

    def _restore(self, shelf: Shelf) -> None:
        for stored in shelf.load(self._most, self._most_bytes):
            work: Future[Print | str] = Future()
            work.set_result(stored.print)
            held = self._held.setdefault((stored.rule, stored.key), Held(stored.since))
            held.taken[stored.print.moment] = Taken(stored.print.moment, work, kept=True)

    # -- what the rules ask for

    def look(
        self, scene: Scene, witnesses: Mapping[str, Witness], raised: Sequence[Raised]
    ) -> Sequence[Raised]:
        """Take the pictures that ``witnesses`` (by rule) ask for of the scene that they were just given.

        Return what was raised, each open event with its pictures. Never raises: no event may be lost for
        want of a picture. Costs the caller some microseconds.
        """
        if not self.settings.pictures:
            return raised
        try:
            return self._look(scene, witnesses, raised)
        except Exception:
            log.exception("no pictures", device=scene.device)
            return raised

    def _look(
        self, scene: Scene, witnesses: Mapping[str, Witness], raised: Sequence[Raised]
    ) -> Sequence[Raised]:
        self._first_look.setdefault(scene.device, scene.at.timestamp())
        exhibits: dict[str, Exhibit] = {}
        notes = {one.event.id: remark(one.event.measures) for one in raised}
        for rule, witness in witnesses.items():
            shots = witness.shots()
            for shot in shots:
                if shot.moment == "alarm":
                    exhibits[shot.event] = self._exhibit(rule, shot, scene, notes.get(shot.event, ""))
            pending = set(witness.pending())
            for name in [n for n in self._held if n[0] == rule and n[1] not in pending]:
                self._forget(name)
            for shot in shots:
                if shot.moment != "alarm":
                    self._take(rule, shot, scene)
        return [
            one._replace(exhibit=exhibits[one.event.id]) if one.event.id in exhibits else one
            for one in raised
        ]

    def _take(self, rule: str, shot: Shot, scene: Scene) -> None:
        since, name = shot.since.timestamp(), (rule, shot.key)
        held = self._held.get(name)
        if held is not None and abs(held.since - since) > SAME_S:
            self._forget(name)
            held = None
        if held is not None and shot.moment in held.taken:
            return
        self._waiting = [work for work in self._waiting if not work.done()]
        if len(self._waiting) >= MOST_WAITING or not self._make_room(since):
            return
        if held is None:
            held = self._held[name] = Held(since)
        held.taken[shot.moment] = self._draw(shot, scene)
        if shot.moment == "half-way":
            self._keep(name, held)
            self._half_way()

    def _exhibit(self, rule: str, shot: Shot, scene: Scene, note: str) -> Exhibit:
        name, since = (rule, shot.key), shot.since.timestamp()
        held = self._held.pop(name, None)
        taken = held.taken if held is not None and abs(held.since - since) <= SAME_S else {}
        taken = {**taken, "alarm": self._draw(shot, scene, note)}
        reason = NOT_THEN if since < self._first_look[scene.device] else NOT_SEEN
        if held is None and self._is_full():
            reason = NO_ROOM.format(most=self._most)
        wanted = [taken.get(m) or Missing(n, m, reason) for n, m in enumerate(MOMENTS, 1)]
        return Exhibit(wanted, partial(self._put_away, name, held))

    def _draw(self, shot: Shot, scene: Scene, note: str = "") -> Taken:
        subject = Subject(
            scene.image,
            (scene.shift.dx, scene.shift.dy),
            shot.box,
            scene.zones.get(shot.zone, ()),
            scene.detections,
            captions(self._place, shot, scene, note),
            shot.outline,
        )
        self.figures["taken"] += 1
        work = self._drawer.submit(self._made, subject, shot.moment, scene, self.settings)
        self._waiting.append(work)
        return Taken(shot.moment, work)

    def _made(self, subject: Subject, moment: str, scene: Scene, settings: EvidenceSettings) -> Print | str:
        """Draw; runs on the drawing thread."""
        try:
            width = min(subject.image.shape[1], settings.max_width)
            jpeg, self._fits[scene.device] = encode(
                lambda wide: draw(subject, wide, settings.blur),
                width,
                settings.max_kb * 1000,
                self._fits.get(scene.device, UNKNOWN),
            )
        except Exception as error:  # a picture must not end the thread that draws the next
            if not self._failing:
                log.exception("a picture cannot be drawn")
            self._failing = True
            self.figures["failed"] += 1
            return f"it could not be drawn: {error}"
        self._failing = False
        return Print(moment, scene.at, jpeg, hashlib.sha256(jpeg).hexdigest())

    # -- what is held

    def _size(self, held: Held) -> int:
        largest = self.settings.max_kb * 1000
        return sum(largest if one.print is None else len(one.print.jpeg) for one in held.taken.values())

    def _is_full(self) -> bool:
        count = sum(len(held.taken) for held in self._held.values())
        size = sum(map(self._size, self._held.values())) + self.settings.max_kb * 1000
        return count >= self._most or size > self._most_bytes

    def _make_room(self, since: float) -> bool:
        """Drop pictures of what stands since later than ``since`` until one more fits; say if it does."""
        while self._is_full():
            name = max(self._held, key=lambda name: self._held[name].since)
            if self._held[name].since <= since:
                self.figures["no_room"] += 1
                return False
            self.figures["dropped"] += len(self._held[name].taken)
            self._forget(name)
        return True

    def _forget(self, name: tuple[str, str]) -> None:
        self._put_away(name, self._held.pop(name))

    def _put_away(self, name: tuple[str, str], held: Held | None) -> None:
        """Remove what the disk has of pictures that are needed no more."""
        if self._shelf is not None and held is not None and any(one.kept for one in held.taken.values()):
            self._keeper.submit(self._shelf.remove, *name)

    def retain(self, rules: Iterable[str]) -> None:
        """Forget the pictures of all other rules: they run no more."""
        kept = set(rules)
        for name in [name for name in self._held if name[0] not in kept]:
            self._forget(name)

    def shift(self, seconds: float) -> None:
        """Move all remembered times: the box's clock was set. What is drawn in a picture stays."""
        self._first_look = {device: at + seconds for device, at in self._first_look.items()}
        for name, held in self._held.items():
            held.since += seconds
            for one in held.taken.values():
                one.moved_s += seconds
            if any(one.kept for one in held.taken.values()) and self._shelf is not None:
                self._keeper.submit(self._shelf.remove, *name)
                self._keep(name, held)

    # -- through a restart

    def _keep(self, name: tuple[str, str], held: Held) -> None:
        """Write what is held of one key, as soon as it is drawn."""
        if self._shelf is None:
            return
        for one in held.taken.values():
            one.kept = True
            self._keeper.submit(_keep, self._shelf, name, held.since, one)

    async def close(self, within_s: float = CLOSE_S) -> None:
        """Write what an orderly end would lose; give a disk that hangs up after a while."""
        if self._shelf is not None:
            for name, held in self._held.items():
                if not all(one.kept for one in held.taken.values()):
                    self._keep(name, held)
            last = asyncio.wrap_future(self._keeper.submit(lambda: None))
            await asyncio.wait([last], timeout=within_s)
        self._drawer.end()
        self._keeper.end()

    def as_json(self) -> dict[str, Any]:
        """Return the figures for the status file."""
        held = sum(len(held.taken) for held in self._held.values())
        return {"held": held, "held_bytes": sum(map(self._size, self._held.values())), **self.figures}


def _keep(shelf: Shelf, name: tuple[str, str], since: float, taken: Taken) -> None:
    """Write one picture; runs on the disk's thread, and waits for the one that draws."""
    made = taken.work.result()
    if isinstance(made, Print):
        shelf.put(*name, since, made)
