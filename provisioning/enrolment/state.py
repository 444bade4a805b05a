"""Where a box stands: without a certificate, with one that waits, that holds, that is due, or is over."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from lamppost.agent.config import Config
from lamppost.provisioning.enrolment import EnrolmentError
from lamppost.provisioning.enrolment.store import CERTIFICATE, CURRENT

#: A certificate is renewed before so much of its life is left, and by the box's own share earlier:
#: thousands of boxes that were enrolled in one week do not come in one hour.
LEFT, JITTER = 1 / 3, 1 / 12
PENDING_KEY: Final = "pending.key"
ISSUED: Final = "issued"
OFFICE: Final = "office.json"
AUTHORITIES: Final = "ca.pem"


class Standing(StrEnum):
    """What is to be done about a box's certificate."""

    NONE = "none"
    PENDING = "pending"
    ISSUED = "issued"
    ENROLLED = "enrolled"
    DUE = "due"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Identity:
    """A box's standing, and its certificate if it has one."""

    standing: Standing
    certificate: x509.Certificate | None = None
    due: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        found: dict[str, Any] = {"state": self.standing.value}
        if self.certificate is not None:
            found |= {
                "subject": self.certificate.subject.rfc4514_string(),
                "issuer": self.certificate.issuer.rfc4514_string(),
                "serial": f"{self.certificate.serial_number:x}",
                "sha256": self.certificate.fingerprint(hashes.SHA256()).hex(),
                "not_before": self.certificate.not_valid_before_utc.isoformat(),
                "not_after": self.certificate.not_valid_after_utc.isoformat(),
            }
        return found | ({"due": self.due.isoformat(timespec="seconds")} if self.due else {})


def identity_folder(config: Config) -> Path:
    """Return where key and certificate of a box are."""
    return config.node.state_dir / "identity"


def state(config: Config, now: datetime | None = None) -> Identity:
    """Return how a box stands. Raises EnrolmentError if its certificate cannot be read."""
    folder = identity_folder(config)
    current = folder / CURRENT / CERTIFICATE
    if not current.exists():
        if (folder / ISSUED).exists():
            return Identity(Standing.ISSUED)
        return Identity(Standing.PENDING if (folder / PENDING_KEY).exists() else Standing.NONE)
    try:
        own = x509.load_pem_x509_certificates(current.read_bytes())[0]
    except (ValueError, IndexError):
        raise EnrolmentError(f"{current} cannot be read; enrol anew, with a new label") from None
    now, due = now or datetime.now(UTC), due_at(own, config.node.id)
    if now >= own.not_valid_after_utc:
        return Identity(Standing.EXPIRED, own, due)
    return Identity(Standing.DUE if now >= due else Standing.ENROLLED, own, due)


def due_at(own: x509.Certificate, node: str) -> datetime:
    """Return when a box renews its certificate: the same moment whenever it is asked."""
    life = own.not_valid_after_utc - own.not_valid_before_utc
    share = int.from_bytes(hashlib.sha256(node.encode()).digest()[:4]) / 2**32
    return own.not_valid_after_utc - life * (LEFT + share * JITTER)
