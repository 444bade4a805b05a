"""A JPEG within a size, whatever is in the picture."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import cv2

from lamppost.agent.evidence.blur import Image

#: Qualities from the best on, and the size of a street at each against the first. Below the last, a
#: narrower picture shows more than a coarser one.
QUALITIES = ((85, 1.0), (72, 0.72), (60, 0.62), (50, 0.55), (42, 0.50), (35, 0.45))
#: Where a picture is made narrower, it is made so for this one of them.
NARROWED = 3
LEAST_WIDTH, LEAST_QUALITY = 64, 5


def encode(draw: Callable[[int], Image], width: int, limit: int) -> bytes:
    """Return what ``draw(width)`` gives as a JPEG of at most ``limit`` bytes, narrower if need be.

    ``limit`` is at least 10,000. Raises ValueError if OpenCV cannot encode at all.
    """
    first = 0
    while width > LEAST_WIDTH:
        image = draw(width)
        size, share = 0, 1.0
        for quality, its_share in QUALITIES[first:]:
            guess = size * its_share / share
            if guess > 1.03 * limit:
                continue
            data = _jpeg(image, quality)
            size, share = len(data), its_share
            if size <= limit:
                return data
        guess = size * QUALITIES[NARROWED][1] / share
        width, first = min(int(width * sqrt(limit / guess)), width * 9 // 10), NARROWED - 1
    width = LEAST_WIDTH
    while len(data := _jpeg(draw(width), LEAST_QUALITY)) > limit and width > 16:
        width //= 2  # noise many times as high as it is wide
    return data


def _jpeg(image: Image, quality: int) -> bytes:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of {image.shape} cannot be encoded as JPEG")
    return data.tobytes()
