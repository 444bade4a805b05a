"""The agent as a child process, as the service manager would run it: started, killed, stopped, reloaded."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lamppost.simulators.child import Child

#: SIGTERM to exit takes at most 5 s; after twice that it is killed and the verdict says so.
STOP_S = 10.0


class AgentProcess:
    """`lamppost run` on a configuration file whose node has this ``run_dir``.

    ``killed`` and ``stopped`` are when that was done to it; ``died`` is set when it ends by itself.
    """

    def __init__(self, config: Path, run_dir: Path, log: Path) -> None:
        self.config = config
        self.run_dir = run_dir
        self.starts = 0
        self.killed: list[datetime] = []
        self.stopped: list[datetime] = []
        self.died = asyncio.Event()
        self._child = Child([sys.executable, "-m", "lamppost.agent", "--config", str(config)], log)
        self._watcher: asyncio.Task[None] | None = None
        self._wanted = False

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self._child.running

    @property
    def exit_code(self) -> int | None:
        """Its last exit code, negative for a signal; None while it runs."""
        return self._child.exit_code

    @property
    def pid(self) -> int | None:
        """The process id of its last start."""
        return self._child.pid

    async def start(self) -> None:
        """Start it (again). Raises ChildError if it runs."""
        await self._child.start()
        self._wanted = True
        self.starts += 1
        self._watcher = asyncio.create_task(self._watch(), name="agent-watcher")

    async def kill(self) -> None:
        """Kill -9: it has no chance to tidy up."""
        self._wanted = False
        self.killed.append(datetime.now(UTC))
        await self._child.end(signal.SIGKILL)

    async def stop(self) -> int | None:
        """SIGTERM: it drains and ends. Return its exit code, -9 if it had to be killed after all."""
        self._wanted = False
        self.stopped.append(datetime.now(UTC))
        return await self._child.end(signal.SIGTERM, STOP_S)

    def reload(self) -> None:
        """SIGHUP: it reads its configuration again."""
        self._child.send(signal.SIGHUP)

    async def close(self) -> None:
        """End it in any case."""
        self._wanted = False
        await self._child.end(signal.SIGKILL)
        if self._watcher is not None:
            await self._watcher

    def logged(self, last_bytes: int = 3000) -> str:
        """Return the end of what it has said."""
        return self._child.logged(last_bytes)

    def status(self) -> dict[str, Any]:
        """Return its status file; empty while there is none."""
        return _read(self.run_dir / "status.json")

    def newest(self, device: str) -> dict[str, Any]:
        """Return its file of the newest readings of a device; empty while there is none."""
        return _read(self.run_dir / "devices" / f"{device}.json")

    def waiting(self) -> dict[str, int]:
        """Return how many messages wait in its spool, by lane; empty while that is not known."""
        lanes = self.status().get("spool", {}).get("lanes", {})
        return {name: int(lane["depth"]) for name, lane in lanes.items()}

    async def _watch(self) -> None:
        await self._child.wait()
        if self._wanted:
            self.died.set()


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found
