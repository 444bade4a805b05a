"""Key and certificate on the card: each pair in a folder of its own, and one link to the pair in use.

The link is replaced by one rename, so whoever reads through it after a kill finds the old pair or the
new one, never a key with the certificate of another.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from lamppost.agent.durable import sync_folder
from lamppost.provisioning.enrolment import EnrolmentError

KEY: Final = "key.pem"
CERTIFICATE: Final = "cert.pem"
CURRENT: Final = "current"


def install(folder: Path, key: bytes, certificate: bytes) -> Path:
    """Make the pair (PEM; the box's own certificate first) the one in use; return the link to it.

    Raises EnrolmentError if key and certificate do not belong together: the old pair stays in use.
    """
    _match(key, certificate)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"pair-{secrets.token_hex(8)}"
    pair = folder / name
    pair.mkdir(mode=0o700)
    _write(pair / KEY, key, 0o600)
    _write(pair / CERTIFICATE, certificate, 0o644)
    sync_folder(pair)
    link = folder / f"{name}.link"
    link.symlink_to(name)
    sync_folder(folder)
    link.replace(folder / CURRENT)
    sync_folder(folder)
    return folder / CURRENT


def _match(key: bytes, certificate: bytes) -> None:
    try:
        own = x509.load_pem_x509_certificates(certificate)[0].public_key()
        mine = serialization.load_pem_private_key(key, None).public_key()
    except (ValueError, TypeError, IndexError):
        # The library's own words may quote what it could not read.
        raise EnrolmentError("key or certificate is no PEM that can be read: ask for a new one") from None
    if own != mine:
        raise EnrolmentError("the certificate was made for another key: send this box's own request again")


def _write(path: Path, data: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
