"""The agent's own entry: `lamppost run`, without the command line's libraries."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

#: Readings are tuples without cycles: looking for cycles among them costs a tenth of the whole work at
#: 40,000 a second with the interpreter's own 700.
COLLECT_AFTER = (20_000, 20, 20)
#: Where time zones are, as CPython itself has it. It would look that up in the constants of its own build,
#: which take 1 MB and are needed for nothing else; pydantic imports zoneinfo, so this comes before it.
os.environ.setdefault(
    "PYTHONTZPATH", "/usr/share/zoneinfo:/usr/lib/zoneinfo:/usr/share/lib/zoneinfo:/etc/zoneinfo"
)
LEVELS = ("debug", "info", "warning", "error")


def parser() -> argparse.ArgumentParser:
    """Return the parser of `lamppost run`; its help is the command line's."""
    made = argparse.ArgumentParser(prog="lamppost run", add_help=False)
    made.add_argument("--config", "-c", type=Path, default=None)
    made.add_argument("--log-level", choices=LEVELS, default=None)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run the agent until SIGTERM; return the exit code (2 for a configuration that does not hold)."""
    options = parser().parse_args(argv)
    from lamppost.agent.app import StartError, serve  # noqa: PLC0415 - after the arguments are known to be good
    from lamppost.agent.config import ConfigError  # noqa: PLC0415
    from lamppost.agent.config.paths import default_path  # noqa: PLC0415

    gc.set_threshold(*COLLECT_AFTER)
    try:
        return asyncio.run(serve(options.config or default_path(), options.log_level))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
