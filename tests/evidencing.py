"""A street in a video, and a detector that sees one car in it, whatever it is shown."""

from __future__ import annotations

import math

import cv2
import numpy as np
from cameras import write_video
from modelling import LABELS, places, toy


def one_car(folder):
    """Write a model that sees one car in the middle of its input."""
    spots = places("yolox", (64, 64))
    scores, rest = np.zeros((len(spots), len(LABELS))), np.zeros((len(spots), 5))
    place = spots.index((32.0, 32.0, 16))
    scores[place, LABELS.index("car")] = 0.9
    rest[place] = (0, 0, math.log(20 / 16), math.log(14 / 16), 1.0)
    return toy(folder, "yolox", scores, rest)


def street(folder, width=640, height=360, pictures=20):
    rng = np.random.default_rng(5)
    still = cv2.resize(rng.integers(30, 220, (36, 64, 3), np.uint8), (width, height))
    frames = [
        np.clip(still + rng.normal(0, 3, still.shape), 0, 255).astype(np.uint8) for _ in range(pictures)
    ]
    return write_video(folder / "street.avi", frames, code="MJPG")
