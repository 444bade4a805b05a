"""The pictures that the net learns from and is measured on, read once, and who may see which.

Photos, masks and dry roads lie in ../shared/water (see README.md for licences), streets where
`streets.py` has rendered them. A picture for testing is never seen in training: the split is by the
number of the photo, fixed here.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

Picture = np.ndarray[Any, Any]

ROOT = Path(__file__).parents[4] / "shared"
#: One masked photo of five is for testing only.
TEST_OF = 5
#: Room for cropping: pictures are kept a quarter larger than the net's input (320 x 192).
KEPT = (400, 240)
MASKS = Path(__file__).with_name("masks.json")


class Photo(NamedTuple):
    """A picture (H, W, 3) BGR and its mask: 255 water, 0 not, 128 do not ask."""

    name: str
    image: Picture
    mask: Picture


class View(NamedTuple):
    """A rendered street dry, wet, under opaque water, and how high each pixel lies, in metres."""

    name: str
    dry: Picture
    wet: Picture
    water: Picture
    height: Picture


class Road(NamedTuple):
    """A dry road and its mask: 255 carriageway, 128 kerb."""

    image: Picture
    road: Picture


def is_test(path: Path) -> bool:
    """Whether a masked photo is for testing."""
    return int(path.stem.split("_")[1]) % TEST_OF == 0


def masked(*, test: bool) -> list[Photo]:
    """Return the photos with masks for training, or for testing."""
    found = [path for path in sorted((ROOT / "water/masked").glob("*.jpg")) if is_test(path) == test]
    return [Photo(path.stem, _read(path), _mask(path.with_suffix(".png"))) for path in found]


def drawn() -> list[Photo]:
    """Return the photos without masks of their own, with those of `masks.json`.

    These began as what an earlier net saw. Somebody looked at each: what was right was kept, some twenty were
    drawn anew, and what could not be told was left out. Each is a list of polygons, painted in their order,
    as (value, x, y, x, y ...) in thousandths of the picture.
    """
    found = []
    for name, polygons in json.loads(MASKS.read_text()).items():
        mask = np.zeros(KEPT[::-1], np.uint8)
        for value, points in polygons:
            corners = np.array(points, np.float32).reshape(-1, 2) / 1000 * (KEPT[0] - 1, KEPT[1] - 1)
            cv2.fillPoly(mask, [corners.round().astype(np.int32)], value)
        found.append(Photo(name, _read(ROOT / "water/unmasked" / f"{name}.jpg"), mask))
    return found


def roads() -> list[Road]:
    found = []
    for path in sorted((ROOT / "water/dry_road").glob("*.jpg")):
        marks = cv2.imread(str(path.with_name(path.stem + "_mask.png")), cv2.IMREAD_GRAYSCALE)
        road = np.where(marks == 1, 255, np.where(marks == 2, 128, 0)).astype(np.uint8)
        found.append(Road(_read(path), cv2.resize(road, KEPT, interpolation=cv2.INTER_NEAREST)))
    return found


def views(folder: Path) -> list[View]:
    found = []
    for path in sorted(folder.glob("*-water.png")):
        name = path.name.removesuffix("-water.png")
        dry, wet, water = (_read(folder / f"{name}-{what}.png") for what in ("dry", "wet", "water"))
        height = np.load(folder / f"{name}-height.npy").astype(np.float32)
        height = cv2.resize(height, KEPT, interpolation=cv2.INTER_LINEAR)
        found.append(View(name, dry, wet, water, height))
    return found


#: Clips under MIT or CC BY 4.0, and what is in them: the ground, if water may be painted there, as the
#: rows from there down. The others are for testing only.
CLIPS = {
    "real_street_parked": 0.35, "real_topdown_passing": 0.0, "real_dense_junction_odc": 0.4, "real_person_lingering": 0.65,
}  # fmt: skip


def dry_cameras() -> list[Road]:
    """Return dry pictures of a few cameras whose licence allows to learn from them."""
    found = []
    for name, top in CLIPS.items():
        for image in _frames(ROOT / "clips" / f"{name}.mp4", 3.0):
            ground = np.zeros(image.shape[:2], np.uint8)
            ground[round(top * KEPT[1]) :] = 255
            found.append(Road(image, ground))
    return found


#: Where panoramas show something else than dry ground, in degrees from their middle: half of Venice is water.
SEEN = {"sunset": (150.0, 230.0)}


def grounds(folder: Path) -> list[Road]:
    """Return looks down at the dry grounds of panoramas, as from a pole."""
    chance = np.random.default_rng(0)
    found = []
    for path in sorted(folder.glob("*.png")):
        panorama = cv2.imread(str(path))
        least, most = SEEN.get(path.stem, (0.0, 360.0))
        for _ in range(30 if path.stem in SEEN else 60):
            yaw, pitch, wide = chance.uniform(least, most), chance.uniform(10, 38), chance.uniform(50, 90)
            found.append(_look(panorama, *(math.radians(angle) for angle in (yaw, pitch, wide))))
    return found


def _look(panorama: Picture, yaw: float, pitch: float, wide: float) -> Road:
    """Return what a camera in the middle of a panorama sees, and what of it is ground. Radians."""
    width, height = KEPT
    x, y = np.meshgrid(np.arange(width) - width / 2 + 0.5, np.arange(height) - height / 2 + 0.5)
    far = width / 2 / math.tan(wide / 2)
    down, ahead = y * math.cos(pitch) + far * math.sin(pitch), far * math.cos(pitch) - y * math.sin(pitch)
    around = np.arctan2(x, ahead) + yaw
    below = np.arctan2(down, np.hypot(x, ahead))
    high, long = panorama.shape[:2]
    at_x = ((around / (2 * math.pi) + 0.5) % 1 * long).astype(np.float32)
    at_y = ((below / math.pi + 0.5) * high).astype(np.float32)
    seen = cv2.remap(panorama, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return Road(seen, np.where(below > math.radians(10), 255, 0).astype(np.uint8))


def dry_for_testing() -> list[Photo]:
    """Return dry pictures of street cameras that are never trained on."""
    images = _frames(ROOT / "clips/real_vtest_parked_van.avi", 15.0)
    images += [_read(path) for path in sorted((ROOT / "images/street").glob("*.jpg"))]
    return [Photo(f"dry-{nth}", image, np.zeros(image.shape[:2], np.uint8)) for nth, image in enumerate(images)]


def _frames(path: Path, every_s: float) -> list[Picture]:
    film = cv2.VideoCapture(str(path))
    step = max(1, round(every_s * (film.get(cv2.CAP_PROP_FPS) or 10)))
    found, nth = [], 0
    while film.grab():
        if nth % step == 0:
            found.append(cv2.resize(film.retrieve()[1], KEPT, interpolation=cv2.INTER_AREA))
        nth += 1
    return found


def _read(path: Path) -> Picture:
    image = cv2.imread(str(path))
    if image is None:
        raise FileNotFoundError(f"{path} is missing or no picture")
    return cv2.resize(image, KEPT, interpolation=cv2.INTER_AREA if image.shape[1] > KEPT[0] else cv2.INTER_LINEAR)


def _mask(path: Path) -> Picture:
    return cv2.resize(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), KEPT, interpolation=cv2.INTER_NEAREST)
