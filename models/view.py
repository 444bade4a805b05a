"""Where the camera looks: how far the picture has moved against the one it was set up with.

A nudged or shaking camera moves every parked car at once. Knowing by how much keeps their places.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 160, 90
#: Correlation peak that can be believed; unrelated pictures stay below 0.05, dense traffic leaves 0.1.
SURE = 0.09
#: A camera that moved further than this share of the picture looks at something else.
FURTHEST = 0.12
#: The reference follows slow changes of light only while the view is where it was.
REFRESH_S = 60.0

_WINDOW = np.outer(np.hanning(HEIGHT), np.hanning(WIDTH)).astype(np.float32)


class Shift(NamedTuple):
    """How far the view has moved, as shares of width and height, and the correlation peak (0..1)."""

    dx: float
    dy: float
    peak: float


class View:
    """Measures the shift of a camera's pictures against a reference, to about 0.05 % of the width.

    Phase correlation (Kuglin and Hines, 1975) of edge pictures with sub-pixel peaks. Written out with
    numpy because `cv2.phaseCorrelate` of OpenCV 5.0 returns noise for these sizes.
    """

    def __init__(self) -> None:
        self._reference: NDArray[np.complex128] | None = None
        self._picture: NDArray[np.uint8] | None = None
        self._refreshed_at = 0.0
        self.shift = Shift(0.0, 0.0, 1.0)

    def look(self, grey: NDArray[np.uint8], now: float) -> Shift:
        """Take a grey picture (H, W) of any size at ``now`` seconds; return the shift to believe.

        A picture that does not correlate (dark, covered, other light) leaves the last shift as it was.
        """
        small = shrunk(grey)
        spectrum = _spectrum(small)
        if self._reference is None:
            self._refer(small, spectrum, now)
            return self.shift
        found = _correlate(self._reference, spectrum)
        if _believed(found):
            self.shift = found
            if now - self._refreshed_at >= REFRESH_S and abs(found.dx) + abs(found.dy) < 0.002:
                self._refer(small, spectrum, now)
        return self.shift

    def save(self) -> dict[str, Any] | None:
        """Return the reference and the shift as JSON values, about 12 kB; None before the first picture."""
        if self._picture is None:
            return None
        picture = base64.b64encode(zlib.compress(self._picture.tobytes())).decode()
        return {"picture": picture, "dx": self.shift.dx, "dy": self.shift.dy}

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on with a saved reference. Raises KeyError, TypeError, ValueError or zlib.error."""
        data = zlib.decompress(base64.b64decode(saved["picture"], validate=True))
        small = np.frombuffer(data, np.uint8).reshape(HEIGHT, WIDTH)
        shift = Shift(float(saved["dx"]), float(saved["dy"]), 1.0)
        self._refer(small, _spectrum(small), 0.0)
        self.shift = shift

    def _refer(self, small: NDArray[np.uint8], spectrum: NDArray[np.complex128], now: float) -> None:
        self._picture, self._reference, self._refreshed_at = small, spectrum, now


def shrunk(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a grey picture (H, W) in the size in which pictures are compared, (90, 160)."""
    return cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def displacement(reference: NDArray[np.uint8], picture: NDArray[np.uint8]) -> Shift | None:
    """Return how far one `shrunk` picture has moved against another; None if they show different places."""
    found = _correlate(_spectrum(reference), _spectrum(picture))
    return found if _believed(found) else None


def moved(picture: NDArray[np.uint8], dx: float, dy: float) -> NDArray[np.uint8]:
    """Return a picture or map (h, w) moved by shares of its width and height; its edges are drawn out."""
    height, width = picture.shape
    by = np.array([[1, 0, dx * width], [0, 1, dy * height]], np.float32)
    found = cv2.warpAffine(picture, by, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return found.astype(np.uint8, copy=False)


def _believed(found: Shift) -> bool:
    return found.peak >= SURE and abs(found.dx) <= FURTHEST and abs(found.dy) <= FURTHEST


def _spectrum(picture: NDArray[np.uint8]) -> NDArray[np.complex128]:
    small = picture.astype(np.float32)
    edges = np.log1p(np.hypot(cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)))
    return np.fft.rfft2((edges - edges.mean()) * _WINDOW)


def _correlate(reference: NDArray[np.complex128], spectrum: NDArray[np.complex128]) -> Shift:
    cross = reference.conj() * spectrum
    size = np.abs(cross)
    surface = np.fft.irfft2(cross / (size + 1e-3 * size.mean() + 1e-9), (HEIGHT, WIDTH))
    reach_x, reach_y = round(WIDTH * FURTHEST) + 2, round(HEIGHT * FURTHEST) + 2
    surface[:, reach_x:-reach_x] = -1.0
    surface[reach_y:-reach_y] = -1.0
    y, x = divmod(int(surface.argmax()), WIDTH)
    peak = float(surface[y, x])
    dx = x + _between(surface[y, x - 1], peak, surface[y, (x + 1) % WIDTH])
    dy = y + _between(surface[y - 1, x], peak, surface[(y + 1) % HEIGHT, x])
    return Shift(_signed(dx, WIDTH) / WIDTH, _signed(dy, HEIGHT) / HEIGHT, peak)


def _between(before: float, peak: float, after: float) -> float:
    """Return where between two samples the peak of the parabola through three lies."""
    bend = before - 2 * peak + after
    return 0.0 if bend == 0 else float(0.5 * (before - after) / bend)


def _signed(value: float, size: int) -> float:
    return value - size if value > size / 2 else value
