"""What makes a dry reference of pictures that a person says are dry, and what is odd about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamppost.agent.sight.dry import Reference, reference
from lamppost.agent.sight.scene import Eye, Scene, Zones
from lamppost.agent.sight.water import Light, inside
from lamppost.agent.sight.water_eye import WaterEye
from lamppost.drivers.api import Frame
from lamppost.models.detections import Detections
from lamppost.models.segmenter import Segmenter

BY = "operator"
#: A dry road of which so much looks wet is no good reference, or not dry.
MUCH = 0.25
#: A zone that is smaller, or lies wholly above that part of the picture, is hardly the road.
SMALL, HIGH = 0.005, 0.35

#: Height and width in which zones are measured.
_SHAPE = (360, 640)
_NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())


class DryRoad(NamedTuple):
    """A reference by light, the picture it was last seen in, and from how many."""

    light: Light
    reference: Reference
    threshold: int
    image: NDArray[np.uint8]
    pictures: int


def dry_roads(
    pictures: Iterable[NDArray[np.uint8]],
    segment: Segmenter,
    camera: str,
    at: datetime,
    light: Light | None = None,
) -> list[DryRoad]:
    """Return the references that ``pictures`` (H, W, 3) of a dry road give, one for each light they show.

    ``light`` is what they show whatever they look like. Raises `ModelError`.
    """
    seen: dict[Light, list[Scene]] = {}
    eye = Eye(lambda _: _NOTHING, {})
    for number, picture in enumerate(pictures):
        # A judge of its own for each: they may be of different hours.
        water = WaterEye(segment, camera)
        scene = eye.look(Frame(camera, picture, at, number), water)
        if scene.water is not None:
            seen.setdefault(light or scene.water.light, []).append(scene)
    return [_road(shown, scenes, segment.manifest.sha256) for shown, scenes in seen.items()]


def _road(light: Light, scenes: list[Scene], model: str) -> DryRoad:
    maps = [scene.water for scene in scenes if scene.water is not None]
    made = reference([water.wet for water in maps], scenes[-1], BY, model)
    return DryRoad(light, made, maps[0].threshold, scenes[-1].image, len(scenes))


def wet_shares(found: NDArray[np.uint8], threshold: int, zones: Zones) -> dict[str, float]:
    """Return for each zone the share of a map (h, w) in it that is wet."""
    return {
        name: float((found[inside(points, found.shape)] >= threshold).mean())
        for name, points in zones.items()
    }


def doubts(road: DryRoad, zones: Zones) -> Iterator[str]:
    """Yield in words what is odd about a dry road and its zones."""
    for name, share in wet_shares(road.reference.wet, road.threshold, zones).items():
        if share > MUCH:
            yield (
                f"zone {name}: {share:.0%} of it looks wet already. Is the road dry? "
                "What looks wet now is never told as water"
            )
    yield from zone_doubts(zones)


def zone_doubts(zones: Zones) -> Iterator[str]:
    """Yield in words which zones can hardly be a road."""
    for name, points in zones.items():
        covered = float(inside(points, _SHAPE).mean())
        if covered < SMALL:
            yield f"zone {name} covers {covered:.1%} of the picture only: water in it can hardly be seen"
        elif max(y for _, y in points) < HIGH:
            yield f"zone {name} lies wholly in the upper third of the picture: is that road?"
