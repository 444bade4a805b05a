"""How a camera's picture is, in the agent's words or judged from two pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol, cast

from lamppost.agent.config import DeviceConfig
from lamppost.drivers.api import Frame, HasView
from lamppost.provisioning.check.finding import Finding, green, red, yellow
from lamppost.provisioning.words import texts

#: Seconds between the two pictures: a stream that stands still shows the very same one.
_APART_S = 0.4


class TakesPictures(Protocol):
    """A camera that can be asked for pictures."""

    async def snapshots(self, count: int, every_s: float = 0.0) -> list[Frame]:
        """Return several pictures, so many seconds apart. Raises DriverError."""


async def taken(device: DeviceConfig) -> Finding:
    """Take two pictures and judge them. Raises DriverError."""
    frames = await cast("TakesPictures", device.driver).snapshots(2, _APART_S)
    word = await asyncio.to_thread(judged, [frame.image for frame in frames])
    if word != "ok":
        return named(device.name, word)
    height, width = frames[-1].image.shape[:2]
    return _good(device, "picture.ok", what=f"{width}x{height}")


def judged(images: list[Any]) -> str:
    """Return ``ok``, or the word for what is wrong with pictures of one camera, the newest last."""
    from lamppost.drivers.camera.picture import (  # noqa: PLC0415 - heavy
        is_black,
        is_blinded,
        signs,
        small_grey,
    )

    grey = small_grey(images[-1])
    seen = signs(grey)
    if is_black(seen):
        return "black"
    if is_blinded(seen):
        return "blinded"
    # Frozen, blurred and moved are told by the agent: they need time, or what it learnt of this camera.
    return "ok"


def told(device: DeviceConfig, health: Mapping[str, Any], newest: Mapping[str, Any]) -> Finding:
    """Return what the running agent says of the picture."""
    reading = newest.get("picture")
    if reading is None:
        return yellow(f"picture/{device.name}", "picture.unknown", "picture.unknown.todo")
    word = str(reading["value"])
    if word != "ok":
        return named(device.name, word, str(health["faults"].get(word, {}).get("detail", "")))
    return _good(device, "picture.ok-agent")


def named(camera: str, word: str, detail: str = "") -> Finding:
    """Return what is wrong with a picture; a picture that only moved can still be looked at."""
    key = f"picture.{word}" if f"picture.{word}" in texts() else "picture.other"
    make = yellow if word in ("moved", "blurred") else red
    found = make(f"picture/{camera}", key, f"{key}.todo", word=word, device=camera)
    return found._replace(says=f"{found.says}: {detail}") if detail else found


def _good(device: DeviceConfig, key: str, **values: str) -> Finding:
    name, driver = f"picture/{device.name}", device.driver
    if isinstance(driver, HasView) and not driver.zones and not driver.lines:
        return yellow(name, "picture.no-zones", "picture.no-zones.todo")
    return green(name, key, **values)
