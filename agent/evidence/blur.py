"""Makes people and number plates unrecognisable, but not what the picture is about."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import Literal, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
Blur: TypeAlias = Literal["none", "found", "outside"]

PEOPLE = frozenset({"person"})
VEHICLES = frozenset({"car", "van", "truck", "lorry", "pickup", "bus", "taxi", "motorcycle", "motorbike"})
#: Smallest block in pixels: detail below this is gone whatever it belonged to.
BLOCK = 8
#: A head is left with so many blocks across, a vehicle's lower part too: of them a plate is two or three.
HEAD_BLOCKS, VEHICLE_BLOCKS, PICTURE_BLOCKS = 3, 10, 40
#: Where a plate can be: the lower part of a vehicle's box, as share of its height.
LOWER = 0.55
#: Overlap (IoU) of a detection with the reported box that makes it the reported vehicle itself; and share of
#: the reported box in a larger one that does: a vehicle that covers it wholly would hide it.
ITSELF, AROUND = 0.6, 0.9
#: A detector sees phantoms of half a street, never surely: so large a share of the picture needs this score.
HUGE, SURE = 0.3, 0.4


class Region(NamedTuple):
    """A part of a picture in pixels; the right and lower ends are outside."""

    x1: float
    y1: float
    x2: float
    y2: float

    def within(self, image: Image) -> tuple[slice, slice]:
        """Return the rows and columns of all pixels that it touches."""
        height, width = image.shape[:2]
        x1, x2 = (min(max(x, 0), width) for x in (floor(self.x1), ceil(self.x2)))
        y1, y2 = (min(max(y, 0), height) for y in (floor(self.y1), ceil(self.y2)))
        return slice(y1, max(y1, y2)), slice(x1, max(x1, x2))


class Found(NamedTuple):
    """What the detector saw somewhere; ``score`` is 0..1."""

    label: str
    score: float
    box: Region


def conceal(image: Image, keep: Region, found: Sequence[Found], how: Blur) -> Image:
    """Return ``image`` with all that ``how`` names made unrecognisable, and ``keep`` as it was.

    Of the people in ``found`` the heads go, of the vehicles the lower part, where they have their plates.
    What the detector did not see cannot go, except by ``outside``, which leaves nothing but ``keep``.
    """
    if how == "none":
        return image
    result = image.copy()
    if how == "outside":
        pixelate(result, Region(0, 0, image.shape[1], image.shape[0]), image.shape[1] / PICTURE_BLOCKS)
    else:
        for label, score, box in found:
            if label in PEOPLE:
                head = _head(box)
                pixelate(result, head, max(head.x2 - head.x1, head.y2 - head.y1) / HEAD_BLOCKS)
            elif label in VEHICLES and _is_other(box, score, keep, image):
                lower = box._replace(y1=box.y2 - LOWER * (box.y2 - box.y1))
                pixelate(result, lower, (box.x2 - box.x1) / VEHICLE_BLOCKS)
    part = keep.within(image)
    result[part] = image[part]
    return result


def pixelate(image: Image, region: Region, block: float) -> None:
    """Replace a region by the means of squares of ``block`` pixels, at least `BLOCK`, in place."""
    part = region.within(image)
    inside = image[part]
    height, width = inside.shape[:2]
    if not height or not width:
        return
    side = max(block, BLOCK)
    coarse = cv2.resize(
        inside, (max(1, floor(width / side)), max(1, floor(height / side))), interpolation=cv2.INTER_AREA
    )
    image[part] = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)


def _head(box: Region) -> Region:
    """Return where the head of a person is: the top quarter; half of a box that shows little more."""
    width, height = box.x2 - box.x1, box.y2 - box.y1
    high = max(0.25 * height, min(0.6 * width, 0.5 * height))
    return Region(box.x1 - 0.05 * width, box.y1 - 0.05 * height, box.x2 + 0.05 * width, box.y1 + high)


def _is_other(box: Region, score: float, keep: Region, image: Image) -> bool:
    """Say whether a box is a vehicle, and not the one that ``keep`` is about."""
    if score < SURE and _area(box) > HUGE * image.shape[0] * image.shape[1]:
        return False
    wide = min(box.x2, keep.x2) - max(box.x1, keep.x1)
    high = min(box.y2, keep.y2) - max(box.y1, keep.y1)
    both = max(0.0, wide) * max(0.0, high)
    return not both or (both < ITSELF * (_area(box) + _area(keep) - both) and both < AROUND * _area(keep))


def _area(region: Region) -> float:
    return (region.x2 - region.x1) * (region.y2 - region.y1)
