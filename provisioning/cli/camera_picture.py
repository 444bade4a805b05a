"""A picture of a camera as a file, for the commands that save one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lamppost.drivers.api import Frame
    from lamppost.drivers.camera import Camera

FORMATS = (".jpg", ".jpeg", ".png")


def problem_of(path: Path) -> str:
    """Return in words why a picture cannot be saved under this name; empty if it can."""
    return "" if path.suffix.lower() in FORMATS else f"{path}: a picture ends in .jpg or .png"


def save(camera: Camera, path: Path, *, zones: bool) -> tuple[Frame, dict[str, str]]:
    """Save one picture, with zones and lines drawn in if wanted; return it, and the legend.

    Raises DriverError if the camera gives none.
    """
    import cv2  # noqa: PLC0415 - heavy, and only needed here

    from lamppost.provisioning.drawn import drawn  # noqa: PLC0415

    frame = asyncio.run(camera.snapshot())
    image, legend = drawn(frame.image, camera.zones, camera.lines) if zones else (frame.image, {})
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return frame, legend
