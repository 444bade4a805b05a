"""What the outputs of a detector mean: candidate boxes in pixels of the input, before suppression.

A model's graph says nothing of which output is which and orders them as it likes. `make_decoder` finds out
from the shapes that a first run gave, and refuses a model that does not fit its manifest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lamppost.models.detections import Floats
from lamppost.models.errors import ModelError

#: More than any street holds; bounds the work that a picture of pure noise can cause.
MOST = 400


class Candidates(NamedTuple):
    """``boxes`` (N, 4) in pixels of the input, ``scores`` (N,), ``classes`` (N,) as indices."""

    boxes: Floats
    scores: Floats
    classes: NDArray[np.intp]


class Decoder(Protocol):
    """Reads the outputs of one model at one input size."""

    def __call__(self, outputs: Sequence[Floats]) -> Candidates:
        """Return every (place, class) that scores above the threshold; at most the best `MOST`."""

    def implausible(self, outputs: Sequence[Floats]) -> str | None:
        """Say why these outputs cannot be of this kind of model, or None."""


class _Level(NamedTuple):
    """Where the numbers of some places stand: which output, which columns; and where the places are."""

    scores: int
    boxes: int
    first_box_column: int
    centres: Floats  # (n, 2), x and y in pixels
    strides: Floats  # (n, 1)


def make_decoder(
    kind: str, size: tuple[int, int], classes: int, score: float, outputs: Sequence[Floats]
) -> Decoder:
    """Return the decoder for a model whose run at ``size`` (height, width) gave arrays like ``outputs``.

    ``kind`` is the manifest's ``decoder``. Raises `ModelError`, which says what was found and expected.
    """
    shapes = [output.shape for output in outputs]
    if kind == "yolox":
        return YoloX(_one_array(shapes, size, (8, 16, 32), 5 + classes), score)
    strides, shift = ((8, 16, 32), 0.5) if kind == "nanodet" else ((8, 16, 32, 64), 0.0)
    return NanoDet(_distribution_levels(shapes, size, strides, classes, shift), classes, score)


def grid(size: tuple[int, int], stride: int, shift: float) -> Floats:
    """Return the places (n, 2) of a stride, x and y in pixels, row by row; 0.5 is a cell's middle."""
    rows, columns = (-(-side // stride) for side in size)
    y, x = np.mgrid[:rows, :columns]
    places = np.stack([x.ravel(), y.ravel()], axis=1)
    return ((places + shift) * stride).astype(np.float32)


def _one_array(
    shapes: Sequence[tuple[int, ...]], size: tuple[int, int], strides: Sequence[int], width: int
) -> _Level:
    grids = [grid(size, stride, 0.0) for stride in strides]
    places = sum(map(len, grids))
    if [tuple(shape) for shape in shapes] != [(1, places, width)]:
        raise ModelError(f"gives {_said(shapes)}; expected 1x{places}x{width}")
    steps = [np.full((len(g), 1), s, dtype=np.float32) for g, s in zip(grids, strides, strict=True)]
    return _Level(0, 0, width, np.concatenate(grids), np.concatenate(steps))


def _distribution_levels(
    shapes: Sequence[tuple[int, ...]],
    size: tuple[int, int],
    strides: Sequence[int],
    classes: int,
    shift: float,
) -> list[_Level]:
    """Find scores and boxes for each stride, in outputs of their own or all in one array."""
    grids = [grid(size, stride, shift) for stride in strides]
    steps = [np.full((len(g), 1), s, dtype=np.float32) for g, s in zip(grids, strides, strict=True)]
    if len(shapes) == 1:
        count = sum(map(len, grids))
        if not _is_scores_and_boxes(shapes[0], count, classes):
            raise ModelError(
                f"gives {_said(shapes)}; expected 1x{count}x({classes} scores and 4 sides of some bins)"
            )
        return [_Level(0, 0, classes, np.concatenate(grids), np.concatenate(steps))]
    levels = []
    for stride, places, step in zip(strides, grids, steps, strict=True):
        here = [i for i, shape in enumerate(shapes) if len(shape) == 3 and shape[:2] == (1, len(places))]
        scores = [i for i in here if shapes[i][2] == classes]
        boxes = [i for i in here if i not in scores and shapes[i][2] % 4 == 0 and shapes[i][2] >= 8]
        if len(scores) != 1 or len(boxes) != 1:
            raise ModelError(
                f"gives {_said(shapes)}; stride {stride} needs 1x{len(places)}x{classes} scores "
                f"and 1x{len(places)}x(4 sides of some bins) beside it"
            )
        levels.append(_Level(scores[0], boxes[0], 0, places, step))
    return levels


def _is_scores_and_boxes(shape: tuple[int, ...], places: int, classes: int) -> bool:
    bins = shape[-1] - classes
    return len(shape) == 3 and shape[:2] == (1, places) and bins >= 8 and bins % 4 == 0


def _said(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes) or "nothing"


class NanoDet:
    """NanoDet and NanoDet-Plus: a score per class, and each side of a box as a distribution over distances.

    Generalized Focal Loss (Li et al. 2020, equation 6): a distance is the expectation of the softmax over the
    bins, in strides. The two differ in strides, bins and the middle of a cell.
    """

    def __init__(self, levels: Sequence[_Level], classes: int, score: float) -> None:
        self._levels = levels
        self._classes = classes
        self._score = score

    def implausible(self, outputs: Sequence[Floats]) -> str | None:
        """Say why these outputs cannot be of this kind of model, or None."""
        return _no_scores(*(outputs[level.scores][..., : self._classes] for level in self._levels))

    def __call__(self, outputs: Sequence[Floats]) -> Candidates:
        """Return the best candidates, best first."""
        found = [self._level(level, outputs) for level in self._levels]
        return _best(Candidates(*(np.concatenate(part) for part in zip(*found, strict=True))))

    def _level(self, level: _Level, outputs: Sequence[Floats]) -> Candidates:
        scores = outputs[level.scores][0, :, : self._classes]
        places, classes = np.divmod(np.flatnonzero(scores > self._score), self._classes)
        found = scores[places, classes]
        if len(found) > MOST:
            best = np.argpartition(-found, MOST)[:MOST]
            places, classes, found = places[best], classes[best], found[best]
        # Few places pass, so the costly softmax is for them only.
        logits = outputs[level.boxes][0, places, level.first_box_column :]
        logits = logits.reshape(len(places), 4, logits.shape[1] // 4)
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        bins = np.arange(logits.shape[2], dtype=np.float32)
        sides = (weights @ bins) / weights.sum(axis=2) * level.strides[places]
        centres = level.centres[places]
        boxes = np.concatenate([centres - sides[:, :2], centres + sides[:, 2:]], axis=1)
        return Candidates(boxes, found, classes)


class YoloX:
    """YOLOX without decoding in the graph: centre and size by cell, objectness, class scores."""

    def __init__(self, level: _Level, score: float) -> None:
        self._level = level
        self._score = score

    def implausible(self, outputs: Sequence[Floats]) -> str | None:
        """Say why these outputs cannot be of this kind of model, or None."""
        return _no_scores(outputs[0][..., 4:])

    def __call__(self, outputs: Sequence[Floats]) -> Candidates:
        """Return the best candidates, best first."""
        table = outputs[0][0]
        # No class scores above its objectness, so most places fall out by one column.
        likely = np.flatnonzero(table[:, 4] > self._score)
        rows = table[likely]
        scores = rows[:, 5:] * rows[:, 4:5]
        which, classes = np.nonzero(scores > self._score)
        rows, places = rows[which], likely[which]
        strides = self._level.strides[places]
        centres = rows[:, :2] * strides + self._level.centres[places]
        # e^12 cells is beyond any picture; more would only overflow.
        halves = np.exp(np.minimum(rows[:, 2:4], 12)) * strides / 2
        boxes = np.concatenate([centres - halves, centres + halves], axis=1)
        return _best(Candidates(boxes, scores[which, classes], classes))


def _best(found: Candidates) -> Candidates:
    """Drop boxes that are none, and order by score, best first."""
    boxes = found.boxes
    real = np.flatnonzero((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))
    order = real[np.argsort(-found.scores[real], kind="stable")[:MOST]]
    return Candidates(boxes[order], found.scores[order], found.classes[order])


def _no_scores(*outputs: Floats) -> str | None:
    for output in outputs:
        low, high = float(output.min()), float(output.max())
        if not (low >= 0 and high <= 1):  # also when they are no numbers
            return f"its scores run from {low:.3g} to {high:.3g}, not from 0 to 1 (no sigmoid in it?)"
    return None
