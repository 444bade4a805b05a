"""Asking the office for certificates: Enrollment over Secure Transport (RFC 7030).

The password is never sent to anybody but a server that the pinned authority vouches for: first the
authority's certificate is fetched and held to its fingerprint, over a connection that proves nothing and
carries nothing; all else goes over connections that are verified against it.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import socket
import ssl
import warnings
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from lamppost.provisioning.enrolment import EnrolmentError
from lamppost.provisioning.enrolment.label import Office

WITHIN_S: Final = 20.0
#: An answer holds a few certificates.
_LARGEST: Final = 256 << 10
_SAID: Final = 200
#: RFC 7030 lets the server name seconds or a date; who waits on a ladder is asked to come again anyhow.
_LONGEST_WAIT_S: Final = 86400.0
#: TLS alerts about the certificate that the box shows.
_NOT_TAKEN: Final = (
    "ALERT_CERTIFICATE_EXPIRED", "ALERT_CERTIFICATE_REVOKED", "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA",
)  # fmt: skip


class PendingError(EnrolmentError):
    """The office has not decided yet; ask again after ``retry_s``."""

    def __init__(self, retry_s: float) -> None:
        super().__init__(
            "the office has the request but has not approved it yet; "
            f"run the same command again in {max(1.0, retry_s / 60):.0f} min: key and request are kept"
        )
        self.retry_s = retry_s


class Pair(NamedTuple):
    """Files of a key and its certificate, to be shown to the office."""

    certificate: Path
    key: Path


def authorities(office: Office) -> bytes:
    """Return the office's pinned authority and those that it vouches for, as PEM.

    Raises EnrolmentError if the office cannot be reached, or its authority is another than the pinned one.
    """
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nobody.check_hostname = False
    nobody.verify_mode = ssl.CERT_NONE  # what comes is held to the fingerprint; nothing is sent
    found = _certificates(_ask(office, nobody, "GET", "cacerts"), office)
    pinned = [one for one in found if one.fingerprint(hashes.SHA256()).hex() == office.fingerprint]
    if not pinned:
        shown = ", ".join(one.fingerprint(hashes.SHA256()).hex() for one in found) or "none"
        raise EnrolmentError(
            f"{office.url}: its authority is not the one on the label: found {shown}, expected "
            f"{office.fingerprint}; nothing was sent. Is this the right office, and the right network?"
        )
    trusted = pinned[:1]
    for one in found:
        if one not in trusted and _vouched(one, trusted[0]):
            trusted.append(one)
    return b"".join(one.public_bytes(Encoding.PEM) for one in trusted)


def enrol(office: Office, trust: bytes, request: x509.CertificateSigningRequest, password: str) -> bytes:
    """Return the certificate (PEM, the box's own first) that a request gets. Raises EnrolmentError."""
    login = base64.b64encode(f":{password}".encode()).decode()
    headers = {"Authorization": f"Basic {login}"}
    return _issued(office, _context(trust), "simpleenroll", request, headers)


def renew(office: Office, trust: bytes, request: x509.CertificateSigningRequest, present: Pair) -> bytes:
    """Return a new certificate for a box that shows its present one. Raises EnrolmentError, PendingError."""
    context = _context(trust)
    try:
        context.load_cert_chain(present.certificate, present.key)
    except OSError as error:
        raise EnrolmentError(f"{present.certificate}: {error}; enrol anew, with a new label") from error
    return _issued(office, context, "simplereenroll", request, {})


def _context(trust: bytes) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_verify_locations(cadata=trust.decode("ascii"))
    return made


def _issued(
    office: Office,
    context: ssl.SSLContext,
    operation: str,
    request: x509.CertificateSigningRequest,
    headers: dict[str, str],
) -> bytes:
    body = base64.encodebytes(request.public_bytes(Encoding.DER))
    kind = {"Content-Type": "application/pkcs10", "Content-Transfer-Encoding": "base64"}
    found = _certificates(_ask(office, context, "POST", operation, body, {**kind, **headers}), office)
    own = [one for one in found if one.public_key() == request.public_key()]
    if not own:
        raise EnrolmentError(f"{office.url}: the certificate that came is for another key; ask the office")
    rest = [one for one in found if one not in own]
    return b"".join(one.public_bytes(Encoding.PEM) for one in [*own[:1], *rest])


def _ask(
    office: Office,
    context: ssl.SSLContext,
    method: str,
    operation: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> bytes:
    """Return the body of an answer with status 200; everything else is an error in words."""
    link = http.client.HTTPSConnection(office.host, office.port, timeout=WITHIN_S, context=context)
    try:
        link.request(method, f"{office.path}/{operation}", body, headers or {})
        answer = link.getresponse()
        said = answer.read(_LARGEST)
        status, retry = answer.status, answer.headers.get("Retry-After", "")
    except (OSError, UnicodeError) as error:
        raise EnrolmentError(f"{office.url}: {_hung_up(error, operation) or _unreached(error)}") from error
    except http.client.HTTPException as error:
        why = str(error) or type(error).__name__
        raise EnrolmentError(f"{office.url}: no answer that can be read ({why}); try again") from error
    finally:
        link.close()
    if status == 202:
        raise PendingError(min(_LONGEST_WAIT_S, float(retry)) if retry.isdigit() else 600.0)
    if status != 200:
        raise EnrolmentError(f"{office.url}: {_refused(status, operation)}{_quoted(said)}")
    return said


def _hung_up(error: Exception, operation: str) -> str:
    """Return in words that the office hung up on a certificate; empty if that is not what happened.

    The alert that says why may be lost when the other side closes at once.
    """
    if operation != "simplereenroll":
        return ""
    if not isinstance(error, ssl.SSLEOFError | ConnectionResetError | BrokenPipeError):
        return ""
    return (
        "the present certificate is not taken (or the link broke: the office hung up); "
        "try again, else enrol anew, with a new label"
    )


def _unreached(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return f"unknown host ({error.strerror}); check the address on the label, and the name service"
    if isinstance(error, ssl.SSLCertVerificationError):
        # OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED.
        clock = "; is the box's clock right? See date" if error.verify_code in (9, 10) else ""
        return f"the pinned authority does not vouch for this server: {error.verify_message}{clock}"
    if isinstance(error, ssl.SSLError):
        return _no_tls(error.reason or str(error))
    if isinstance(error, TimeoutError):
        return f"no answer within {WITHIN_S:g} s; check the network"
    if isinstance(error, ConnectionRefusedError):
        return "refuses connections; is the office open, and the port right?"
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{reason or type(error).__name__}; try again"


def _no_tls(reason: str) -> str:
    if any(word in reason for word in _NOT_TAKEN):
        return f"the present certificate is not taken ({reason}): enrol anew, with a new label"
    return f"no TLS there ({reason}); check host and port on the label"


def _refused(status: int, operation: str) -> str:
    if status == 401:
        return "the password is not taken; each is good for one certificate: ask the office for a new label"
    if status == 403 and operation == "simplereenroll":
        return "the present certificate is not taken, it may be revoked: enrol anew, with a new label"
    if status == 404:
        return "there is no such place; check the address on the label"
    if status >= 500:
        return f"the office has a fault of its own (HTTP {status}); try again later"
    return f"refused (HTTP {status})"


def _quoted(said: bytes) -> str:
    """Return what the office said about it, if that is a short text."""
    text = said.decode("utf-8", "replace").strip()
    return f": {text[:_SAID]}" if text and text.isprintable() and "<" not in text else ""


def _certificates(body: bytes, office: Office) -> list[x509.Certificate]:
    """Return the certificates of a certs-only PKCS#7 in base64 (RFC 7030, 4.1.3)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a server that writes BER
            found = pkcs7.load_der_pkcs7_certificates(base64.b64decode(body))
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion, binascii.Error):
        raise EnrolmentError(
            f"{office.url}: what came is no list of certificates; is that an EST server?"
        ) from None
    return [one for one in found if _readable(one)]


def _readable(one: x509.Certificate) -> bool:
    """Whether its key is of a kind that is known here; an authority of another kind is of no use."""
    try:
        one.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _vouched(one: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
