"""Run a simulator by hand: typed commands on standard input, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

#: Does a typed command with its arguments and returns what to print. Wrong arguments: ValueError.
Action: TypeAlias = Callable[[list[str]], Coroutine[Any, Any, str]]


class Console:
    """Reads commands while a simulator runs.

    ``actions`` by first word; ``help`` is printed for anything else. The end of the input does not
    end the simulator, so that it can run in the background.
    """

    def __init__(self, actions: Mapping[str, Action], help_text: str) -> None:
        self._actions = actions
        self._help = help_text
        self._stop = asyncio.Event()

    async def run(self, each_second: Callable[[], None] = lambda: None) -> None:
        """Take commands and call ``each_second`` until stopped."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        reading = asyncio.create_task(self._read())
        try:
            while not self._stop.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), 1.0)
                if not self._stop.is_set():
                    each_second()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def _read(self) -> None:
        """Do what is typed. A file or /dev/null as input cannot be waited on and is left alone."""
        loop = asyncio.get_running_loop()
        lines: asyncio.Queue[str] = asyncio.Queue()
        descriptor = sys.stdin.fileno()
        rest = b""

        def readable() -> None:
            nonlocal rest
            data = os.read(descriptor, 4096)
            if not data:
                loop.remove_reader(descriptor)
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                lines.put_nowait(line.decode(errors="replace"))

        try:
            loop.add_reader(descriptor, readable)
        except PermissionError:
            return
        try:
            while True:
                await self._do(await lines.get())
        finally:
            loop.remove_reader(descriptor)

    async def _do(self, line: str) -> None:
        try:
            words = shlex.split(line)
            if not words:
                return
            if words[0] in ("quit", "exit"):
                self._stop.set()
                return
            action = self._actions.get(words[0])
            said = self._help if action is None else await action(words[1:])
        except (ValueError, LookupError, OSError) as error:
            said = f"{error}; type help for the commands"
        if said:
            print(said, flush=True)
