"""A street with painted ponds: to the toy segmenter of `modelling.blue_water` what is blue is water."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from lamppost.drivers.api import Frame
from lamppost.models.detections import Detections

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())
ROAD = [(0.1, 0.5), (0.9, 0.5), (0.9, 0.95), (0.1, 0.95)]
SIZE = (640, 360)


def street(seed: int = 3, *, light: float = 1.0, dx: int = 0, dy: int = 0, size=SIZE) -> np.ndarray:
    """Return a picture without blue, moved by so many pixels to the right and down."""
    width, height = size
    rough = np.random.default_rng(seed).uniform(40, 220, (48, 80, 3)).astype(np.float32)
    wide = cv2.resize(rough, (width + 80, height + 80), interpolation=cv2.INTER_CUBIC).clip(0, 255) * light
    wide[..., 0] = 0
    return np.ascontiguousarray(wide.astype(np.uint8)[40 - dy : 40 - dy + height, 40 - dx : 40 - dx + width])


def flood(picture: np.ndarray, x1: float, y1: float, x2: float, y2: float, blue: int = 255) -> np.ndarray:
    """Return the picture with a pond, as shares of its width and height."""
    found = picture.copy()
    height, width = found.shape[:2]
    found[round(y1 * height) : round(y2 * height), round(x1 * width) : round(x2 * width), 0] = blue
    return found


def frame(picture: np.ndarray, at_s: float = 0.0, device: str = "cam") -> Frame:
    return Frame(device, picture, START + timedelta(seconds=at_s), int(at_s * 10))


def wet_share(found: np.ndarray, x1: float, y1: float, x2: float, y2: float) -> float:
    """Return the share of a part of a map that is wet."""
    height, width = found.shape
    part = found[round(y1 * height) : round(y2 * height), round(x1 * width) : round(x2 * width)]
    return float((part >= 128).mean())
