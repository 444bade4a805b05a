"""Other lights, weathers and cameras than those of the pictures at hand."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from material import Picture
from numpy.random import Generator
from ponds import noise

sys.path.append(str(Path(__file__).parents[2]))  # a dark picture comes to the net as it comes to the shipped one

from exposure import exposed  # noqa: E402

SIZE = (320, 192)


def varied(image: Picture, mask: Picture, chance: Generator) -> tuple[Picture, Picture]:
    """Return a picture and mask of the net's size, as another camera would have taken it."""
    image, mask = _framed(image, mask, chance)
    if chance.random() < 0.5:
        image, mask = image[:, ::-1], mask[:, ::-1]
    picture = image.astype(np.float32)
    weather = chance.random()
    if weather < 0.03:
        picture = _snowed(picture, mask, chance)
    if chance.random() < 0.15:
        picture = _shadowed(picture, chance)
    picture = _developed(picture, chance)
    if 0.03 < weather < 0.15 and picture.mean() > 60:
        picture = _night(picture, chance)
    elif 0.15 < weather < 0.25:
        picture = _rain(picture, chance)
    elif 0.25 < weather < 0.32:
        fog = float(chance.uniform(0.1, 0.4))
        picture = picture * (1 - fog) + fog * float(chance.uniform(120, 230))
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if chance.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), float(chance.uniform(0.4, 1.1)))
    if chance.random() < 0.5:
        ok, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(25, 92))])
        picture = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(exposed(picture)), np.ascontiguousarray(mask)


def _framed(image: Picture, mask: Picture, chance: Generator) -> tuple[Picture, Picture]:
    """Crop, turn a little, and look from higher: the far end of the street narrows."""
    height, width = mask.shape
    scale = float(chance.uniform(0.6, 1.0)) if chance.random() < 0.65 else 1.0
    stretch = float(np.exp(chance.uniform(-0.2, 0.2)))
    w, h = min(width, width * scale * stretch), min(height, height * scale / stretch)
    x, y = chance.uniform(0, width - w), (height - h) * chance.beta(1.6, 1.0)
    corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], np.float32)
    if chance.random() < 0.5:
        corners += chance.uniform(-0.06, 0.06, (4, 2)).astype(np.float32) * (w, h)
        narrow = chance.uniform(0, 0.18) * w
        corners[2:] += np.array([(-narrow, 0), (narrow, 0)], np.float32)
    wide, high = SIZE
    to = np.array([(0, 0), (wide, 0), (wide, high), (0, high)], np.float32)
    how = cv2.getPerspectiveTransform(corners.astype(np.float32), to)
    shown = cv2.warpPerspective(image, how, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    marked = cv2.warpPerspective(mask, how, SIZE, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101)
    return shown, marked


def _developed(picture: Picture, chance: Generator) -> Picture:
    picture = picture * float(np.exp(chance.uniform(-0.25, 0.25))) * np.exp(chance.uniform(-0.08, 0.08, 3)).astype(np.float32)
    mean = picture.mean()
    picture = (picture - mean) * float(np.exp(chance.uniform(-0.3, 0.3))) + mean
    if chance.random() < 0.3:
        picture = 255 * np.clip(picture / 255, 0, 1) ** float(np.exp(chance.uniform(-0.3, 0.3)))
    grey = picture.mean(2, keepdims=True)
    if chance.random() < 0.07:
        return np.repeat(grey, 3, 2)  # infrared at night has no colour
    return grey + (picture - grey) * float(chance.uniform(0.5, 1.4))


def _shadowed(picture: Picture, chance: Generator) -> Picture:
    """Throw hard-edged shadows of houses, trees and poles on everything."""
    wide, high = SIZE
    shade = np.zeros((high, wide), np.float32)
    for _ in range(chance.integers(1, 4)):
        points = chance.uniform(-0.2, 1.2, (chance.integers(3, 7), 2)) * (wide, high)
        cv2.fillPoly(shade, [cv2.convexHull(points.astype(np.int32))], 1.0)
    if chance.random() < 0.4:
        shade = np.maximum(shade, (noise(chance, SIZE, 14) > 0.1).astype(np.float32))
    shade = cv2.GaussianBlur(shade, (0, 0), float(chance.uniform(0.6, 4)))[..., None]
    tint = np.array((1.12, 1.02, 0.95), np.float32)
    return picture * (1 - shade * (1 - float(chance.uniform(0.3, 0.7)) * tint))


def _snowed(picture: Picture, mask: Picture, chance: Generator) -> Picture:
    """Let snow lie on all that is no water, thinner in tracks."""
    wide, high = SIZE
    lies = np.clip(noise(chance, SIZE, 6) + 0.4 * noise(chance, SIZE, 40) + float(chance.uniform(0, 1)), 0, 1)
    lies = lies * np.clip(np.linspace(-0.3, 1.5, high, dtype=np.float32), 0, 1)[:, None] * (mask == 0)
    white = np.clip(picture.mean() * 1.8, 90, 235) + 6 * noise(chance, SIZE, 80)[..., None]
    return picture + (white - picture) * (lies * float(chance.uniform(0.5, 0.95)))[..., None]


def _night(picture: Picture, chance: Generator) -> Picture:
    """Darken, and light up in places: lamps, headlights and their streaks; the sensor's noise."""
    wide, high = SIZE
    dark = picture * float(chance.uniform(0.2, 0.6)) * np.array((1.1, 1.0, 0.9), np.float32) ** float(chance.uniform(-1, 2))
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    for _ in range(chance.integers(0, 4)):
        at = chance.uniform(0, wide), chance.uniform(0, high)
        far = ((x - at[0]) / chance.uniform(15, 110)) ** 2 + ((y - at[1]) / chance.uniform(10, 60)) ** 2
        warm = np.array((0.6, 0.85, 1.0), np.float32) ** float(chance.uniform(0, 2))
        dark = dark + (picture * 0.8 * warm) * np.exp(-far)[..., None] * float(chance.uniform(0.3, 1.2))
        if chance.random() < 0.4:
            dark = dark + 255 * warm * np.exp(-far * chance.uniform(8, 40))[..., None]
    return dark + chance.normal(0, float(chance.uniform(2, 11)), picture.shape)


def _rain(picture: Picture, chance: Generator) -> Picture:
    wide, high = SIZE
    drops = (chance.random((high, wide)) > 0.985).astype(np.float32) * 255
    length = int(chance.integers(5, 15))
    streak = np.zeros((length, length), np.float32)
    lean = int(chance.integers(-3, 4))
    cv2.line(streak, (length // 2 - lean, 0), (length // 2 + lean, length - 1), 1.0 / length)
    drops = cv2.filter2D(drops, -1, streak)
    return picture * 0.93 + drops[..., None] * float(chance.uniform(0.5, 1.6)) + 8
