"""The office's side of EST (RFC 7030): its certificates, enrolment by password, renewal by certificate."""

from __future__ import annotations

import base64
import secrets
import ssl
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple, Self, cast
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from lamppost.simulators.est.authority import Authority

PATH: Final = "/.well-known/est"
#: What the office may do wrong, each once: hang up, fail, ask to come again, answer with what cannot be
#: read, with a certificate for another key or another box, or with one that is not valid yet.
FAULTS: Final = ("drop", "error", "pending", "garbled", "wrong-key", "wrong-name", "early")
_LARGEST: Final = 64 << 10


def new_password() -> str:
    """Return a password that nobody can guess, and a QR code can hold."""
    return secrets.token_urlsafe(12)


class Reply(NamedTuple):
    """An answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class RefusedError(Exception):
    """What was asked is refused with ``reply``."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(body.decode())
        self.reply = Reply(status, body, headers or {})


class EstServer:
    """Serves boxes on a port of its own thread; as a context manager it runs.

    Each of ``passwords`` is good for one certificate. ``label`` is the path segment of RFC 7030, 3.2.2.
    """

    def __init__(
        self,
        authority: Authority,
        *,
        passwords: Iterable[str] = (),
        life: timedelta = timedelta(days=90),
        host: str = "127.0.0.1",
        port: int = 0,
        label: str = "",
        names: Iterable[str] = (),
    ) -> None:
        self.authority = authority
        self.passwords = set(passwords)
        self.life = life
        #: Faults still to come, the next first.
        self.faults: list[str] = []
        #: What was asked, as (operation, whether a password came along).
        self.asked: list[tuple[str, bool]] = []
        self._path = f"{PATH}/{label}" if label else PATH
        certificate, key = authority.serve_as({host, "localhost", "127.0.0.1", *names}, "est")
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trust.minimum_version = ssl.TLSVersion.TLSv1_2
        trust.load_cert_chain(certificate, key)
        trust.load_verify_locations(authority.file)
        trust.verify_mode = ssl.CERT_OPTIONAL
        self._server = _Server((host, port), self, trust)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where boxes find it, without secrets."""
        return f"https://{self._server.server_address[0]!s}:{self.port}{self._path}"

    def label_for(self, password: str) -> str:
        """Return what stands in the QR code on a box."""
        return f"{self.url}#password={quote(password, safe='')}&ca={self.authority.fingerprint}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, operation: str, handler: BaseHTTPRequestHandler) -> Reply:
        """Return status, headers and body of an answer."""
        # All is read, whatever it is: who hangs up on a client that still speaks takes its answer away.
        body = handler.rfile.read(min(int(handler.headers.get("content-length") or 0), _LARGEST))
        fault = self.faults.pop(0) if self.faults else ""
        self.asked.append((operation, "authorization" in handler.headers))
        if fault == "drop":
            raise ConnectionAbortedError
        if fault == "error":
            return Reply(HTTPStatus.INTERNAL_SERVER_ERROR, b"the office is being painted")
        if operation == "cacerts":
            return _certificates([self.authority.certificate], garbled=fault == "garbled")
        try:
            self._check_sender(operation, handler)
            if fault == "pending":
                return Reply(HTTPStatus.ACCEPTED, headers={"Retry-After": "1"})
            asked = self._request(operation, handler, body)
        except RefusedError as refused:
            return refused.reply
        self._use(handler)
        return _certificates([self._issued(asked, fault)], garbled=fault == "garbled")

    def _request(
        self, operation: str, handler: BaseHTTPRequestHandler, body: bytes
    ) -> x509.CertificateSigningRequest:
        try:
            asked = x509.load_der_x509_csr(base64.b64decode(body))
        except ValueError:
            raise RefusedError(HTTPStatus.BAD_REQUEST, b"no PKCS#10 request") from None
        if not asked.is_signature_valid:
            raise RefusedError(HTTPStatus.BAD_REQUEST, b"the signature of the request does not hold")
        present = _present(handler)
        # RFC 7030, 4.2.2: a renewal is for the same subject.
        if operation == "simplereenroll" and present is not None and asked.subject != present.subject:
            raise RefusedError(HTTPStatus.BAD_REQUEST, b"another subject than that of the certificate")
        return asked

    def _check_sender(self, operation: str, handler: BaseHTTPRequestHandler) -> None:
        if operation == "simpleenroll" and self._password(handler) is None:
            told = {"WWW-Authenticate": 'Basic realm="est"'}
            raise RefusedError(HTTPStatus.UNAUTHORIZED, b"wrong password", told)
        present = _present(handler)
        if operation == "simplereenroll" and (
            present is None or self.authority.has_revoked(present.serial_number)
        ):
            raise RefusedError(HTTPStatus.FORBIDDEN, b"no certificate that holds")

    def _issued(self, asked: x509.CertificateSigningRequest, fault: str) -> x509.Certificate:
        key, subject = cast("ec.EllipticCurvePublicKey", asked.public_key()), asked.subject
        if fault == "wrong-key":
            key = ec.generate_private_key(ec.SECP256R1()).public_key()
        if fault == "wrong-name":
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another-box")])
        begins = datetime.now(UTC) + timedelta(days=2) if fault == "early" else None
        return self.authority.issue(subject, key, self.life, begins)

    def _password(self, handler: BaseHTTPRequestHandler) -> str | None:
        kind, _, given = handler.headers.get("authorization", "").partition(" ")
        try:
            _, _, password = base64.b64decode(given).decode().partition(":")
        except ValueError:
            return None
        good = kind == "Basic" and any(secrets.compare_digest(password, one) for one in self.passwords)
        return password if good else None

    def _use(self, handler: BaseHTTPRequestHandler) -> None:
        """A password is good for one certificate."""
        self.passwords.discard(self._password(handler) or "")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], office: EstServer, trust: ssl.SSLContext) -> None:
        super().__init__(address, _Handler)
        self.office = office
        self._trust = trust

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands on the thread of the request: a slow client stops nobody."""
        request.settimeout(10)
        with self._trust.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are their own affair."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self, *known: str) -> None:
        office = cast("_Server", self.server).office
        folder, _, operation = self.path.rpartition("/")
        if folder != office._path or operation not in known:  # noqa: SLF001 - of the same file
            reply = Reply(HTTPStatus.NOT_FOUND, b"no such place")
        else:
            reply = office.answer(operation, self)
        self.send_response(reply.status)
        for name, value in {
            **reply.headers,
            "Content-Length": str(len(reply.body)),
            "Connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def do_GET(self) -> None:
        self._answer("cacerts")

    def do_POST(self) -> None:
        self._answer("simpleenroll", "simplereenroll")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def _certificates(found: list[x509.Certificate], *, garbled: bool) -> Reply:
    body = base64.encodebytes(pkcs7.serialize_certificates(found, Encoding.DER))
    if garbled:
        body = body[: len(body) // 2]
    kind = "application/pkcs7-mime; smime-type=certs-only"
    return Reply(HTTPStatus.OK, body, {"Content-Type": kind, "Content-Transfer-Encoding": "base64"})


def _present(handler: BaseHTTPRequestHandler) -> x509.Certificate | None:
    """Return the certificate that the client showed."""
    der = cast("ssl.SSLSocket", handler.connection).getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(der) if der else None
