"""Looks at the water on the road of one camera: the map, its light, and what is known to be dry."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lamppost.agent.sight.dry_fit import DryFit
from lamppost.agent.sight.dry_learner import DryLearner
from lamppost.agent.sight.light import LightJudge
from lamppost.agent.sight.water import Water
from lamppost.models.segmenter import Segmenter
from lamppost.models.view import Shift, moved

if TYPE_CHECKING:
    from lamppost.agent.sight.dry import DryFolder, Reference
    from lamppost.agent.sight.scene import Scene


class WaterEye:
    """One camera's; the segmenter is shared by all. Not for two threads at once."""

    def __init__(self, segment: Segmenter, camera: str, folder: DryFolder | None = None) -> None:
        self._segment = segment
        self.model = segment.manifest.sha256
        self._threshold = max(1, round(segment.threshold * 255))
        self._light = LightJudge()
        self.fit = DryFit(folder, camera, self.model)
        self._learner = DryLearner(self.model)
        #: Looks so far.
        self.count = 0

    def look(
        self,
        image: NDArray[np.uint8],
        grey: NDArray[np.uint8],
        shift: Shift,
        at: datetime,
    ) -> Water:
        """Return what ``image`` (H, W, 3) shows, in the view that ``grey`` is in. Raises `ModelError`."""
        wet = self._segment(image)
        light = self._light.look(image, at.timestamp())
        if shift.dx or shift.dy:
            wet = moved(wet, -shift.dx, -shift.dy)
        size = image.shape[1], image.shape[0]
        dry = self.fit.look(light, grey, size, at.timestamp())
        if dry is not None and dry.shape != wet.shape:
            dry = None  # a map of another size is of another model, and `fit` says so
        self.count += 1
        return Water(wet, self._threshold, light, dry)

    def learn(self, scene: Scene) -> Reference | None:
        """Take a scene that is dry for certain; return the reference that is due to be written, if one is."""
        if scene.water is None:
            return None
        light = scene.water.light
        made = self._learner.look(scene, self.fit.known(light))
        if made is not None:
            self.fit.use(light, made)
        return made

    def as_json(self) -> dict[str, Any]:
        """Return the state for the status file."""
        light = self._light.light
        return {
            "looks": self.count,
            "light": light,
            "dry": self.fit.as_json(),
            "problem": self.fit.problem(light) if light is not None else "",
        }
