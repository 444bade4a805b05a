"""Draws what a replay saw into a video: boxes, zones, and what was reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lamppost.agent.event import Phase
from lamppost.agent.evidence.captions import remark
from lamppost.agent.sight.replay import Seen
from lamppost.agent.sight.water import Water
from lamppost.models.view import Shift, moved

ZONE, BOX, ALARM, TEXT = (255, 200, 0), (0, 220, 0), (0, 0, 255), (255, 255, 255)
#: New water, and what looks wet but did so when the road was dry.
WATER, KNOWN = (255, 80, 0), (160, 160, 160)
SHADE = 0.45


class Annotator:
    """Writes one picture for each look; the file's pace is the recording's own."""

    def __init__(self, path: Path, zones: set[str]) -> None:
        self._path = path
        self._zones = zones
        self._writer: cv2.VideoWriter | None = None
        self._held: tuple[float, Any] | None = None
        self._open: dict[str, dict[str, Any]] = {}
        self._written = 0
        self._water: Water | None = None

    #: Pictures a second of the output; each look is repeated until the next.
    FPS = 10.0

    def add(self, seen: Seen) -> None:
        """Draw one look."""
        for event in seen.events:
            if event.phase is Phase.CLOSE:
                self._open.pop(event.id, None)
            else:
                self._open[event.id] = dict(event.measures)
        image = seen.scene.image.copy()
        height, width = image.shape[:2]
        if self._writer is None:
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._path), code, self.FPS, (width, height))
            if not self._writer.isOpened():
                raise OSError(f"{self._path} cannot be written as a video; is the folder there?")
        self._fill(seen.at_s)
        self._draw(image, seen, width, height)
        self._held = (seen.at_s, image)

    def _draw(self, image: Any, seen: Seen, width: int, height: int) -> None:
        self._water = seen.scene.water or self._water
        if self._water is not None:
            _wet(image, self._water, seen.scene.shift)
        scale = np.array([width, height], np.float32)
        offset = np.array([seen.scene.shift.dx, seen.scene.shift.dy], np.float32)
        for name, polygon in seen.scene.zones.items():
            points = ((np.array(polygon, np.float32) + offset) * scale).astype(np.int32)
            cv2.polylines(image, [points], True, ZONE, 2 if name in self._zones else 1)
            cv2.putText(image, name, tuple(points[0]), cv2.FONT_HERSHEY_SIMPLEX, 0.5, ZONE, 1)
        found = seen.scene.detections
        for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True):
            self._box(image, (box.reshape(2, 2) + offset) * scale, BOX, f"{label} {score:.2f}")
        for measures in self._open.values():
            if "x1" in measures:
                corners = np.array(
                    [[measures["x1"], measures["y1"]], [measures["x2"], measures["y2"]]], np.float32
                )
                said = f"{measures['dwell_s']} s" if "dwell_s" in measures else remark(measures)
                self._box(image, (corners + offset) * scale, ALARM, said)
        cv2.putText(image, f"{seen.at_s:.1f} s", (8, height - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.6, TEXT, 2)

    def _box(self, image: Any, corners: Any, colour: tuple[int, int, int], text: str) -> None:
        (x1, y1), (x2, y2) = corners.astype(int)
        cv2.rectangle(image, (int(x1), int(y1)), (int(x2), int(y2)), colour, 2)
        cv2.putText(image, text, (int(x1), int(y1) - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1)

    def _fill(self, until_s: float) -> None:
        """Repeat the held picture until the next look is due."""
        if self._held is None or self._writer is None:
            return
        while self._written / self.FPS < until_s - self._began_s():
            self._writer.write(self._held[1])
            self._written += 1

    def _began_s(self) -> float:
        if not hasattr(self, "_start_s"):
            assert self._held is not None
            self._start_s = self._held[0]
        return self._start_s

    def close(self) -> None:
        """Finish the file."""
        if self._held is not None and self._writer is not None:
            self._writer.write(self._held[1])
        if self._writer is not None:
            self._writer.release()


def _wet(image: Any, water: Water, shift: Shift) -> None:
    """Tint what looks wet, and outline what does so only now."""
    height, width = image.shape[:2]
    maps = [water.wet] if water.dry is None else [water.wet, water.dry]
    shown = [cv2.resize(moved(one, shift.dx, shift.dy), (width, height)) >= water.threshold for one in maps]
    wet = shown[0]
    known = shown[1] & wet if len(shown) > 1 else np.zeros_like(wet)
    for part, colour in ((wet & ~known, WATER), (known, KNOWN)):
        image[part] = (image[part] * (1 - SHADE) + np.array(colour) * SHADE).astype(np.uint8)
    outlines, _ = cv2.findContours(
        (wet & ~known).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    cv2.drawContours(image, outlines, -1, WATER, 1)
