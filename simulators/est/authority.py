"""A certificate authority for simulated boxes and hubs: issues, revokes, and says what it revoked."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Certificates begin a little earlier: clocks of boxes and offices are never quite the same.
EARLIER: Final = timedelta(minutes=5)
YEARS: Final = timedelta(days=3650)
_USES: Final = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


class Authority:
    """A P-256 authority whose files are in ``folder``: ``ca.pem``, ``crl.pem``, and what `serve_as` makes."""

    def __init__(self, folder: Path, name: str = "Simulated office") -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._revoked: dict[int, datetime] = {}
        #: All that was issued, the newest last.
        self.issued: list[x509.Certificate] = []
        usage = _usage("key_cert_sign", "crl_sign")
        self.certificate = (
            self._begun(self._name, self._key.public_key(), YEARS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        folder.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(pem(self.certificate))
        self._write_revoked()

    @property
    def file(self) -> Path:
        """The authority's own certificate."""
        return self.folder / "ca.pem"

    @property
    def revoked_file(self) -> Path:
        """The list of what is revoked (CRL, PEM)."""
        return self.folder / "crl.pem"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the authority's certificate, in hexadecimal digits."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def issue(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        life: timedelta,
        begins: datetime | None = None,
    ) -> x509.Certificate:
        """Return a certificate for a client."""
        made = (
            self._begun(subject, key, life, begins)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.issued.append(made)
        return made

    def serve_as(self, names: Iterable[str], label: str = "server") -> tuple[Path, Path]:
        """Return files of certificate and key for a server that is called so."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, label)])
        made = (
            self._begun(subject, key.public_key(), YEARS)
            .add_extension(x509.SubjectAlternativeName(list(map(_named, names))), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        certificate, secret = self.folder / f"{label}.pem", self.folder / f"{label}.key"
        certificate.write_bytes(pem(made))
        secret.touch(mode=0o600)
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, secret

    def revoke(self, serial: int) -> None:
        """Take a certificate back, and write the list anew."""
        self._revoked[serial] = datetime.now(UTC)
        self._write_revoked()

    def has_revoked(self, serial: int) -> bool:
        """Whether a certificate was taken back."""
        return serial in self._revoked

    def _begun(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        life: timedelta,
        begins: datetime | None = None,
    ) -> x509.CertificateBuilder:
        start = begins or datetime.now(UTC) - EARLIER
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + life)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )

    def _write_revoked(self) -> None:
        now = datetime.now(UTC)
        made = x509.CertificateRevocationListBuilder().issuer_name(self._name)
        made = made.last_update(now - EARLIER).next_update(now + YEARS)
        for serial, at in self._revoked.items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
            made = made.add_revoked_certificate(entry)
        signed = made.sign(self._key, hashes.SHA256())
        self.revoked_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def _usage(*uses: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in uses for name in _USES})


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def _named(name: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)
