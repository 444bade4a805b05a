"""Keeps the dry references of a camera fresh while its gauge says that the road is dry."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lamppost.agent.sight.dry import LIGHTS, Reference, reference

if TYPE_CHECKING:
    from lamppost.agent.sight.scene import Scene
    from lamppost.agent.sight.water import Light

#: A reference is the most that so many dry looks showed: one headlight, one shadow stay known.
LOOKS, FEWEST = 6, 3
#: Seconds between two of them: the first ones come soon, then hours of the day are gathered.
SOON_S, APART_S = 60.0, 3600.0
#: What is older does not count any more.
OLDEST_S = 12 * 3600.0
#: A reference is written at most so often, to spare the card.
REFRESH_S = 6 * 3600.0

BY = "gauge"


class DryLearner:
    """Gathers the dry looks of one camera. ``model`` is the hash of the segmenter's file."""

    def __init__(self, model: str) -> None:
        self._model = model
        #: Seconds and map of each look.
        self._looks: dict[Light, deque[tuple[float, NDArray[np.uint8]]]] = {
            light: deque(maxlen=LOOKS) for light in LIGHTS
        }
        self._written: dict[Light, float] = {}

    def look(self, scene: Scene, known: Reference | None) -> Reference | None:
        """Take a dry scene with water; return a reference when it is time to write one.

        ``known`` is the one in use, from whomever.
        """
        assert scene.water is not None
        light, at_s = scene.water.light, scene.at.timestamp()
        looks = self._looks[light]
        while looks and not 0 <= at_s - looks[0][0] < OLDEST_S:
            looks.popleft()
        apart_s = APART_S if len(looks) == LOOKS else SOON_S
        if not looks or at_s - looks[-1][0] >= apart_s:
            looks.append((at_s, scene.water.wet))
        if len(looks) < FEWEST or self._is_fresh(light, at_s, known):
            return None
        self._written[light] = at_s
        return reference([wet for _, wet in looks], scene, BY, self._model)

    def _is_fresh(self, light: Light, at_s: float, known: Reference | None) -> bool:
        written = [self._written[light]] if light in self._written else []
        if known is not None and known.model == self._model:
            written.append(known.at.timestamp())
        return any(abs(at_s - when) < REFRESH_S for when in written)
