"""The signals that an agent listens to."""

from __future__ import annotations

import asyncio
import signal


class Signals:
    """SIGTERM, SIGINT and SIGHUP as events."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.reload = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop.set)
        loop.add_signal_handler(signal.SIGINT, self.stop.set)
        loop.add_signal_handler(signal.SIGHUP, self.reload.set)
