"""`python -m lamppost.simulators.hub.embedded`: amqtt in a process of its own, where mosquitto is missing."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from typing import Any


async def serve(host: str, port: int) -> None:
    """Serve MQTT 3.1.1 to everybody until SIGTERM or SIGINT."""
    from amqtt.broker import Broker  # noqa: PLC0415 - an extra; slow to import

    settings: dict[str, Any] = {
        "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    broker = Broker(settings)
    await broker.start()
    await stop.wait()
    await broker.shutdown()


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args(argv)
    try:
        asyncio.run(serve(options.host, options.port))
    except ModuleNotFoundError as error:
        print(f"neither mosquitto nor amqtt is installed ({error}): apt install mosquitto", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
