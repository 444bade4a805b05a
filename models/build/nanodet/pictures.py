"""Real pictures to calibrate and to check with: `../shared` beside the repository; they are not shipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2

from lamppost.models.letterbox import Picture

SHARED = Path(__file__).resolve().parents[4] / "shared"


def stills(part: int) -> Iterator[Picture]:
    """Return every second still picture, from the first (0) or the second (1) on."""
    files = sorted((SHARED / "images").glob("*/*.jpg"))
    if not files:
        raise SystemExit(f"{SHARED / 'images'} holds no pictures to calibrate with")
    for path in files[part::2]:
        yield cv2.imread(str(path))  # type: ignore[misc]  # the same


def frames(count: int, phase: float) -> Iterator[Picture]:
    """Return ``count`` frames of each clip, evenly spread; ``phase`` in 0..1 shifts them."""
    for path in sorted((SHARED / "clips").glob("*.[ma][pv][4i]")):
        clip = cv2.VideoCapture(str(path))
        length = int(clip.get(cv2.CAP_PROP_FRAME_COUNT))
        for number in range(count):
            clip.set(cv2.CAP_PROP_POS_FRAMES, int((number + phase) / count * length))
            found, frame = clip.read()
            if found:
                yield frame  # type: ignore[misc]  # a clip has no other type
