"""Plug-ins for tests, found as real ones are: a module and its ``.dist-info`` in a folder of the path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lamppost.drivers import registry

ROOT = Path(__file__).parent.parent
PACKAGE = Path(__file__).parent / "plugin_package"


def write_plugin(folder: Path, module: str, code: str, entry_points: str, *, version: str = "1.0") -> None:
    """Lay down distribution ``module`` with one module and its entry points."""
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir(parents=True)
    (folder / f"{module}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(entry_points)


@contextmanager
def importable(folder: Path, modules: str) -> Iterator[Path]:
    """Let this process find the plug-ins of a folder; ``modules`` is how the names of theirs begin."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        registry.forget()
        try:
            yield folder
        finally:
            for name in [name for name in sys.modules if name.startswith(modules)]:
                del sys.modules[name]
    registry.forget()


@pytest.fixture
def wetness(tmp_path: Path) -> Iterator[Path]:
    """Install the rule "wetness" of `wetness_rule` into this process; return its folder."""
    with importable(write_wetness(tmp_path / "plugins"), "wetness_rule") as folder:
        yield folder


def write_wetness(folder: Path) -> Path:
    """Lay down the rule "wetness" of `wetness_rule`, which wants water; return the folder."""
    code = Path(__file__).with_name("wetness_rule.py").read_text(encoding="utf-8")
    write_plugin(folder, "wetness_rule", code, "[lamppost.rules]\nwetness = wetness_rule:Wetness\n")
    return folder


def install_package(folder: Path, scratch: Path) -> None:
    """Install the third-party driver package with pip, offline, into ``folder``."""
    source = scratch / "source"  # setuptools builds in place
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("*.egg-info", "build", "__pycache__"))
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--target", str(folder)]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, *options, str(source)], check=True, timeout=300)


def lamppost(
    *args: str, path: Path | None = None, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own; ``path`` is a folder with further packages."""
    code = "import sys; from lamppost.provisioning.cli import main; sys.exit(main())"
    whole = {k: v for k, v in os.environ.items() if not k.startswith(("LAMPPOST_", "PYTHONPATH"))}
    whole |= (
        {"NO_COLOR": "1", "COLUMNS": "100", "LC_ALL": "C.UTF-8"}
        | ({"PYTHONPATH": str(path)} if path else {})
        | (env or {})
    )
    return subprocess.run(
        [sys.executable, "-c", code, *args],
        env=whole, cwd=cwd, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
