"""Draws a picture of evidence: the zone, the box, and below the picture, covering nothing, time and place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from lamppost.agent.evidence.blur import Blur, Found, Image, Region, conceal
from lamppost.models.detections import Detections

#: Blue, green, red.
ZONE, BOX, DARK, TEXT, FADED = (0, 200, 255), (40, 40, 255), (24, 24, 24), (255, 255, 255), (190, 190, 190)
FONT = cv2.FONT_HERSHEY_SIMPLEX
#: OpenCV 4 draws ASCII only; since 5 this name stands for an outline font with the letters of most scripts.
WRITES_ALL = int(cv2.__version__.split(".", maxsplit=1)[0]) >= 5


class Caption(NamedTuple):
    """A line below the picture: what stands on its left and on its right."""

    left: str
    right: str


class Subject(NamedTuple):
    """What is drawn. ``box``, ``zone``, ``found`` and ``outline`` are in 0..1 of the camera's reference view.

    ``outline`` are polygons; where there are some, they are drawn and the box is not. ``shift`` is how far
    ``image`` had moved against that view, as shares of width and height.
    """

    image: Image
    shift: tuple[float, float]
    box: tuple[float, float, float, float]
    zone: Sequence[tuple[float, float]]
    found: Detections
    captions: Sequence[Caption]
    outline: Sequence[Sequence[tuple[float, float]]] = ()


def draw(subject: Subject, width: int, blur: Blur = "none") -> Image:
    """Return the picture ``width`` pixels wide with the captions below it."""
    image = _resized(subject.image, width)
    at = _Places(image, subject.shift)
    box = at.region(subject.box)
    seen = zip(subject.found.labels, subject.found.scores, subject.found.boxes, strict=True)
    found = [Found(label, float(score), at.region(place)) for label, score, place in seen]
    # People and cars in a box around water are not what is reported: they are concealed as others are.
    reported = Region(0, 0, 0, 0) if subject.outline and blur == "found" else box
    image = conceal(image, reported, found, blur)
    if image is subject.image:
        image = image.copy()
    _polygon(image, at.points(subject.zone), ZONE)
    if subject.outline:
        for polygon in subject.outline:
            _polygon(image, at.points(polygon), BOX)
    else:
        _around(image, box)
    return np.vstack([image, _strip(width, subject.captions)])


class _Places:
    """Where things of the reference view are in a picture, in pixels."""

    def __init__(self, image: Image, shift: tuple[float, float]) -> None:
        self._size = np.array([image.shape[1], image.shape[0]], np.float64)
        self._shift = np.array(shift, np.float64)

    def points(
        self, points: Sequence[tuple[float, float]]
    ) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
        """Return points as whole pixels."""
        placed = (np.array(points, np.float64).reshape(-1, 2) + self._shift) * self._size
        return np.rint(placed).astype(np.int32)

    def region(self, box: Sequence[float]) -> Region:
        """Return a box as a region."""
        (x1, y1), (x2, y2) = (np.array(box, np.float64).reshape(2, 2) + self._shift) * self._size
        return Region(float(x1), float(y1), float(x2), float(y2))


def _resized(image: Image, width: int) -> Image:
    old = image.shape[1]
    if old == width:
        return image
    size = (width, max(1, round(image.shape[0] * width / old)))
    # Averaging areas is slow in between whole ratios, and only worth it where much is thrown away.
    how = cv2.INTER_AREA if old >= 2 * width else cv2.INTER_LINEAR
    return cv2.resize(image, size, interpolation=how).astype(np.uint8, copy=False)


def _polygon(
    image: Image, points: np.ndarray[tuple[int, int], np.dtype[np.int32]], colour: tuple[int, int, int]
) -> None:
    thin = max(1, image.shape[1] // 640)
    if len(points):
        cv2.polylines(image, [points], True, DARK, thin + 2, cv2.LINE_AA)
        cv2.polylines(image, [points], True, colour, thin, cv2.LINE_AA)


def _around(image: Image, box: Region) -> None:
    """Draw around the box, so that what is in it stays as it was."""
    thin = max(1, image.shape[1] // 640)
    rows, columns = box.within(image)
    away = thin + 1
    first = (columns.start - away, rows.start - away)
    last = (columns.stop - 1 + away, rows.stop - 1 + away)
    inside = image[rows, columns].copy()
    cv2.rectangle(image, first, last, DARK, thin + 2)
    cv2.rectangle(image, first, last, BOX, thin)
    image[rows, columns] = inside


def _strip(width: int, captions: Sequence[Caption]) -> Image:
    """Return the captions as a strip, as large as the picture is wide and as the longest line allows."""
    captions = [Caption(_writable(line.left), _writable(line.right)) for line in captions]
    wanted = min(1.0, max(0.42, width / 1600))
    gap = max(3, width // 160)
    longest = max((_width(f"{line.left}   {line.right}", wanted) for line in captions), default=1)
    scale = wanted * min(1.0, (width - 2 * gap) / longest)
    line_height = max(6, round(30 * scale))
    strip = np.full((line_height * len(captions) + 2 * gap, width, 3), DARK, np.uint8)
    thick = 2 if scale > 0.75 else 1
    for number, line in enumerate(captions):
        y = gap + round(line_height * (number + 0.75))
        cv2.putText(strip, line.left, (gap, y), FONT, scale, TEXT, thick, cv2.LINE_AA)
        x = width - gap - _width(line.right, scale, thick)
        cv2.putText(strip, line.right, (x, y), FONT, scale, FADED, thick, cv2.LINE_AA)
    return strip


def _writable(text: str) -> str:
    """Return what OpenCV can write; half a surrogate pair would end the process."""
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if WRITES_ALL else text.encode("ascii", "replace").decode()


def _width(text: str, scale: float, thick: int = 1) -> int:
    return int(cv2.getTextSize(text, FONT, scale, thick)[0][0])
