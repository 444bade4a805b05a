"""What `pip install .` brings: every package and data file of the folders, and nothing else."""

from __future__ import annotations

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("agent", "drivers", "models", "provisioning", "simulators")
#: Kept in the repository beside the code, not shipped.
NOT_SHIPPED = ("models/build/", "simulators/street/build/")
SHIPPED_DATA = {".json", ".toml", ".typed", ".onnx", ".html", ".js", ".css", ".webp", ".png", ".svg"}


def tracked() -> set[str]:
    """Return the code and data of the rooms, as the repository has them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *ROOMS],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("needs a git checkout to know what belongs to it")
    files = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    return {
        n
        for n in files
        if not n.startswith(NOT_SHIPPED)
        and (n.endswith((".py", "py.typed")) or Path(n).suffix in SHIPPED_DATA)
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel from a copy of what is tracked, so that no stale build folder can hide anything."""
    copy = tmp_path_factory.mktemp("source")
    extra = ["setup.cfg", "pyproject.toml", "README.md", "LICENSE"]
    for name in [*tracked(), *extra]:
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_what_the_folders_hold(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {n for n in archive.namelist() if ".dist-info/" not in n}
    assert names == {f"lamppost/{name}" for name in tracked()}


def test_only_one_name_lands_in_site_packages_and_one_command_on_the_path(wheel):
    with zipfile.ZipFile(wheel) as archive:
        roots = {n.split("/")[0] for n in archive.namelist() if ".dist-info/" not in n}
        entries = next(n for n in archive.namelist() if n.endswith("entry_points.txt"))
        parser = configparser.ConfigParser()
        parser.read_string(archive.read(entries).decode())
    assert roots == {"lamppost"}
    assert list(parser["console_scripts"]) == ["lamppost"]


def test_every_package_says_that_it_is_typed():
    for room in ROOMS:
        assert (ROOT / room / "py.typed").is_file()
        assert (ROOT / "tests/typing/lamppost" / room).resolve() == ROOT / room
