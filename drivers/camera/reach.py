"""Whether a camera that has failed is there again: a knock at its door, before a process is started for it.

A camera may stay away for weeks. Knocking every few seconds costs nothing; starting Python and OpenCV each
time would cost a small box a third of a core.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lamppost.drivers.camera.reasons import network
from lamppost.drivers.camera.source import Source

_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
#: A lost SYN is sent again after 1 s; later ones would only keep us from trying anew.
LONGEST_S: Final = 2.5


async def knock(source: Source, timeout_s: float) -> str:
    """Return why nobody opens, empty if somebody does or that cannot be known."""
    if source.kind in {"file", "v4l2"}:
        advice = "is the camera plugged in?" if source.kind == "v4l2" else "was it moved?"
        there = await asyncio.to_thread(Path(source.address).exists)
        return "" if there else f"there is no {source.address}; {advice}"
    if not source.is_network:
        return ""
    parts = urlsplit(source.address)
    try:
        async with asyncio.timeout(min(timeout_s, LONGEST_S)):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or _PORTS[parts.scheme.lower()]
            )
    except OSError as error:  # TimeoutError is one
        return network(error).words
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return ""
