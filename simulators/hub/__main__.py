"""`python -m lamppost.simulators.hub`: a hub in a process of its own, without typer and rich."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from lamppost.simulators.hub.broker import BrokerError
from lamppost.simulators.hub.hub import NeverHappenedError
from lamppost.simulators.hub.standalone import Settings, serve


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM; return 0 if nothing was lost, double or unreadable."""
    parser = argparse.ArgumentParser(prog="python -m lamppost.simulators.hub")
    parser.add_argument("--broker", default="", help="URL of a running broker; without it one is started")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--protocol", choices=["5", "3.1.1"], default=None)
    parser.add_argument("--schemas", type=Path, help="folder of JSON Schemas to hold messages to")
    parser.add_argument("--ca-file", type=Path)
    parser.add_argument("--report", type=Path, help="file for the totals as JSON, written twice a second")
    parser.add_argument("--json", action="store_true", help="one JSON object for each message")
    parser.add_argument("--quiet", action="store_true", help="no lines for telemetry")
    try:
        return asyncio.run(serve(Settings(**vars(parser.parse_args(argv)))))
    except (BrokerError, NeverHappenedError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
