"""A real agent in a process of its own, for tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from waiting import until_sync


class Agent:
    """`lamppost run` on a configuration in ``folder``; everything it writes stays there."""

    def __init__(self, folder: Path, config: str, *, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.config = folder / "lamppost.toml"
        self.run_dir = folder / "run"
        self.state_dir = folder / "state"
        self.log = folder / "agent.log"
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.write(config)

    def write(self, config: str) -> None:
        """Write the configuration; the node's own table is added."""
        head = (
            f'[node]\nid = "pole-1"\nsite = "site-1"\nrun_dir = "{self.run_dir}"\nstate_dir = "{self.state_dir}"\n'
            "status_every_s = 0.2\n"
        )
        self.config.write_text(head + config)

    def start(self) -> Agent:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lamppost.agent", "--config", str(self.config)],
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

    def until(self, condition, within_s: float = 15.0, what: str = "") -> None:
        """Wait for a condition; a dead agent fails at once, with its log."""

        def checked() -> object:
            assert self.process.poll() is None, f"the agent ended: {self.log.read_text()[-3000:]}"
            return condition()

        until_sync(checked, within_s, what)

    def kill(self) -> None:
        """Kill -9: no chance to tidy up."""
        self.process.kill()
        self.process.wait()

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def terminate(self, within_s: float = 8.0) -> int:
        """SIGTERM; return the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(within_s)

    def __enter__(self) -> Agent:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
