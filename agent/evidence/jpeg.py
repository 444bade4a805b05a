"""A JPEG within a size, whatever is in the picture."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Final, NamedTuple

import cv2

from lamppost.agent.evidence.blur import Image

#: Qualities from the best on, and the size of a street at each against the first. Below the last, a
#: narrower picture shows more than a coarser one.
QUALITIES = ((85, 1.0), (72, 0.72), (60, 0.62), (50, 0.55), (42, 0.50), (35, 0.45))
#: Where a picture is made narrower, it is made so for this one of them.
NARROWED = 3
LEAST_WIDTH, LEAST_QUALITY = 64, 5
#: A picture that leaves so much of the limit unused lets the next one be better; and how much wider then.
UNUSED, WIDER = 0.25, 1.15


class Fit(NamedTuple):
    """What is tried first: width in pixels, and place in `QUALITIES`."""

    width: int
    quality: int = 0


#: Of a camera that nothing is known of yet.
UNKNOWN: Final = Fit(1 << 20)


def encode(draw: Callable[[int], Image], width: int, limit: int, before: Fit = UNKNOWN) -> tuple[bytes, Fit]:
    """Return what ``draw(width)`` gives as a JPEG of at most ``limit`` bytes, narrower if need be.

    Pictures of one camera are much alike: ``before`` is what was returned beside the last one, and spares
    all tries but one. ``limit`` is at least 10,000. Raises ValueError if OpenCV cannot encode at all.
    """
    at, first = min(width, before.width), before.quality
    while at > LEAST_WIDTH:
        image = draw(at)
        size, share = 0, 1.0
        for quality in range(first, len(QUALITIES)):
            percent, its_share = QUALITIES[quality]
            if size * its_share / share > 1.03 * limit:
                continue
            data = _jpeg(image, percent)
            size, share = len(data), its_share
            if size <= limit:
                return data, _next(Fit(at, quality), size, limit)
        guess = size * QUALITIES[NARROWED][1] / share
        at, first = min(int(at * sqrt(limit / guess)), at * 9 // 10), NARROWED - 1
    at = LEAST_WIDTH
    while len(data := _jpeg(draw(at), LEAST_QUALITY)) > limit and at > 16:
        at //= 2  # noise many times as high as it is wide
    return data, UNKNOWN


def _next(fit: Fit, size: int, limit: int) -> Fit:
    if size > (1 - UNUSED) * limit:
        return fit
    if fit.quality:
        return fit._replace(quality=fit.quality - 1)
    return fit._replace(width=int(fit.width * WIDER) + 1)


def _jpeg(image: Image, quality: int) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of {image.shape} cannot be encoded as JPEG")
    return data.tobytes()
