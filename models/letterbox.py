"""A picture becomes the input of a model: scaled, padded, normalised, in buffers made once."""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.models.detections import Floats
from lamppost.models.manifest import Input

Picture: TypeAlias = NDArray[np.uint8]

#: Picture sizes whose buffers are kept; a box has few cameras, but a stream may change its size for ever.
_SIZES = 8


class Letterbox:
    """Turns pictures of one size into input tensors, and boxes in the input back into 0..1 of the picture.

    ``height`` and ``width`` are the tensor's: the manifest's, or less where ``trim`` leaves out padding.
    ``smooth`` averages what a large picture has between the pixels of the input.
    """

    def __init__(self, spec: Input, picture_height: int, picture_width: int, *, smooth: bool = False) -> None:
        self._spec = spec
        # Never scaled to nothing: a strip of 2000 x 1 pixels is a picture too.
        scale = min(spec.height / picture_height, spec.width / picture_width)
        tall = max(1, round(picture_height * scale))
        wide = max(1, round(picture_width * scale))
        if spec.fit == "stretch":
            tall, wide = spec.height, spec.width
        self.height = -(-tall // 32) * 32 if spec.trim else spec.height
        self.width = -(-wide // 32) * 32 if spec.trim else spec.width
        centred = spec.fit == "centre"
        top, left = ((self.height - tall) // 2, (self.width - wide) // 2) if centred else (0, 0)
        self._offset = np.array([left, top, left, top], dtype=np.float32)
        self._extent = np.array([wide, tall, wide, tall], dtype=np.float32)
        self._size = (wide, tall)
        self._scaled: Picture = np.empty((tall, wide, 3), dtype=np.uint8)
        self._twice: Picture | None = None
        if smooth and picture_width > 1.5 * wide and picture_height > 1.5 * tall:
            self._twice = np.empty((2 * tall, 2 * wide, 3), dtype=np.uint8)
        self._planes = [np.empty((tall, wide), dtype=np.uint8) for _ in range(3)]
        self._factor = (1 / np.array(spec.std)).astype(np.float32)
        self._shift = (-np.array(spec.mean) / np.array(spec.std)).astype(np.float32)
        self._identity = not any(spec.mean) and spec.std == (1, 1, 1)
        self.tensor: NDArray[Any] = self._padding()
        whole = self.tensor[0] if spec.layout == "nchw" else self.tensor[0].transpose(2, 0, 1)
        self._inner = whole[:, top : top + tall, left : left + wide]

    def _padding(self) -> NDArray[Any]:
        """Return a tensor of padding alone; the picture always covers the same part of it."""
        pixel = self._spec.pad * self._factor + self._shift
        shape = (1, self.height, self.width, 3)
        padding = np.broadcast_to(pixel, shape).astype(self._spec.dtype)
        # In the order of memory that the runtime takes, or it would copy every picture.
        return np.ascontiguousarray(padding if self._spec.layout == "nhwc" else padding.transpose(0, 3, 1, 2))

    def __call__(self, picture: Picture) -> NDArray[Any]:
        """Return the input tensor of ``picture`` (HxWx3, BGR), which is overwritten by the next call."""
        scaled = self._resized(picture)
        # Splitting first makes the rest run over contiguous bytes: half the time of slicing channels.
        cv2.split(scaled, self._planes)
        planes = self._planes if self._spec.colour == "bgr" else self._planes[::-1]
        for channel, plane in enumerate(planes):
            target = self._inner[channel]
            target[...] = plane
            if not self._identity:
                target *= self._factor[channel]
                target += self._shift[channel]
        return self.tensor

    def _resized(self, picture: Picture) -> Picture:
        if picture.shape[:2] == self._scaled.shape[:2]:
            return picture
        if self._twice is None:
            cv2.resize(picture, self._size, dst=self._scaled, interpolation=cv2.INTER_LINEAR)
            return self._scaled
        # By way of twice the size: nearly the average of areas, at a fraction of its cost.
        wide, tall = self._size
        cv2.resize(picture, (2 * wide, 2 * tall), dst=self._twice, interpolation=cv2.INTER_LINEAR)
        cv2.resize(self._twice, self._size, dst=self._scaled, interpolation=cv2.INTER_AREA)
        return self._scaled

    def to_picture(self, boxes: Floats) -> Floats:
        """Return boxes (N, 4) in pixels of the input as 0..1 of the picture, cut at its edges."""
        placed = (boxes - self._offset) / self._extent
        return np.clip(placed, 0, 1, out=placed)


class Letterboxes:
    """The letterbox of each size of picture that comes."""

    def __init__(self, spec: Input, *, smooth: bool = False) -> None:
        self._spec = spec
        self._smooth = smooth
        self._known: dict[tuple[int, int], Letterbox] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, picture: Picture) -> Letterbox:
        """Return the letterbox of a picture (HxWx3, uint8, BGR). Raises ValueError for what is none."""
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or picture.size == 0:
            raise ValueError(f"a picture is HxWx3 uint8, got {picture.shape} {picture.dtype}")
        size = picture.shape[0], picture.shape[1]
        known = self._known.get(size)
        if known is None:
            if len(self._known) >= _SIZES:
                self._known.clear()
            known = self._known[size] = Letterbox(self._spec, *size, smooth=self._smooth)
        return known
