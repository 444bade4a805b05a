"""Whether a dry reference is of what the camera shows now, and where in its picture that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamppost.agent.sight.dry import LIGHTS, DryError, DryFolder, Reference
from lamppost.agent.sight.water import Light
from lamppost.models.view import displacement, moved, shrunk

#: A fitting reference is held against the picture again after so long.
AGAIN_S = 60.0
#: So many pictures in a row that do not fit: it is another view, no passing bus.
MISSES = 5
#: Width by height may differ by so much: a camera's streams round differently.
ASPECT = 0.03


@dataclass(eq=False)
class _Held:
    """One light's reference. ``fitted`` is its map in the camera's reference view, once they fit."""

    stamp: tuple[int, int] | None = None
    reference: Reference | None = None
    fitted: NDArray[np.uint8] | None = None
    problem: str = ""
    misses: int = 0
    checked_at: float = 0.0


class DryFit:
    """The dry references of one camera as it stands now. ``model`` is the hash of the segmenter in use."""

    def __init__(self, folder: DryFolder | None, camera: str, model: str) -> None:
        self._folder = folder
        self._camera = camera
        self._model = model
        self._held = {light: _Held() for light in LIGHTS}

    def use(self, light: Light, made: Reference) -> None:
        """Take a reference; one that is written to the folder later goes before it."""
        self._held[light] = _Held(self._held[light].stamp, made)

    def known(self, light: Light) -> Reference | None:
        """Return the reference of a light, whether it fits or not."""
        return self._held[light].reference

    def look(
        self, light: Light, grey: NDArray[np.uint8], size: tuple[int, int], at_s: float
    ) -> NDArray[np.uint8] | None:
        """Return the map of a dry road in this light; None if there is none of what ``grey`` (H, W) shows."""
        held = self._newest(light)
        if held.reference is None:
            return None
        if held.fitted is None or not 0 <= at_s - held.checked_at < AGAIN_S:
            held.checked_at = at_s
            self._check(held, light, grey, size)
        return held.fitted

    def _newest(self, light: Light) -> _Held:
        held = self._held[light]
        if self._folder is None:
            return held
        stamp = self._folder.stamp(self._camera, light)
        if stamp is None or stamp == held.stamp:
            return held
        held = self._held[light] = _Held(stamp)
        try:
            held.reference = self._folder.load(self._camera, light)
        except DryError as error:
            held.problem = str(error)
        return held

    def _check(self, held: _Held, light: Light, grey: NDArray[np.uint8], size: tuple[int, int]) -> None:
        made = held.reference
        assert made is not None
        again = f"say again when it is dry: lamppost camera dry {self._camera}"
        if made.model != self._model:
            held.problem = f"the dry reference by {light} was made with another model of water; {again}"
            return
        aspects = [width / height for width, height in (made.size, size)]
        if abs(aspects[0] / aspects[1] - 1) > ASPECT:
            shapes = " and the picture ".join(f"{width}x{height}" for width, height in (made.size, size))
            held.problem, held.fitted = f"the dry reference by {light} has {shapes}; {again}", None
            return
        by = displacement(made.view, shrunk(grey))
        if by is not None:
            held.fitted, held.misses, held.problem = moved(made.wet, by.dx, by.dy), 0, ""
            return
        held.misses += 1
        if held.misses >= MISSES:
            held.fitted = None
            held.problem = f"the dry reference by {light} shows another view than the camera; {again}"

    def problem(self, light: Light) -> str:
        """Return why there is no reference of a light that can be used; empty if there is one."""
        held = self._held[light]
        if held.reference is None and not held.problem:
            return f"no dry reference by {light}; when the road is dry: lamppost camera dry {self._camera}"
        return held.problem

    def as_json(self) -> dict[str, Any]:
        """Return for each light when and by whom it was said to be dry, for the status file."""
        return {
            light: None
            if held.reference is None
            else {
                "at": held.reference.at.isoformat(timespec="seconds"),
                "by": held.reference.by,
                "fits": held.fitted is not None,
            }
            for light, held in self._held.items()
        }
