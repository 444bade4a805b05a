"""Turn raw pictures into the assets that are shipped. OpenCV and numpy only.

python simulators/street/build/pack.py FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import ground
import numpy as np
from numpy.typing import NDArray
from plan import KINDS, VIEWS, WATER_MM

ASSETS = Path(__file__).resolve().parent.parent / "assets"
_ATLAS_WIDTH = 1024
#: Height maps: 0.25 mm of ground from -500 mm, 5 mm of a body from -100 mm.
_GROUND_STEP, _GROUND_ZERO = 0.00025, 2000
_BODY_STEP, _BODY_ZERO = 0.005, 20
#: Darker than this is a shadow; smaller differences are noise.
_SHADOW = 0.04
#: Pixels over which a shadow fades out at the edge of what was rendered.
_FADE = 10.0
_LEAST_PIXELS = 30
_QUALITY_BACKGROUND, _QUALITY_LOOK, _QUALITY_MARKS = 88, 84, 90

Floats = NDArray[np.float32]


class Tile(NamedTuple):
    """One pose: what goes into the atlases, and what is told about it."""

    look: Any
    marks: Any
    record: dict[str, Any]


def main() -> None:
    raw = Path(sys.argv[1])
    for name, view in VIEWS.items():
        # Run-time heights count from the lowest gutter.
        camera = view._replace(z=view.z - ground.lowest())
        (ASSETS / f"{name}.json").write_text(json.dumps(camera._asdict()) + "\n")
    for folder in sorted(raw.iterdir()):
        if all((folder / f"{kind}.json").exists() for kind in KINDS):
            pack(folder)
    sizes = {path.parent.name + "/" + path.name: path.stat().st_size for path in ASSETS.rglob("*.*")}
    print(f"{len(sizes)} files, {sum(sizes.values()) / 1e6:.2f} MB")


def pack(folder: Path) -> None:
    """Pack one view in one light."""
    view = folder.name.split("-")[0]
    target = ASSETS / folder.name
    target.mkdir(parents=True, exist_ok=True)
    for name in ("dry", "wet", *(f"water-{mm}" for mm in WATER_MM[view])):
        _write(target / f"{name}.webp", cv2.imread(str(folder / f"{name}.png")), _QUALITY_BACKGROUND)
    height = np.load(folder / "height.npy") / _GROUND_STEP + _GROUND_ZERO
    cv2.imwrite(str(ASSETS / f"{view}.png"), height.clip(0, 65535).astype(np.uint16))
    dry = cv2.imread(str(folder / "dry.png")).astype(np.float32)
    told: dict[str, Any] = {"water_mm": WATER_MM[view], "vehicles": {}}
    for kind in KINDS:
        records = json.loads((folder / f"{kind}.json").read_text())
        tiles = [tile for record in records if (tile := _tile(folder, record, dry)) is not None]
        looks, look_places = _atlas([tile.look for tile in tiles])
        marks, mark_places = _atlas([tile.marks for tile in tiles])
        _write(target / f"{kind}.webp", looks, _QUALITY_LOOK)
        # One grey picture: two maps in two colours of a WebP would bleed into each other.
        _write(target / f"{kind}-marks.webp", cv2.cvtColor(marks, cv2.COLOR_GRAY2BGR), _QUALITY_MARKS)
        told["vehicles"][kind] = [
            {**tile.record, "look": look, "marks": mark}
            for tile, look, mark in zip(tiles, look_places, mark_places, strict=True)
        ]
    (target / "set.json").write_text(json.dumps(told, separators=(",", ":")) + "\n")


def _tile(folder: Path, record: dict[str, Any], dry: Floats) -> Tile | None:
    seen = cv2.imread(str(folder / f"{record['name']}.png")).astype(np.float32)
    left, top = record["box"][:2]
    high, wide = seen.shape[:2]
    cover, height, paint = np.moveaxis(np.load(folder / f"{record['name']}.npy").astype(np.float32), -1, 0)
    cover = cover.clip(0, 1)
    if np.count_nonzero(cover > 0.5) < _LEAST_PIXELS:
        return None
    behind = dry[top : top + high, left : left + wide]
    keeps = _kept_light(seen, behind, cover)
    look = np.dstack([_own_colour(seen, behind, cover), cover * 255])
    # Colours come premultiplied with the cover.
    own = np.maximum(cover, 0.05)
    foot = record["foot"] + ground.lowest()
    body = np.where(cover > 0.02, height / own - foot, 9.0) / _BODY_STEP + _BODY_ZERO
    shown_paint = np.where(cover > 0.02, paint / own, 0.0) * 255
    part = _even_part((cover > 0.02) | (keeps < 0.97))
    look, keeps, body, shown_paint = look[part], keeps[part], body[part], shown_paint[part]
    small = (keeps.shape[1] // 2, keeps.shape[0] // 2)
    coarse = np.hstack([
        cv2.resize(keeps * 255, small, interpolation=cv2.INTER_AREA),
        cv2.resize(body, small, interpolation=cv2.INTER_NEAREST),
    ])  # fmt: skip
    marks = np.vstack([shown_paint, coarse]).clip(0, 255).round().astype(np.uint8)
    at = [left + part[1].start, top + part[0].start]
    told = {key: record[key] for key in ("lane", "x", "y", "foot")}
    size = [keeps.shape[1], keeps.shape[0]]
    return Tile(look.clip(0, 255).round().astype(np.uint8), marks, {**told, "at": at, "size": size})


def _own_colour(seen: Floats, behind: Floats, cover: Floats) -> Floats:
    """Return the vehicle's colour where it covers a pixel only partly, and carry it on around it."""
    share = cover[..., None]
    own = np.where(share > 0.1, (seen - (1 - share) * behind) / np.maximum(share, 0.1), seen).clip(0, 255)
    whole = (share > 0.5).astype(np.float32)
    weight = cv2.GaussianBlur(whole, (0, 0), 4)[..., None]
    around = cv2.GaussianBlur(own * whole, (0, 0), 4) / np.maximum(weight, 1e-3)
    return np.where(share > 0.05, own, around)


def _kept_light(seen: Floats, behind: Floats, cover: Floats) -> Floats:
    """Return how much of its light the ground keeps around a vehicle, 0..1."""
    gain = (seen.mean(2) + 6) / (behind.mean(2) + 6)
    free = (cover < 0.02).astype(np.float32)
    near = cv2.GaussianBlur(free, (0, 0), 1.2)
    smooth = np.where(near > 0.02, cv2.GaussianBlur(gain * free, (0, 0), 1.2) / np.maximum(near, 1e-3), 0.5)
    high, wide = cover.shape
    rows = np.minimum(np.arange(high), np.arange(high)[::-1])[:, None]
    columns = np.minimum(np.arange(wide), np.arange(wide)[::-1])[None]
    fade = (np.minimum(rows, columns) / _FADE).clip(0, 1)
    taken = np.maximum(0, (1 - smooth.clip(0, 1)) - _SHADOW) / (1 - _SHADOW)
    return (1 - taken * fade).astype(np.float32)


def _even_part(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the smallest part with even edges that holds a mask, so that half size fits."""
    parts = []
    for axis, size in ((1, mask.shape[0]), (0, mask.shape[1])):
        used = np.flatnonzero(mask.any(axis))
        begin, end = used[0] // 2 * 2, (used[-1] + 2) // 2 * 2
        parts.append(slice(int(begin), int(min(end, size // 2 * 2))))
    return parts[0], parts[1]


def _atlas(tiles: list[Any]) -> tuple[Any, list[list[int]]]:
    """Set tiles in rows."""
    places, x, y, high = [], 0, 0, 0
    for tile in tiles:
        if x + tile.shape[1] > _ATLAS_WIDTH:
            x, y, high = 0, y + high, 0
        places.append([x, y])
        x, high = x + tile.shape[1], max(high, tile.shape[0])
    sheet = np.zeros((y + high, _ATLAS_WIDTH, *tiles[0].shape[2:]), np.uint8)
    for tile, (left, top) in zip(tiles, places, strict=True):
        sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return sheet, places


def _write(path: Path, picture: Any, quality: int) -> None:
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_WEBP_QUALITY, quality])


if __name__ == "__main__":
    main()
