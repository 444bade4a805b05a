"""What a damaged, dirty or pushed camera makes of a picture."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from lamppost.simulators.camera.faults import CameraFault
from lamppost.simulators.street.renders import Image

_JPEG_QUALITY = 85


class Lens:
    """Turns pictures into JPEG, through what is wrong with the camera."""

    def __init__(self) -> None:
        self._chance = np.random.default_rng(5)
        self._last = b""

    def jpeg(self, image: Image, faults: Mapping[CameraFault, float]) -> bytes:
        """Return a picture as JPEG; a frozen camera's last one, whatever it should see."""
        if CameraFault.FROZEN in faults and self._last:
            return self._last
        done, data = cv2.imencode(
            ".jpg", self._damaged(image, faults), (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY)
        )
        assert done
        self._last = data.tobytes()
        return self._last

    def _damaged(self, image: Image, faults: Mapping[CameraFault, float]) -> Image:
        across, down = 0.0, 0.0
        if pixels := faults.get(CameraFault.MOVED):
            across, down = pixels, pixels / 2
        if pixels := faults.get(CameraFault.SHAKE):
            swing = self._chance.normal(0.0, abs(pixels) / 2, 2)
            across, down = across + swing[0], down + swing[1]
        if across or down:
            matrix = np.array([[1, 0, across], [0, 1, down]], np.float32)
            size = image.shape[1], image.shape[0]
            image = np.asarray(cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REFLECT), np.uint8)
        if pixels := faults.get(CameraFault.BLURRED):
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), abs(pixels)), np.uint8)
        if CameraFault.BLINDED in faults:
            image = np.asarray(cv2.addWeighted(image, 0.3, np.full_like(image, 255), 1.0, 0), np.uint8)
        if CameraFault.BLACK in faults:
            image = np.asarray(cv2.addWeighted(image, 0.02, image, 0.0, 0), np.uint8)
        return image
