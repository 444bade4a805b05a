"""Water put into pictures of dry roads, with its exact mask."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from material import Photo, Picture, Road, View
from numpy.random import Generator

#: Ground that lies less than this below the water may be called either: nobody sees so thin a film.
FILM_M = 0.004


def noise(chance: Generator, size: tuple[int, int], cells: float) -> Picture:
    """Return smooth noise (H, W), about -1..1, with ``cells`` bumps along the width."""
    width, height = size
    coarse = chance.standard_normal((max(2, round(cells * height / width)), max(2, round(cells)))).astype(np.float32)
    return cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC) * 0.6


def flooded(view: View, chance: Generator) -> tuple[Picture, Picture]:
    """Return a rendered street under water of some level, and its mask."""
    size = view.height.shape[1], view.height.shape[0]
    low = np.sort(view.height[view.height < 0.27])
    if low.size < 200:
        return view.wet, np.zeros(view.height.shape, np.uint8)
    if chance.random() < 0.6:
        share = float(np.exp(chance.uniform(np.log(0.006), np.log(0.6)))) * view.height.size
        level = float(low[min(low.size - 1, int(share))])
    else:
        level = float(chance.uniform(0.02, 0.27))
    depth = level - view.height + 0.004 * noise(chance, size, 40) + 0.004 * noise(chance, size, 12)
    wetness = 1.0 if chance.random() < 0.6 else _smooth(depth, -float(chance.uniform(0.01, 0.06)), 0.0)
    ground = _mix(view.dry, view.wet, wetness)
    water = view.water.astype(np.float32)
    if chance.random() < 0.5:  # another mud
        water = water * chance.uniform(0.7, 1.35) * chance.uniform(0.88, 1.12, 3)
    seen_into = float(chance.uniform(0.3, 0.8)) * np.exp(-float(chance.uniform(6, 45)) * np.maximum(depth, 0))
    shown = (depth > 0) * (1 - seen_into) * _smooth(depth, 0.0, 0.004)
    mask = np.where(depth > FILM_M, 255, np.where(depth > -FILM_M / 2, 128, 0)).astype(np.uint8)
    return _mix(ground, water, shown), mask


def unflooded(view: View, chance: Generator) -> Picture:
    """Return the street dry, wet, or wet in places, without water."""
    how = chance.random()
    if how < 0.35:
        return view.dry
    if how < 0.7:
        return view.wet
    size = view.height.shape[1], view.height.shape[0]
    return _mix(view.dry, view.wet, _smooth(noise(chance, size, chance.uniform(2, 12)), -0.3, 0.3))


def _lying(ground: Picture, chance: Generator) -> tuple[Picture, Picture, Picture]:
    """Return where water may lie on a ground: a field (positive where it does), how much it hides, its mask."""
    height, width = ground.shape
    bumps = noise(chance, (width, height), chance.uniform(2, 9)) + 0.3 * noise(chance, (width, height), 30)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    field = bumps + chance.uniform(-0.4, 0.8) * (down - 0.6) - float(chance.uniform(-0.8, 0.9))
    depth = np.where(ground, -field, -1.0)
    alpha = _smooth(depth, 0.0, float(chance.uniform(0.02, 0.2)))
    return depth, alpha, np.where(alpha > 0.6, 255, np.where(alpha > 0.05, 128, 0)).astype(np.uint8)


def transplanted(image: Picture, ground: Picture, source: Photo, chance: Generator) -> tuple[Picture, Picture]:
    """Return a dry picture with real water of another photo on its ground, and the mask."""
    patch = _window(source, chance, lambda part: (part == 255).mean() > 0.97, smallest=0.12)
    _, alpha, mask = _lying(ground, chance)
    rows, columns = np.where(mask == 255)
    if patch is None or rows.size < 300:
        return image, np.zeros_like(mask)
    top, left = rows.min(), columns.min()
    size = int(columns.max() - left + 1), int(rows.max() - top + 1)
    water = np.zeros(image.shape, np.float32)
    part = slice(top, top + size[1]), slice(left, left + size[0])
    water[part] = cv2.resize(patch[0], size, interpolation=cv2.INTER_LINEAR)
    if chance.random() < 0.5:
        ground_grey = float(image[mask == 255].mean())
        water *= float(chance.uniform(0.7, 1.5)) * ground_grey / max(20.0, float(patch[0].mean()))
    inside = np.zeros(mask.shape, np.float32)
    inside[part] = 1
    shown = alpha * inside * float(chance.uniform(0.8, 1.0))
    mask = np.where(inside > 0, mask, np.where(mask > 0, 128, 0)).astype(np.uint8)
    return _mix(image, water, shown), mask


def patched(image: Picture, ground: Picture, other: Picture, chance: Generator) -> tuple[Picture, Picture]:
    """Return a dry picture with another dry ground on its own, lying as water would: still dry."""
    _, alpha, _ = _lying(ground, chance)
    height, width = ground.shape
    w, h = int(width * chance.uniform(0.3, 1)), int(height * chance.uniform(0.3, 0.6))
    x, y = int(chance.integers(0, width - w + 1)), int(chance.integers(height - h - (height - h) // 3, height - h + 1))
    patch = cv2.resize(other[y : y + h, x : x + w], (width, height), interpolation=cv2.INTER_LINEAR)
    patch = patch.astype(np.float32) * float(chance.uniform(0.6, 1.6)) * chance.uniform(0.9, 1.1, 3)
    return _mix(image, np.clip(patch, 0, 255), alpha * float(chance.uniform(0.7, 1.0))), np.zeros(ground.shape, np.uint8)


def land(source: Photo, chance: Generator) -> tuple[Picture, Picture]:
    """Return a part of a photo of a flood in which there is no water: as real as the flood itself."""
    found = _window(source, chance, lambda part: not part.any(), smallest=0.3)
    if found is None:
        return source.image, source.mask
    image, mask = found
    size = source.image.shape[1], source.image.shape[0]
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.zeros(source.mask.shape, np.uint8)


def _window(source: Photo, chance: Generator, fits: Callable[[Picture], bool], smallest: float) -> tuple[Picture, Picture] | None:
    """Return the largest of some chance windows whose mask fits."""
    height, width = source.mask.shape
    best: tuple[Picture, Picture] | None = None
    for _ in range(40):
        w = int(width * chance.uniform(smallest, 1))
        h = int(height * chance.uniform(smallest, 1))
        if best is not None and w * h <= best[1].size:
            continue
        x, y = int(chance.integers(0, width - w + 1)), int(chance.integers(0, height - h + 1))
        part = source.mask[y : y + h, x : x + w]
        if fits(part):
            best = source.image[y : y + h, x : x + w], part
    return best


def puddled(road: Road, chance: Generator) -> tuple[Picture, Picture]:
    """Return a photo of a dry road with water painted on it, and its mask: what lies behind is mirrored."""
    height, width = road.road.shape
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    ground = road.road > (200 if chance.random() < 0.5 else 100)
    depth, alpha, mask = _lying(ground, chance)
    rows = np.where(ground.any(1))[0]
    if rows.size < 10 or (mask == 255).mean() < 0.003:
        return road.image, np.zeros_like(mask)
    horizon = rows[0] + chance.integers(0, 12)
    mirror = np.clip(2 * horizon - np.arange(height) * float(chance.uniform(0.7, 1.0)), 0, height - 1)
    ripple = noise(chance, (width, height), 60) * chance.uniform(0, 5) + noise(chance, (width, height), 15) * 2
    y = (mirror[:, None] + ripple).astype(np.float32)
    x = (np.arange(width, dtype=np.float32)[None] + ripple * 0.5).astype(np.float32)
    image = road.image.astype(np.float32)
    mirrored = cv2.remap(image, np.broadcast_to(x, y.shape).copy(), y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    mud = np.array((75, 90, 100), np.float32) * float(chance.uniform(0.4, 1.6)) * chance.uniform(0.85, 1.15, 3)
    sky = np.full(3, chance.uniform(90, 235))
    gloss = np.clip(1.15 - 1.1 * (down - horizon / height), 0.25, 0.95)[..., None]
    surface = gloss * (0.65 * mirrored + 0.35 * sky) + (1 - gloss) * mud + 12 * noise(chance, (width, height), 50)[..., None]
    surface = 0.85 * surface + 0.15 * image
    return _mix(image * (1 - 0.35 * _smooth(depth, -0.3, 0.0)[..., None]), surface, alpha), mask


def _smooth(values: Picture, low: float, high: float) -> Picture:
    t = np.clip((values - low) / (high - low + 1e-6), 0, 1)
    return t * t * (3 - 2 * t)


def _mix(one: Picture, other: Picture, share: Picture | float) -> Picture:
    share = np.asarray(share, np.float32)
    share = share[..., None] if share.ndim == 2 else share
    return np.clip(one + (np.asarray(other, np.float32) - one) * share, 0, 255).astype(np.uint8)
