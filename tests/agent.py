"""A real agent in a process of its own, for tests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from waiting import until


class Agent:
    """`lamppost run` on a configuration in ``folder``; everything it writes stays there."""

    def __init__(
        self,
        folder: Path,
        config: str,
        *,
        node: str = "",
        env: dict[str, str] | None = None,
        file_bytes: int = 0,
    ) -> None:
        self.folder = folder
        self.config = folder / "lamppost.toml"
        self.run_dir = folder / "run"
        self.state_dir = folder / "state"
        self.log = folder / "agent.log"
        self._env = {**os.environ, **(env or {})}
        self._node = node
        # The kernel refuses files beyond a size: a disk that takes no more, without being root.
        blocks = str(file_bytes // 512)
        self._limited = ["sh", "-c", 'ulimit -f "$0"; exec "$@"', blocks] if file_bytes else []
        self._process: subprocess.Popen[bytes] | None = None
        self.write(config)

    def write(self, config: str) -> None:
        """Write the configuration; the node's own table is added."""
        head = (
            f'[node]\nid = "pole-1"\nsite = "site-1"\nrun_dir = "{self.run_dir}"\n'
            f'state_dir = "{self.state_dir}"\nstatus_every_s = 0.2\n{self._node}'
        )
        self.config.write_text(head + config)

    def start(self) -> Self:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._limited, sys.executable, "-m", "lamppost.agent", "--config", str(self.config)],
                stdout=log,
                stderr=log,
                env=self._env,
            )
        return self

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def status(self) -> dict[str, Any]:
        """Return the status file; empty while there is none."""
        try:
            return json.loads((self.run_dir / "status.json").read_text())
        except FileNotFoundError:
            return {}

    def device(self, name: str) -> dict[str, Any]:
        return self.status().get("devices", {}).get(name, {"state": "none"})

    def newest(self, name: str) -> dict[str, Any]:
        try:
            return json.loads((self.run_dir / "devices" / f"{name}.json").read_text())
        except FileNotFoundError:
            return {}

    async def until(self, condition, within_s: float = 15.0, what: str = "") -> None:
        """Wait for a condition; a dead agent fails at once, with its log."""

        def checked() -> object:
            assert self.process.poll() is None, f"the agent ended: {self.logged()[-3000:]}"
            return condition()

        await until(checked, within_s, what)

    def logged(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def kill(self) -> None:
        """Kill -9: no chance to tidy up."""
        self.process.kill()
        self.process.wait()

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    async def terminate(self, within_s: float = 5.0) -> int:
        """SIGTERM; return the exit code. The promise is 5 s."""
        if self.process.poll() is None:
            self.process.terminate()
        return await asyncio.to_thread(self.process.wait, within_s)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
