"""Key and certificate on the card: each pair in a folder of its own, and one link to the pair in use.

The link is replaced by one rename, so whoever reads through it after a kill finds the old pair or the
new one, never a key with the certificate of another.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from lamppost.agent.durable import sync_folder
from lamppost.provisioning.enrolment import EnrolmentError

KEY: Final = "key.pem"
CERTIFICATE: Final = "cert.pem"
CURRENT: Final = "current"
#: The pair in use and the one before it.
KEPT: Final = 2


def install(folder: Path, key: bytes, certificate: bytes) -> Path:
    """Make the pair (PEM; the box's own certificate first) the one in use; return the link to it.

    Raises EnrolmentError if key and certificate do not belong together: the old pair stays in use.
    """
    return use(folder, put(folder, key, certificate))


def put(folder: Path, key: bytes, certificate: bytes, beside: Mapping[str, bytes] | None = None) -> Path:
    """Keep a pair that is not in use yet, and what is taken into use with it; return its folder.

    Raises EnrolmentError as `install` does.
    """
    _match(key, certificate)
    open_folder(folder)
    pair = folder / f"pair-{secrets.token_hex(8)}"
    pair.mkdir(mode=0o700)
    write(pair / KEY, key, 0o600)
    write(pair / CERTIFICATE, certificate, 0o644)
    for name, data in (beside or {}).items():
        write(pair / name, data, 0o644)
    sync_folder(pair)
    sync_folder(folder)
    return pair


def use(folder: Path, pair: Path) -> Path:
    """Make a pair that is kept the one in use, as one; return the link to it. The oldest pairs go."""
    before = (folder / CURRENT).resolve()
    link = point(folder, CURRENT, pair)
    # The one that was in use before any that never was.
    kept = sorted(
        (one for one in folder.glob("pair-*/") if one.name != pair.name),
        key=lambda one: (one.name != before.name, -one.stat().st_mtime_ns),
    )
    for old in kept[KEPT - 1 :]:
        for path in old.iterdir():
            path.unlink()
        old.rmdir()
    return link


def point(folder: Path, name: str, pair: Path) -> Path:
    """Let a link name a pair, by one rename."""
    fresh = folder / f".{name}.new"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(pair.name)
    sync_folder(folder)
    fresh.replace(folder / name)
    sync_folder(folder)
    _hand_over(folder)
    return folder / name


def open_folder(folder: Path) -> None:
    """Make the folder, for its owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _hand_over(folder: Path) -> None:
    """Give all of it to the owner of the folder above: root enrols, but the agent's own user reads."""
    if os.geteuid():
        return
    owner = folder.parent.stat()
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _match(key: bytes, certificate: bytes) -> None:
    try:
        own = x509.load_pem_x509_certificates(certificate)[0].public_key()
        mine = serialization.load_pem_private_key(key, None).public_key()
    except (ValueError, TypeError, IndexError):
        # The library's own words may quote what it could not read.
        raise EnrolmentError("key or certificate is no PEM that can be read: ask for a new one") from None
    if own != mine:
        raise EnrolmentError("the certificate was made for another key: send this box's own request again")


def write(path: Path, data: bytes, mode: int) -> None:
    """Write a new file, durably."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
