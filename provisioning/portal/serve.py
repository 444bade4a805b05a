"""Serving the page until nobody uses it any more."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn

from lamppost.provisioning.portal.api import portal
from lamppost.provisioning.portal.desk import Desk
from lamppost.provisioning.portal.guard import Activity


def listener(address: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises OSError."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        made.listen()
    except OSError:
        made.close()
        raise
    return made


class _Server(uvicorn.Server):
    """Leaves signals to `serve`: uvicorn would raise them again before the cameras are let go."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve(desk: Desk, sock: socket.socket, idle_s: float) -> bool:
    """Serve until SIGINT or SIGTERM (False), or until nothing was asked for ``idle_s`` (True)."""
    host = sock.getsockname()[0]
    names = {host, "localhost", "127.0.0.1"} if host.startswith("127.") else {host}
    activity = Activity()
    app = portal(desk, frozenset(names), activity)
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)

    def end() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)

    async def watch() -> bool:
        await activity.over(idle_s)
        end()
        return True

    async with desk.open():
        watching = asyncio.create_task(watch())
        try:
            await server.serve([sock])
        finally:
            watching.cancel()
        return watching.done() and not watching.cancelled()
