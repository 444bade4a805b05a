"""Manifests and models for tests, and what a detector should find, computed in the plainest way."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
from onnx_writer import model, one_channel

SHARED = Path(__file__).parent.parent.parent / "shared"
LABELS = ("person", "car", "truck")


def put_model(
    folder: Path,
    content: bytes,
    *,
    decoder: str = "nanodet",
    name: str = "toy",
    file: str = "",
    labels: tuple[str, ...] = LABELS,
    size: tuple[int, int] = (64, 64),
    **more: Any,
) -> Path:
    """Write a model and its manifest; ``more`` goes to [input], ``thresholds`` and top-level keys by name."""
    file = file or f"{name}.onnx"
    (folder / file).write_bytes(content)
    tops = ("sha256", "one_thing", "score", "nms_iou", "extra", "task")
    top = {key: more.pop(key) for key in tops if key in more}
    inputs = {"height": size[0], "width": size[1]} | more
    path = folder / f"{name}.toml"
    path.write_text(
        f'name = "{name}"\nversion = "1"\nfile = "{file}"\nlicence = "CC0-1.0"\norigin = "a test"\n'
        f'sha256 = "{top.get("sha256", hashlib.sha256(content).hexdigest())}"\n'
        f"{'task = ' + repr(top['task']) if 'task' in top else ''}\n"
        f'decoder = "{decoder}"\nlabels = {list(labels)!r}\n{top.get("extra", "")}\n[input]\n'
        + "".join(f"{key} = {_toml(value)}\n" for key, value in inputs.items())
        + f"[thresholds]\nscore = {top.get('score', 0.3)}\nnms_iou = {top.get('nms_iou', 0.6)}\n"
        + f"one_thing = {[list(group) for group in top.get('one_thing', [])]!r}\n"
    )
    return path


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(list(value)) if isinstance(value, tuple) else repr(value)


def places(decoder: str, size: tuple[int, int]) -> list[tuple[float, float, int]]:
    """Return (x, y, stride) of every place, in the order of the outputs."""
    half = 0.5 if decoder == "nanodet" else 0.0
    strides = (8, 16, 32, 64) if decoder == "nanodet-plus" else (8, 16, 32)
    return [
        ((column + half) * stride, (row + half) * stride, stride)
        for stride in strides
        for row in range(math.ceil(size[0] / stride))
        for column in range(math.ceil(size[1] / stride))
    ]


def outputs_of(decoder: str, scores: np.ndarray, rest: np.ndarray, size: tuple[int, int]) -> list[np.ndarray]:
    """Lay out scores and boxes of all places as a model of that kind does."""
    if decoder != "nanodet":
        # NanoDet-Plus: scores, then boxes; YOLOX: box and objectness, then scores.
        parts = [rest, scores] if decoder == "yolox" else [scores, rest]
        return [np.concatenate(parts, axis=1)[None]]
    counts = [math.ceil(size[0] / s) * math.ceil(size[1] / s) for s in (8, 16, 32)]
    cuts = np.cumsum(counts)[:-1]
    levels = [np.split(part, cuts) for part in (scores, rest)]
    # Out of order, as real files are.
    return [part[None] for i in (2, 0, 1) for part in (levels[1][i], levels[0][i])]


def toy(folder: Path, decoder: str, scores: np.ndarray, rest: np.ndarray, **more: Any) -> Path:
    """Write a model of that kind that always sees the given places."""
    size = more.get("size", (64, 64))
    return put_model(
        folder, model(outputs_of(decoder, scores, rest, size), size=size), decoder=decoder, **more
    )


def blue_water(
    folder: Path, *, size: tuple[int, int] = (96, 160), scale: float = 1 / 255, **more: Any
) -> Path:
    """Write a segmenter to which the blue of a pixel, 0..255, is the probability that it is water."""
    content = more.pop("content", None) or one_channel(0, size=size)
    given: dict[str, Any] = {
        "name": "water", "decoder": "probability", "task": "segment", "labels": ("water",), "fit": "stretch",
        "score": 0.5, "size": size,
    }  # fmt: skip
    return put_model(folder, content, **(given | more))


def plain_boxes(
    decoder: str, scores: np.ndarray, rest: np.ndarray, size: tuple[int, int], score: float
) -> list[tuple[float, int, tuple[float, ...]]]:
    """Return (score, class, box in pixels) of all candidates, one number after the other."""
    found = []
    for place, (x, y, stride) in enumerate(places(decoder, size)):
        for kind in range(scores.shape[1]):
            value = float(scores[place, kind])
            if decoder == "yolox":
                value *= float(rest[place, 4])
            if value <= score:
                continue
            if decoder == "yolox":
                dx, dy, w, h = (float(v) for v in rest[place, :4])
                cx, cy = x + dx * stride, y + dy * stride
                w, h = math.exp(w) * stride, math.exp(h) * stride
                box = (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
            else:
                bins = rest.shape[1] // 4
                sides = []
                for side in range(4):
                    powers = [math.exp(float(v)) for v in rest[place, side * bins : (side + 1) * bins]]
                    sides.append(stride * sum(i * p for i, p in enumerate(powers)) / sum(powers))
                box = (x - sides[0], y - sides[1], x + sides[2], y + sides[3])
            found.append((value, kind, box))
    return sorted(found, key=lambda one: -one[0])


def plain_iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


def plain_suppressed(found: list, iou: float, kind_of: Any = lambda kind: kind) -> list:
    """Return what stays of (score, class, box), best first."""
    stay: list = []
    for one in found:
        if all(kind_of(s[1]) != kind_of(one[1]) or plain_iou(s[2], one[2]) <= iou for s in stay):
            stay.append(one)
    return stay
