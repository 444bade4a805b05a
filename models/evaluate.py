"""How good a segmenter is on pictures with masks that somebody drew, and on dry ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

#: Values of a mask; pixels to be ignored count neither way.
WATER, NOT, IGNORED = 255, 0, 128
#: Part of the picture, from below, whose wet share says whether it shows a flood: not the sky.
LOWER = 0.65

_PICTURES = (".jpg", ".jpeg", ".png")
_MASKS = ("_mask", "_m")


class Counts(NamedTuple):
    """Pixels: wet in both, wet in the map only, in the mask only."""

    both: int = 0
    map_only: int = 0
    mask_only: int = 0

    def __add__(self, other: object) -> Counts:
        if not isinstance(other, Counts):
            return NotImplemented
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def iou(self) -> float | None:
        """Intersection over union; None where neither is wet."""
        return _ratio(self.both, sum(self))

    @property
    def precision(self) -> float | None:
        """Which share of what was said to be water is; None where nothing was."""
        return _ratio(self.both, self.both + self.map_only)

    @property
    def recall(self) -> float | None:
        """Which share of the water was found; None where there is none."""
        return _ratio(self.both, self.both + self.mask_only)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass
class Result:
    """What `evaluate` found. ``problems`` are pictures that it had to leave out, each with the reason."""

    threshold: int
    counts: Counts = field(default_factory=Counts)
    ious: list[float] = field(default_factory=list)
    wet: list[float] = field(default_factory=list)
    dry: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def mean_iou(self) -> float | None:
        """The mean over the pictures with water of the IoU of each."""
        return sum(self.ious) / len(self.ious) if self.ious else None

    @property
    def auc(self) -> float | None:
        """How well the wet share of the lower part tells flooded pictures from dry ones; see `roc_auc`."""
        return roc_auc(self.wet, self.dry)


class Pair(NamedTuple):
    """A picture and its mask, if it has one."""

    picture: Path
    mask: Path | None


def pairs(folder: Path) -> list[Pair]:
    """Return the pictures of a folder: X.jpg or X.png with X_mask.png, X_m.png or, of a JPEG, X.png."""
    files = {path.name: path for path in sorted(folder.iterdir()) if path.suffix.lower() in _PICTURES}
    stems = {path.stem for path in files.values()}
    jpegs = {path.stem for path in files.values() if path.suffix.lower() != ".png"}
    found = []
    for path in files.values():
        is_png = path.suffix.lower() == ".png"
        if is_png and (path.stem in jpegs or any(_belongs(path.stem, end, stems) for end in _MASKS)):
            continue  # a mask itself
        names = [f"{path.stem}{end}.png" for end in _MASKS] + ([] if is_png else [f"{path.stem}.png"])
        found.append(Pair(path, next((files[name] for name in names if name in files), None)))
    return found


def _belongs(stem: str, end: str, stems: set[str]) -> bool:
    return stem.endswith(end) and stem.removesuffix(end) in stems


def evaluate(
    segment: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    threshold: int,
    folder: Iterable[Pair],
    dry: Sequence[Path] = (),
) -> Result:
    """Compare the maps of ``segment`` with masks. A pixel is wet from ``threshold`` (of 255) on.

    The map is scaled to its mask, linearly, so that each pixel of a mask counts once. ``dry`` are further
    pictures without water.
    """
    result = Result(threshold)
    for picture, mask in folder:
        if mask is None:
            result.problems.append(f"{picture}: has no mask ({picture.stem}_mask.png)")
            continue
        try:
            truth = _mask(mask)
            found = segment(_picture(picture))
        except ValueError as error:
            result.problems.append(str(error))
            continue
        counts = compared(found, truth, threshold)
        result.counts += counts
        if (truth == WATER).any():
            result.ious.append(counts.iou or 0.0)
            result.wet.append(lower_share(found, threshold))
        else:
            result.dry.append(lower_share(found, threshold))
    for picture in dry:
        try:
            result.dry.append(lower_share(segment(_picture(picture)), threshold))
        except ValueError as error:
            result.problems.append(str(error))
    return result


def compared(found: NDArray[np.uint8], truth: NDArray[np.uint8], threshold: int) -> Counts:
    """Return the pixels of a map against a mask (H, W) of any size."""
    height, width = truth.shape
    if found.shape != truth.shape:
        scaled = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
        found = scaled.astype(np.uint8, copy=False)
    said, water = found >= threshold, truth == WATER
    dry = truth == NOT
    both, false, missed = said & water, said & dry, ~said & water
    return Counts(*(int(np.count_nonzero(part)) for part in (both, false, missed)))


def lower_share(found: NDArray[np.uint8], threshold: int) -> float:
    """Return the share of wet pixels in the lower part of a map (h, w)."""
    first = round(found.shape[0] * (1 - LOWER))
    return float((found[first:] >= threshold).mean())


def roc_auc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Return the area under the ROC curve: how often a positive is above a negative, ties counting half.

    That is Mann and Whitney's U over the number of pairs (1947). None if there are no pairs.
    """
    if not positive or not negative:
        return None
    ordered = np.sort(np.asarray(negative, np.float64))
    below = np.searchsorted(ordered, positive, side="left")
    up_to = np.searchsorted(ordered, positive, side="right")
    return float((below + up_to).sum() / 2 / (len(positive) * len(negative)))


def _picture(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path}: not a picture that can be read")
    return image.astype(np.uint8, copy=False)


def _mask(path: Path) -> NDArray[np.uint8]:
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise ValueError(f"{path}: not a picture that can be read")
    odd = sorted(set(np.unique(mask).tolist()) - {WATER, NOT, IGNORED})
    if odd:
        values = ", ".join(map(str, odd[:5])) + (", ..." if len(odd) > 5 else "")
        raise ValueError(
            f"{path}: a mask has {WATER} (water), {NOT} (not) and {IGNORED} (ignored), not {values}"
        )
    return mask.astype(np.uint8, copy=False)
