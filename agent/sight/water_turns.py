"""Which look at which camera sees water, too: seldom, in turn, and never two in a row while another waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from lamppost.agent.evidence.worker import Worker
from lamppost.agent.log import get_logger

if TYPE_CHECKING:
    from pathlib import Path

    from lamppost.agent.sight.scene import Scene
    from lamppost.agent.sight.water_eye import WaterEye
    from lamppost.models.segmenter import Segmenter

log = get_logger()

#: A segmenter that could not be loaded is tried again after so long: somebody may have put it there.
RETRY_S = 60.0
#: Frames come a little early or late; the pace holds all the same.
SLACK_S = 0.05


class WaterTurns:
    """The water of all cameras. ``load`` is called at the first look that a rule wants water of.

    ``folder`` is where dry references stand (None: nowhere), ``every_s`` how often a camera is looked at.
    """

    def __init__(
        self, load: Callable[[], Segmenter], folder: Path | None = None, every_s: float = 2.0
    ) -> None:
        self._load = load
        self._folder = folder
        self.every_s = every_s
        #: Cameras that rules want water of.
        self.wanted: Collection[str] = ()
        #: Why water is not seen; empty while it is.
        self.problem = ""
        self._segment: Segmenter | None = None
        self._retry_at = 0.0
        self._eyes: dict[str, WaterEye] = {}
        self._last: dict[str, float] = {}
        self._owed: set[str] = set()
        self._turn: str | None = None
        self._keeper = Worker("dry-references")

    def turn(self, device: str, at_s: float, waiting: Collection[str] = ()) -> WaterEye | None:
        """Return what this look at ``device`` sees water with; None if it is to see none.

        ``waiting`` are other cameras with a frame. A look that has waited for one segmentation waits for no
        second one, and no camera is due twice before another was once. May load the model; blocks for it.
        """
        if device not in self.wanted or not self._due(device, at_s):
            return None
        self._owed.intersection_update([*waiting, device])
        last = self._last.get(device, float("-inf"))
        before = [name for name in waiting if name != device and name in self.wanted]
        if self._owed or any(self._last.get(name, float("-inf")) < last for name in before):
            return None
        eye = self._eye(device)
        if eye is not None:
            self._last[device] = at_s
            self._turn = device
        return eye

    def looked(self, device: str, waiting: Collection[str]) -> None:
        """Take note that a look ended; ``waiting`` are the cameras whose frames came meanwhile or before."""
        self._owed.discard(device)
        if self._turn == device:
            self._turn, self._owed = None, set(waiting)

    def _due(self, device: str, at_s: float) -> bool:
        last = self._last.get(device)
        return last is None or not -SLACK_S <= at_s - last < self.every_s - SLACK_S

    def _eye(self, device: str) -> WaterEye | None:
        if (eye := self._eyes.get(device)) is not None:
            return eye
        from lamppost.agent.sight.dry import DryFolder  # noqa: PLC0415 - numpy only with a camera
        from lamppost.agent.sight.water_eye import WaterEye  # noqa: PLC0415

        if self._segment is None and not self._ready():
            return None
        assert self._segment is not None
        folder = None if self._folder is None else DryFolder(self._folder)
        eye = self._eyes[device] = WaterEye(self._segment, device, folder)
        return eye

    def _ready(self) -> bool:
        if time.monotonic() < self._retry_at:
            return False
        try:
            self._segment = self._load()
        except Exception as error:  # noqa: BLE001 - whatever the model does, detections go on
            self._retry_at = time.monotonic() + RETRY_S
            if self.problem != str(error):
                self.problem = str(error)
                log.error("no water is seen", reason=self.problem)
            return False
        self.problem = ""
        return True

    def remove(self, device: str) -> None:
        """Forget a camera."""
        self._eyes.pop(device, None)
        self._last.pop(device, None)
        self._owed.discard(device)

    def learn(self, scene: Scene) -> None:
        """Take a scene of a road that is dry for certain: it may become the camera's dry reference."""
        eye = self._eyes.get(scene.device)
        made = None if eye is None else eye.learn(scene)
        if made is None or scene.water is None or self._folder is None:
            return
        from lamppost.agent.sight.dry import DryFolder  # noqa: PLC0415

        put = DryFolder(self._folder).put
        self._keeper.submit(_keep, put, scene.device, scene.water.light, made, scene.image)

    def end(self) -> None:
        """Let what is being written be written."""
        self._keeper.end()

    def as_json(self) -> dict[str, Any]:
        """Return the state for the status file; ``cameras`` those that water was seen of."""
        return {
            "problem": self.problem,
            "cameras": {name: eye.as_json() for name, eye in list(self._eyes.items()) if name in self.wanted},
        }


def _keep(put: Callable[..., Path], camera: str, *made: Any) -> None:
    """Write a reference; runs on the keeper's thread. One that cannot be written is used until the end."""
    try:
        put(camera, *made)
    except OSError as error:
        log.warning("the dry reference cannot be kept over a restart", device=camera, reason=str(error))
