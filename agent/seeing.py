"""What of a box has to do with pictures: sight, evidence, and the roads that rules know to be dry."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lamppost.agent.engine import Raised, state_key

if TYPE_CHECKING:
    from lamppost.agent.box import Box
    from lamppost.agent.config import Config, DeviceConfig
    from lamppost.agent.evidence.album import Album
    from lamppost.agent.sight.loop import Sight
    from lamppost.agent.sight.scene import Scene
    from lamppost.drivers.api import Frame


class Seeing:
    """Begins to look when the first rule wants what a camera sees; until then nothing heavy is imported."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self.sight: Sight | None = None
        self.album: Album | None = None
        self._task: asyncio.Task[None] | None = None
        self._viewed: set[str] = set()

    def entrance(self, device: DeviceConfig) -> Callable[[Frame], None] | None:
        """Return where a camera's frames go: to sight, if a rule looks at them."""
        zones = getattr(device.driver, "zones", None)
        if zones is None or not self._box.engine.looked_at(device.name):
            return None
        if self.sight is None:
            self.sight = self._open()
        self.sight.add(device.name, zones, getattr(device.driver, "lines", None))
        return self.sight.offer

    def _open(self) -> Sight:
        from lamppost.agent.evidence.album import Album  # noqa: PLC0415 - only with a camera
        from lamppost.agent.sight.loop import Sight  # noqa: PLC0415
        from lamppost.agent.sight.water_turns import WaterTurns  # noqa: PLC0415

        config = self._box.config
        self.album = Album(
            config.evidence,
            f"{config.node.site} / {config.node.id}",
            config.node.state_dir / "evidence",
            half_way=lambda: self._box.outbox.save({}),
        )
        water = WaterTurns(self._load_segmenter, config.dry_dir, config.sight.water_every_s)
        water.wanted = config.wanting("water")
        sight = Sight(self._load_detector, self._seen, lambda name: self._box.saved(_view(name)), water)
        self._task = asyncio.create_task(sight.run(), name="sight")
        return sight

    def _load_detector(self) -> Any:
        from lamppost.agent.sight.detector import detector  # noqa: PLC0415 - only with a camera

        return detector(self._box.config.sight, self._box.config.path)

    def _load_segmenter(self) -> Any:
        from lamppost.agent.sight.detector import segmenter  # noqa: PLC0415 - only where a rule wants water

        return segmenter(self._box.config.sight, self._box.config.path)

    def _seen(self, scene: Scene) -> None:
        box = self._box
        raised: Sequence[Raised] = box.engine.step(scene.device, [scene], box.now())
        if self.album is not None:
            raised = self.album.look(scene, box.engine.witnesses(scene.device), raised)
        if raised:
            box.outbox.events(raised)
        box.measured()
        if scene.water is None or self.sight is None or self.sight.water is None:
            return
        if scene.device in box.engine.dry():
            self.sight.water.learn(scene)

    def views(self, *, again: bool) -> dict[str, bytes]:
        """Return the cameras' reference views for the spool: those not saved yet, or ``again`` all."""
        if self.sight is None:
            return {}
        keys = {name: state_key(_view(name)) for name in self.sight.looks}
        views = {key: self.sight.view(name) for name, key in keys.items() if again or key not in self._viewed}
        found = {key: json.dumps(view).encode() for key, view in views.items() if view is not None}
        self._viewed.update(found)
        return found

    def remove(self, device: str) -> None:
        """Stop looking at a camera, whose view is saved."""
        if self.sight is not None:
            self._box.outbox.save(self.views(again=True))
            self.sight.remove(device)

    def reload(self, config: Config) -> None:
        """Go on with changed settings."""
        if self.album is not None:
            self.album.settings = config.evidence
            self.album.retain(config.rules)
        if self.sight is not None and self.sight.water is not None:
            self.sight.water.wanted = config.wanting("water")
            self.sight.water.every_s = config.sight.water_every_s

    def shift(self, seconds: float) -> None:
        """Move remembered times: the box's clock was set."""
        if self.album is not None:
            self.album.shift(seconds)

    async def stop(self) -> None:
        """Look no more, and keep the pictures of what may yet become an event."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=1.0)
        if self.album is not None:
            await self.album.close()
        if self.sight is not None and self.sight.water is not None:
            self.sight.water.end()


def _view(device: str) -> str:
    """Return the name under which a camera's reference view is saved."""
    return f"view/{device}"
