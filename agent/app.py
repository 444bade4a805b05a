"""From the command to the running box and back: one box for each node and spool, until SIGTERM."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from lamppost.agent import log as logs
from lamppost.agent.box import Box
from lamppost.agent.config import Config, load
from lamppost.agent.notify import Notifier
from lamppost.agent.rundir import RunDirectory
from lamppost.agent.signals import Signals
from lamppost.agent.spool import SpoolError, open_spool
from lamppost.agent.tail import Tail
from lamppost.agent.watch import SpoolWatch
from lamppost.agent.window import Window

log = logs.get_logger()

LEAVE_S = 0.3


class StartError(Exception):
    """The agent cannot start: what failed, and what to do."""


async def serve(path: Path, log_level: str | None = None) -> int:
    """Run the box that ``path`` describes until SIGTERM; return the exit code.

    Raises ConfigError for a configuration that does not hold, StartError if the box cannot start.
    """
    signals = Signals()
    config: Config | None = load(path)
    notifier = Notifier()
    try:
        while config is not None:
            logs.configure(log_level or config.node.log_level, config.redact)
            config = await _run(config, signals, notifier)
    finally:
        notifier.close()
    await _leave()
    return 0


async def _leave() -> None:
    """End the process even if a driver does not let go: everything is stored and closed by now."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        _, stuck = await asyncio.wait(left, timeout=LEAVE_S)
        if stuck:
            log.error("leaving without", tasks=sorted(task.get_name() for task in stuck))
            sys.stdout.flush()
            os._exit(0)


async def _run(config: Config, signals: Signals, notifier: Notifier) -> Config | None:
    """Run with one node and spool; return the configuration to go on with, or None to end."""
    run_dir, tail = RunDirectory(config.node.run_dir), Tail(config.node.run_dir)
    window = Window(config.node.run_dir)
    try:
        run_dir.open()
        tail.open()
        window.open()
    except OSError as error:
        raise StartError(
            f"run_dir {config.node.run_dir} cannot be used: {error.strerror}; "
            "set node.run_dir to a folder that the agent's user may write"
        ) from error
    trouble = SpoolWatch()
    try:
        async with open_spool(config.spool, report=trouble.report) as spool:
            run_dir.claim()
            box = Box(config, spool, run_dir, tail, window, trouble, notifier)
            try:
                return await box.run(signals)
            finally:
                tail.close()
                run_dir.close()
    except SpoolError as error:
        raise StartError(str(error)) from error


__all__ = ["StartError", "serve"]
