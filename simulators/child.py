"""A program as a child process that never outlives its parent, and that can be killed and frozen."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

#: util-linux; lets the kernel kill the child should this process die without tidying up.
_SETPRIV = shutil.which("setpriv", path=os.environ.get("PATH", "") + ":/usr/bin:/bin")


class ChildError(Exception):
    """A program did not start or did not end; the message carries the end of its log."""


class Child:
    """One program. It gets a session of its own, so that Ctrl-C in a terminal reaches only us."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        spoken: bool = False,
    ) -> None:
        """Say how to start it. With ``spoken`` it takes lines by `say`, and `hear` has those it prints."""
        self.command = list(command)
        self.log = log
        self._env = dict(os.environ, **(env or {}))
        self._cwd = cwd
        self._spoken = spoken
        self._process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        """Whether it runs (or is frozen)."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """Its process id; None before the first start."""
        return None if self._process is None else self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs or before the first start."""
        return None if self._process is None else self._process.returncode

    async def start(self) -> None:
        """Start it (again); its output is appended to the log. Raises ChildError, OSError."""
        if self.running:
            raise ChildError(f"{self.command[0]} runs already")
        guard = [_SETPRIV, "--pdeathsig", "KILL", "--"] if _SETPRIV else []
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *guard,
                *self.command,
                stdin=asyncio.subprocess.PIPE if self._spoken else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if self._spoken else log,
                stderr=log,
                env=self._env,
                cwd=self._cwd,
                start_new_session=True,
            )

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if it has ended."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def wait(self) -> int:
        """Return its exit code once it has ended."""
        assert self._process is not None
        return await self._process.wait()

    async def end(self, number: signal.Signals = signal.SIGTERM, within_s: float = 10.0) -> int | None:
        """Send a signal and wait; kill it if it does not follow. Return its exit code."""
        if not self.running:
            return self.exit_code
        self.send(number)
        self.send(signal.SIGCONT)  # a frozen program takes no other signal but SIGKILL
        with suppress(TimeoutError):
            return await asyncio.wait_for(self.wait(), within_s)
        self.send(signal.SIGKILL)
        return await self.wait()

    async def say(self, line: str) -> None:
        """Write it a line. Raises ConnectionError if it has ended."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()

    async def hear(self, within_s: float) -> str:
        """Return the next line that it prints, empty at its end. Raises ChildError if none comes."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), within_s)
        except TimeoutError:
            raise ChildError(f"nothing came within {within_s:g} s; {self.logged(800).strip()}") from None
        return line.decode(errors="replace").rstrip("\n")

    def logged(self, last_bytes: int = 3000) -> str:
        """Return the end of what it has said."""
        if not self.log.exists():
            return ""
        return self.log.read_bytes()[-last_bytes:].decode(errors="replace")
