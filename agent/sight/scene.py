"""What one look at one picture gives to the rules."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.agent.log import get_logger
from lamppost.agent.sight.water import Water
from lamppost.drivers.api import Frame
from lamppost.models.detections import Detections
from lamppost.models.exposure import brightened, levels
from lamppost.models.view import Shift, View, moved

if TYPE_CHECKING:
    from lamppost.agent.sight.water_eye import WaterEye

log = get_logger()

Zones = Mapping[str, Sequence[tuple[float, float]]]
Lines = Zones

#: Width of the grey picture that places are compared in: a far car still has a dozen pixels.
GREY_WIDTH = 320
#: A picture whose blocks (columns, rows) all differ by no more grey levels from the last one looked into
#: is not looked into again, but for so long only. Half a far car changes its block by ten.
BLOCKS, UNCHANGED, REST_S = (40, 24), 2, 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One look: ``detections`` and ``grey`` (H, W) are in the camera's reference view.

    ``image`` is the picture (H, W, 3) as it came, for evidence; ``shift`` how far it had moved.
    ``water`` is None where no rule wants it, and at the looks in between: water changes slowly.
    """

    device: str
    at: datetime
    seq: int
    image: NDArray[np.uint8]
    grey: NDArray[np.uint8]
    detections: Detections
    zones: Zones
    shift: Shift
    lines: Lines = field(default_factory=dict)
    water: Water | None = None


class _Known(NamedTuple):
    """The last picture that the detector saw: its blocks, when, and what was in it."""

    blocks: NDArray[np.int16]
    at: float
    detections: Detections


class Eye:
    """Looks at the frames of one camera. ``detect`` is a detector of `lamppost.models`."""

    def __init__(self, detect: Any, zones: Zones, lines: Lines | None = None) -> None:
        self._detect = detect
        self._zones = zones
        self._lines = lines or {}
        self._view = View()
        self._known: _Known | None = None
        #: Looks that needed no inference, because nothing had changed.
        self.rested = 0

    def save(self) -> dict[str, Any] | None:
        """Return the reference view as JSON values, if there is one: stays are remembered in it."""
        view = self._view.save()
        return view and {"of": self._drawn(), **view}

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on in a saved view, unless zones or lines have been drawn anew since."""
        if saved.get("of") != self._drawn():
            return
        try:
            self._view.restore(saved)
        except (KeyError, TypeError, ValueError, zlib.error):
            log.warning("a saved view cannot be read: the next picture is the reference")

    def _drawn(self) -> str:
        drawn = repr((sorted(self._zones.items()), sorted(self._lines.items())))
        return hashlib.sha256(drawn.encode()).hexdigest()[:16]

    def look(self, frame: Frame, water: WaterEye | None = None) -> Scene:
        """Return what is to be seen, with ``water`` the road's water, too.

        Costs one inference of each model at most; blocks the calling thread for it.
        """
        image = frame.image
        grey = _grey(image)
        found = levels(grey)
        if found.poor:
            image = brightened(image, found)
            grey = _grey(image)
        shift = self._view.look(grey, frame.at.timestamp())
        detections = self._detections(image, grey, frame.at.timestamp())
        if shift.dx or shift.dy:
            detections, grey = _moved_back(detections, grey, shift)
        wet = None if water is None else self._water(water, frame, grey, shift)
        return Scene(
            frame.device,
            frame.at,
            frame.seq,
            frame.image,
            grey,
            detections,
            self._zones,
            shift,
            self._lines,
            wet,
        )

    def _water(self, eye: WaterEye, frame: Frame, grey: NDArray[np.uint8], shift: Shift) -> Water | None:
        """Return the water; what goes wrong with it costs no detections."""
        try:
            return eye.look(frame.image, grey, shift, frame.at)
        except Exception:
            log.exception("no look at the water", device=frame.device)
            return None

    def _detections(self, image: NDArray[np.uint8], grey: NDArray[np.uint8], at: float) -> Detections:
        """Return what is in ``image``: of a picture in which nothing has changed, what was in it before."""
        blocks = cv2.resize(grey, BLOCKS, interpolation=cv2.INTER_AREA).astype(np.int16)
        if self._known is not None:
            changed = int(np.abs(blocks - self._known.blocks).max())
            if changed <= UNCHANGED and 0 <= at - self._known.at < REST_S:
                self.rested += 1
                return self._known.detections
        found: Detections = self._detect(image)
        self._known = _Known(blocks, at, found)
        return found


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the small grey picture. By way of a multiple of its size: a tenth of the cost of one step."""
    height = max(1, round(GREY_WIDTH * image.shape[0] / image.shape[1]))
    if image.shape[1] > 2 * GREY_WIDTH:
        image = cv2.resize(image, (2 * GREY_WIDTH, 2 * height)).astype(np.uint8, copy=False)
    small = cv2.resize(image, (GREY_WIDTH, height), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)


def _moved_back(
    detections: Detections, grey: NDArray[np.uint8], shift: Shift
) -> tuple[Detections, NDArray[np.uint8]]:
    """Return what was seen, in the reference view."""
    offset = np.array([shift.dx, shift.dy, shift.dx, shift.dy], np.float32)
    return detections._replace(boxes=detections.boxes - offset), moved(grey, -shift.dx, -shift.dy)
