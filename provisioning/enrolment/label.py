"""What stands on the label of a box: where its office is, the password for one certificate, whom to trust."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from lamppost.provisioning.enrolment import EnrolmentError

PATH: Final = "/.well-known/est"
SHAPE: Final = "https://HOST:PORT/.well-known/est#password=...&ca=SHA256"
_HEX: Final = re.compile(r"[0-9a-f]{64}")


class Office(NamedTuple):
    """Where an EST server is. ``path`` has no slash at its end, ``fingerprint`` is SHA-256 in hexadecimal."""

    host: str
    port: int
    path: str
    fingerprint: str

    @property
    def url(self) -> str:
        """The address, without secrets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}{self.path}"


def office(url: str, fingerprint: str) -> Office:
    """Return the office at a URL. Raises EnrolmentError that says what is wrong with it."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port or 443
    except ValueError as error:
        raise EnrolmentError(f"the office's address cannot be read ({error}); expected {SHAPE}") from None
    if parts.scheme != "https" or not host:
        raise EnrolmentError(f"the office's address must begin with https://; expected {SHAPE}")
    path = parts.path.rstrip("/") or PATH
    if not path.startswith(PATH):
        raise EnrolmentError(f"the office's address must go on with {PATH}; expected {SHAPE}")
    digits = fingerprint.strip().lower().removeprefix("sha256:").replace(":", "").replace(" ", "")
    if not _HEX.fullmatch(digits):
        raise EnrolmentError(
            "the fingerprint of the office's authority is not 64 hexadecimal digits (SHA-256); "
            "ask for it, or scan the label"
        )
    return Office(host, port, path, digits)


def read(label: str) -> tuple[Office, str]:
    """Return office and password of a label. Raises EnrolmentError; the label is not in its words."""
    url, _, secret = label.strip().partition("#")
    # Not as in a form, where + would be a space.
    parts = (one.partition("=") for one in secret.split("&"))
    fields = {name: unquote(value) for name, _, value in parts}
    if not fields.get("password"):
        raise EnrolmentError(f"the label has no password; expected {SHAPE}, in quotes for the shell")
    return office(url, fields.get("ca", "")), fields["password"]
