"""Whether a camera that has failed is there again: a knock at its port, before a process is started for it.

A camera may stay away for weeks. Knocking every few seconds costs nothing; starting Python and OpenCV each
time would cost a small box a third of a core.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from lamppost.drivers.camera.reasons import network

_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
#: A lost SYN is sent again after 1 s; later ones would only keep us from trying anew.
LONGEST_S: Final = 2.5


async def knock(url: str, timeout_s: float) -> str:
    """Return why nobody opens at the port of ``url``, empty if somebody does."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(min(timeout_s, LONGEST_S)):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or _PORTS[parts.scheme])
    except OSError as error:  # TimeoutError is one
        return network(error).words
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return ""
