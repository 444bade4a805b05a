"""What the checks look at: a configuration, the agent that runs with it if one does, and the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lamppost.agent.config import Config
from lamppost.provisioning.running import last_status, newest_readings, running

#: A status older than this (and than three of its own intervals) was left by an agent that hangs.
STALE_S = 15.0


@dataclass(frozen=True)
class Bench:
    """Where checks find everything. ``status`` is that of a running agent, else None.

    ``root`` is where /sys and /proc begin.
    """

    config: Config
    status: Mapping[str, Any] | None = None
    root: Path = field(default=Path("/"))

    @classmethod
    def of(cls, config: Config, root: Path = Path("/")) -> Bench:
        """Look whether an agent runs with this configuration."""
        run_dir = config.node.run_dir
        return cls(config, last_status(run_dir) if running(run_dir) else None, root)

    def now(self) -> datetime:
        """Return the time by the agent's clock, which may know better than the system's (GNSS)."""
        ahead_s = 0.0 if self.status is None else self.status["clock"].get("ahead_s", 0.0)
        return datetime.now(UTC) + timedelta(seconds=ahead_s)

    @property
    def silent_s(self) -> float:
        """How long ago the agent wrote its status, in seconds."""
        if self.status is None:
            return 0.0
        return (self.now() - datetime.fromisoformat(str(self.status["at"]))).total_seconds()

    @property
    def hangs(self) -> bool:
        """Whether the agent is there but says nothing any more."""
        return self.silent_s > max(STALE_S, 3 * self.config.node.status_every_s)

    def newest(self, device: str) -> dict[str, Any]:
        """Return the agent's newest readings of a device."""
        return newest_readings(self.config.node.run_dir, device)

    def text(self, path: str) -> str | None:
        """Return what a file of the machine says, stripped; None if it cannot be read."""
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None


def size(count: float) -> str:
    """Return a number of bytes with its unit: ``1.4 GiB``."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
