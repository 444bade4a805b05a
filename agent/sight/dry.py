"""Dry references: what the segmenter sees of a road that somebody knows to be dry, one file for each light.

Files stand in a folder that the agent and `lamppost camera dry` share: ``CAMERA-day.png`` is the map, with
what is known of it in a text chunk of the PNG (so that both are one file), ``CAMERA-day.jpg`` the picture.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import struct
import zlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.agent.durable import sync_folder
from lamppost.agent.sight.scene import Scene
from lamppost.agent.sight.water import Light
from lamppost.models.view import HEIGHT, WIDTH, shrunk

LIGHTS: tuple[Light, ...] = ("day", "night")
_KEYWORD = b"lamppost\0"
_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 85]


class DryError(Exception):
    """A dry reference cannot be read: which file, what is wrong with it, and what to do about it."""


class Reference(NamedTuple):
    """A dry road. ``wet`` (h, w) is the most that was seen there, ``view`` (90, 160) the place it is of.

    ``size`` is width and height of the camera's pictures, ``model`` the hash of the segmenter's file,
    ``by`` who said that the road is dry: "operator" or the rule's gauge.
    """

    wet: NDArray[np.uint8]
    view: NDArray[np.uint8]
    size: tuple[int, int]
    at: datetime
    by: str
    model: str


def reference(maps: Sequence[NDArray[np.uint8]], scene: Scene, by: str, model: str) -> Reference:
    """Return the reference that maps of dry looks, the last of them ``scene``, give: the most of them."""
    height, width = scene.image.shape[:2]
    most = np.asarray(np.max(maps, axis=0), np.uint8)
    return Reference(most, shrunk(scene.grey), (width, height), scene.at, by, model)


class DryFolder:
    """The references of all cameras of a box."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, camera: str, light: Light) -> Path:
        """Return the file of a reference."""
        return self._folder / f"{quote(camera, safe='')}-{light}.png"

    def stamp(self, camera: str, light: Light) -> tuple[int, int] | None:
        """Return what changes when a reference is written anew; None if there is none."""
        try:
            found = self.path(camera, light).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def load(self, camera: str, light: Light) -> Reference:
        """Return a reference. Raises `DryError`."""
        path = self.path(camera, light)
        try:
            return _decoded(path.read_bytes())
        except OSError as error:
            raise DryError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, zlib.error, struct.error, cv2.error) as error:
            raise DryError(
                f"{path}: is no dry reference, or damaged; make it again: lamppost camera dry {camera}"
            ) from error

    def put(self, camera: str, light: Light, made: Reference, image: NDArray[np.uint8]) -> Path:
        """Write a reference and its picture (H, W, 3), each whole or not at all. Raises OSError."""
        path = self.path(camera, light)
        self._folder.mkdir(parents=True, exist_ok=True)
        _write(path.with_suffix(".jpg"), cv2.imencode(".jpg", image, _QUALITY)[1].tobytes())
        _write(path, _encoded(made))
        self._hand_over(path)
        return path

    def _hand_over(self, path: Path) -> None:
        """Give what root wrote to the owner of the state: the agent is to write there, too."""
        if os.geteuid() == 0:
            owner = self._folder.parent.stat()
            for one in (self._folder, path, path.with_suffix(".jpg")):
                with contextlib.suppress(OSError):
                    os.chown(one, owner.st_uid, owner.st_gid)


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name(f"{path.name}.new")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _encoded(made: Reference) -> bytes:
    """Return the PNG (W3C PNG, 11.3.4.3 tEXt) with what is known of it after its header."""
    about = made._asdict() | {
        "view": base64.b64encode(zlib.compress(made.view.tobytes())).decode(),
        "at": made.at.isoformat(timespec="seconds"),
    }
    del about["wet"]
    png = cv2.imencode(".png", made.wet)[1].tobytes()
    chunk = b"tEXt" + _KEYWORD + json.dumps(about).encode("ascii")
    text = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    header = 8 + 25
    return png[:header] + text + png[header:]


def _decoded(content: bytes) -> Reference:
    about: dict[str, Any] = {}
    place = 8
    while place + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        body = content[place + 8 : place + 8 + length]
        if kind == b"tEXt" and body.startswith(_KEYWORD):
            (checked,) = struct.unpack(">I", content[place + 8 + length : place + 12 + length])
            if checked != zlib.crc32(kind + body):
                raise ValueError("damaged")
            about = json.loads(body.removeprefix(_KEYWORD))
        place += length + 12
    # OpenCV gives what there is of a cut file: the end must be there.
    if place != len(content) or kind != b"IEND":
        raise ValueError("cut short")
    wet = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if wet is None:
        raise ValueError("no picture")
    view = np.frombuffer(zlib.decompress(base64.b64decode(about["view"])), np.uint8).reshape(HEIGHT, WIDTH)
    width, height = about["size"]
    return Reference(
        wet.astype(np.uint8, copy=False),
        view,
        (int(width), int(height)),
        datetime.fromisoformat(about["at"]),
        str(about["by"]),
        str(about["model"]),
    )
