"""How the hub is trusted, and how the box shows who it is."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from lamppost.agent.uplink.settings import HubSettings


def context(hub: HubSettings) -> ssl.SSLContext:
    """Return a context that checks the hub's certificate and name; read anew for each connection.

    Raises OSError with the file's name in its words.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if hub.ca_file is None:
        made.load_default_certs()
    else:
        _load(hub.ca_file, lambda: made.load_verify_locations(hub.ca_file))
    if hub.cert_file is not None:
        certificate, key = _pair(hub.cert_file, hub.key_file)
        _load(certificate, lambda: made.load_cert_chain(certificate, key))
    return made


def _pair(certificate: Path, key: Path | None) -> tuple[Path, Path | None]:
    """Return both files in the folder that their folder is now.

    A renewal lets a link name another folder: looked up twice, it could give the key of another certificate.
    """
    folder = certificate.parent
    real = folder.resolve()
    inside = key is not None and key.parent == folder
    return real / certificate.name, real / key.name if key is not None and inside else key


def _load(path: object, load: Callable[[], None]) -> None:
    try:
        load()
    except OSError as error:  # ssl.SSLError is one
        raise OSError(f"{path} cannot be read as a certificate: {error}") from error
