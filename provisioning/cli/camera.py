"""`lamppost camera snapshot`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from lamppost.agent.config import load
from lamppost.drivers.camera import Camera
from lamppost.provisioning.cli.options import ConfigFile

app = typer.Typer(no_args_is_help=True)

_LINE = (80, 220, 255)  # blue, green, red: to be seen by day and by night
_EDGE = (0, 0, 0)
_FORMATS = (".jpg", ".jpeg", ".png")


@app.callback()
def camera() -> None:
    """Configured cameras."""


@app.command()
def snapshot(
    device: Annotated[str, typer.Argument(help="Name of the camera in the configuration.")],
    config: ConfigFile,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File, .jpg or .png; else DEVICE.jpg here.")
    ] = None,
    zones: Annotated[bool, typer.Option("--zones", help="Draw the zones on the picture.")] = False,
) -> int:
    """Save one picture of a camera, as the agent gets it. The agent may run meanwhile."""
    devices = load(config).devices
    cameras = {name: found.driver for name, found in devices.items() if isinstance(found.driver, Camera)}
    path = out or Path(f"{device}.jpg")
    if device not in cameras:
        what = "is no camera" if device in devices else "is not in the configuration"
        return _wrong(f"{device} {what}; cameras: {', '.join(cameras) or 'none'}")
    if path.suffix.lower() not in _FORMATS:
        return _wrong(f"{path}: a picture ends in .jpg or .png")
    frame = asyncio.run(cameras[device].snapshot())
    image = drawn(frame.image, cameras[device].zones) if zones else frame.image
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    height, width = image.shape[:2]
    print(f"{path}: {width}x{height}, {frame.at:%Y-%m-%d %H:%M:%S} UTC")
    return 0


def _wrong(message: str) -> int:
    print(f"lamppost: {message}", file=sys.stderr)
    return 2


def drawn(image: Any, zones: dict[str, list[tuple[float, float]]]) -> Any:
    """Return a copy of a picture with zones and their names on it."""
    picture = image.copy()
    height, width = picture.shape[:2]
    thick = max(1, round(width / 400))
    for name, points in zones.items():
        corners = np.array(points) * (width - 1, height - 1)
        outline = corners.round().astype(np.int32)
        for colour, wide in ((_EDGE, thick + 2), (_LINE, thick)):
            cv2.polylines(
                picture, [outline], isClosed=True, color=colour, thickness=wide, lineType=cv2.LINE_AA
            )
            x, y = (int(value) for value in outline[outline[:, 1].argmin()])
            place = (max(2, min(x, width - 12 * len(name))), max(16, y - 4 - thick))
            size = max(0.4, width / 1400)
            cv2.putText(picture, name, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, wide, cv2.LINE_AA)
    return picture
