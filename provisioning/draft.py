"""What was answered to `lamppost init` so far: kept beside the configuration until that is written."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lamppost.provisioning.first import Answers

#: What is kept. A password never is, not even one within the URL of a hub.
KEYS = ("id", "site", "lat", "lon", "hub", "username")


def draft_of(config: Path) -> Path:
    """Return where the answers are kept."""
    return config.with_name(f".{config.name}.draft")


def keep_draft(config: Path, answers: Mapping[str, Any]) -> None:
    """Keep what is answered; where that cannot be written, nothing is kept."""
    kept = {key: value for key in KEYS if (value := answers.get(key)) not in (None, "")}
    if "@" in str(kept.get("hub", "")):
        del kept["hub"]
    path = draft_of(config)
    fresh = path.with_name(f"{path.name}.new")
    with contextlib.suppress(OSError):
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(kept, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)


def read_draft(config: Path) -> dict[str, Any]:
    """Return what was answered before an interruption; what cannot be an answer is left out."""
    try:
        data = json.loads(draft_of(config).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found: dict[str, Any] = {}
    for key in KEYS if isinstance(data, dict) else ():
        value = data.get(key)
        if isinstance(value, str | float | int):
            with contextlib.suppress(ValueError):
                Answers.check(key, str(value))
                found[key] = value
    return found


def drop_draft(config: Path) -> None:
    """Forget the answers: the configuration has them."""
    with contextlib.suppress(OSError):
        draft_of(config).unlink(missing_ok=True)
