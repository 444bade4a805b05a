"""The box's certificate: how long it lasts, whether key and authority belong to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization

from lamppost.provisioning.check.bench import Bench
from lamppost.provisioning.check.finding import Finding, green, red, yellow
from lamppost.provisioning.enrolment import EnrolmentError
from lamppost.provisioning.enrolment.state import Standing, state


def certificate(bench: Bench, now: datetime | None = None) -> Iterator[Finding]:
    """Look at the files that the hub's table names. Nothing is said where there is no TLS."""
    hub = bench.config.hub
    if hub is None or not hub.tls:
        return
    if hub.cert_file is None or hub.key_file is None:
        yield _missing(bench)
        return
    try:
        chain = x509.load_pem_x509_certificates(hub.cert_file.read_bytes())
        key = serialization.load_pem_private_key(hub.key_file.read_bytes(), None)
        authorities = x509.load_pem_x509_certificates(hub.ca_file.read_bytes()) if hub.ca_file else []
    except (OSError, ValueError, TypeError) as error:
        yield red("certificate", "cert.unreadable", "cert.again.todo", why=_why(error, hub.cert_file))
        return
    own = chain[0]
    if own.public_key() != key.public_key():
        yield red("certificate", "cert.key", "cert.again.todo", cert=hub.cert_file, key=hub.key_file)
        return
    yield _life(own, now or datetime.now(UTC))
    if authorities:
        yield _issued(chain, authorities)


def _missing(bench: Bench) -> Finding:
    """Say how far the box has come with its enrolment."""
    try:
        standing = state(bench.config).standing
    except (EnrolmentError, OSError):
        standing = Standing.NONE
    if standing is Standing.NONE:
        return yellow("certificate", "cert.none", "cert.none.todo")
    if standing is Standing.PENDING:
        return yellow("certificate", "cert.pending", "cert.pending.todo")
    return yellow("certificate", "cert.unused", "cert.unused.todo")


def _why(error: Exception, path: Path) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or path}: {error.strerror}"
    return f"{path.parent}: {error}"


def _life(own: x509.Certificate, now: datetime) -> Finding:
    begins, ends = own.not_valid_before_utc, own.not_valid_after_utc
    days = (ends - now).total_seconds() / 86400
    subject = own.subject.rfc4514_string()
    values = {"days": f"{days:.0f}", "ends": f"{ends:%Y-%m-%d}", "begins": f"{begins:%Y-%m-%d %H:%M}"}
    if now < begins:
        return red("certificate", "cert.early", "clock.unset.todo", now=f"{now:%Y-%m-%d}", **values)
    if days <= 0:
        return red("certificate", "cert.over", "cert.again.todo", **values)
    if (ends - now) < (ends - begins) / 3:
        return yellow("certificate", "cert.late", "cert.late.todo", **values)
    return green("certificate", "cert.ok", subject=subject, **values)


def _issued(chain: list[x509.Certificate], authorities: list[x509.Certificate]) -> Finding:
    """Say whose certificate it is. The hub may trust another authority than the one that signs it."""
    last = chain[-1]
    for authority in authorities:
        try:
            last.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return green("certificate/issuer", "cert.issued", fingerprint=fingerprint(authority))
    return yellow(
        "certificate/issuer",
        "cert.stranger",
        "cert.stranger.todo",
        issuer=last.issuer.rfc4514_string(),
        fingerprint=fingerprint(authorities[0]),
    )


def fingerprint(found: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate, as `openssl x509 -fingerprint` writes it."""
    return found.fingerprint(hashes.SHA256()).hex(":").upper()
