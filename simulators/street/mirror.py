"""What still water under a vehicle shows of it."""

from __future__ import annotations

import math

import cv2
import numpy as np

from lamppost.simulators.street.projection import View
from lamppost.simulators.street.renders import BODY_STEP_M, BODY_ZERO, Image, Sprite


def mirrored(sprite: Sprite, look: Image, view: View) -> Image:
    """Return the mirror image, as wide as the sprite and begun at its top, but higher.

    Each pixel's height above the ground is known; its mirror image lies twice as far below. Sides that
    only the water sees are missing, which ripples hide.
    """
    high, wide = look.shape[:2]
    body = cv2.resize(sprite.body, (wide, high), interpolation=cv2.INTER_NEAREST).astype(np.float32)
    above = ((body - BODY_ZERO) * BODY_STEP_M).clip(0, None)
    depth = view.project(sprite.x, sprite.y, sprite.foot).depth
    drop = 2 * above * view.focal / depth * math.cos(math.radians(view.pitch))
    rows, columns = np.nonzero(look[..., 3] > 127)
    # The lowest parts last: they are nearest to the water and hide those above.
    order = np.argsort(-above[rows, columns])
    rows, columns = rows[order], columns[order]
    down = (rows + drop[rows, columns]).round().astype(int)
    found = np.zeros((max(high, int(down.max(initial=0)) + 2), wide, 4), np.uint8)
    found[down, columns] = look[rows, columns]
    filled = cv2.morphologyEx(found, cv2.MORPH_CLOSE, np.ones((3, 2), np.uint8))
    return np.asarray(filled, np.uint8)
