"""What exactly runs here: versions, and hashes that say whether two boxes run the same."""

from __future__ import annotations

import hashlib
import platform
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from lamppost.agent.config import Config
from lamppost.agent.report import version
from lamppost.provisioning.check.rules import wanted_models

_ROOMS: Final = ("agent", "drivers", "models", "provisioning")
_KINDS: Final = frozenset({".py", ".toml", ".json", ".js", ".css", ".html"})
#: How the shipped models were made: not in a wheel.
_LEFT_OUT: Final = frozenset({"build", "__pycache__"})


def identity(config: Config) -> dict[str, Any]:
    """Return versions and SHA-256 of program, configuration and models."""
    return {
        "lamppost": {"version": version(), "sha256": program_hash()},
        "config": {"path": str(config.path), "sha256": file_hash(config.path)},
        "models": {name: _model(name, config) for name in wanted_models(config)},
        "system": {
            "python": platform.python_version(),
            "os": _os(),
            "kernel": platform.release(),
            "machine": platform.machine(),
            "host": platform.node(),
            "board": _board(),
        },
    }


def program_hash() -> str:
    """Return one hash over all program files, by their place in the package."""
    total = hashlib.sha256()
    for room in _ROOMS:
        module = import_module(f"lamppost.{room}")
        top = Path(next(iter(module.__path__)))
        files = (
            path
            for path in top.rglob("*")
            if path.suffix in _KINDS and not _LEFT_OUT & set(path.relative_to(top).parts)
        )
        for path in sorted(files):
            total.update(f"{room}/{path.relative_to(top)}\0{file_hash(path)}\n".encode())
    return total.hexdigest()


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _model(name: str, config: Config) -> dict[str, str]:
    from lamppost.models.errors import ModelError  # noqa: PLC0415 - only with a camera
    from lamppost.models.manifest import find_manifest, model_folders  # noqa: PLC0415

    try:
        manifest = find_manifest(name, model_folders(config.path))
    except ModelError as error:
        return {"version": "", "sha256": "", "problem": str(error)}
    return {"version": manifest.version, "sha256": file_hash(manifest.model_path)}


def _os() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()


def _board() -> str:
    try:
        return Path("/proc/device-tree/model").read_text(encoding="utf-8").strip("\0\n ")
    except OSError:
        return ""
