"""Whether the agent runs, and what it has left in its run directory."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any, Literal


def running(run_dir: Path) -> bool:
    """Whether the agent that wrote the run directory is alive."""
    try:
        os.kill(int((run_dir / "agent.pid").read_text()), 0)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def reload(run_dir: Path) -> Literal["none", "told", "may-not"]:
    """Let the agent read its configuration again: none runs, it was told, or we may not tell it."""
    if not running(run_dir):
        return "none"
    try:
        os.kill(int((run_dir / "agent.pid").read_text()), signal.SIGHUP)
    except (OSError, ValueError):
        return "may-not"
    return "told"


def last_status(run_dir: Path) -> dict[str, Any] | None:
    """Return the newest status file; None if there is none that can be read."""
    return _json(run_dir / "status.json")


def newest_readings(run_dir: Path, device: str) -> dict[str, Any]:
    """Return the newest reading of each quantity: value, unit, at, quality. Empty if there is none."""
    return _json(run_dir / "devices" / f"{device}.json") or {}


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
