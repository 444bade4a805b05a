"""Enrolling a box and renewing its certificate: what is interrupted is taken up again where it stopped."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lamppost.agent.config import Config
from lamppost.agent.durable import sync_folder
from lamppost.provisioning.edit import editing
from lamppost.provisioning.enrolment import EnrolmentError, est, keys, store
from lamppost.provisioning.enrolment.label import Office
from lamppost.provisioning.enrolment.state import (
    AUTHORITIES,
    ISSUED,
    OFFICE,
    PENDING_KEY,
    identity_folder,
)
from lamppost.provisioning.enrolment.store import CERTIFICATE, CURRENT, KEY
from lamppost.provisioning.running import reload

LOCK: Final = ".lock"

#: What tries a pair (its folder, the authorities' file) and returns where; raises EnrolmentError.
Trial = Callable[[Path, Path | None], Awaitable[str]]


class Done(NamedTuple):
    """What came of it: where the certificate was tried (empty: nowhere), and what became of the file."""

    tried: str
    backup: Path | None
    agent: str


class Enrolment:
    """One box's identity, held against a second command at the same time (``with``)."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.folder = identity_folder(config)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep the renewal by timer and a technician apart. Raises EnrolmentError."""
        store.open_folder(self.folder)
        handle = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EnrolmentError(f"{self.folder}: another enrolment is under way; wait for it") from None
            yield
        finally:
            os.close(handle)

    def request(self) -> x509.CertificateSigningRequest:
        """Return the request for a certificate; its key is made once, and never leaves the box."""
        return keys.request(self._key(), self._config.node.id, self._config.node.site)

    def ask(self, office: Office, password: str) -> Path:
        """Let the office issue a certificate; return the folder of the new pair, which is not in use yet.

        Raises EnrolmentError, PendingError among them.
        """
        request = self.request()
        trust = est.authorities(office)
        chain = est.enrol(office, trust, request, password)
        return self._keep(chain, trust, office)

    def renew(self) -> Path:
        """Let the office renew the certificate in use; return the folder of the new pair."""
        office = self._office()
        current = (self.folder / CURRENT).resolve()
        trust = est.authorities(office)
        present = est.Pair(current / CERTIFICATE, current / KEY)
        chain = est.renew(office, trust, self.request(), present)
        return self._keep(chain, trust, office)

    def bring(self, data: bytes, authorities: bytes) -> Path:
        """Take a certificate that was carried here (PEM or DER); return the folder of the new pair."""
        if not (self.folder / PENDING_KEY).exists():
            raise EnrolmentError(
                "this box has asked for no certificate yet; write its request: lamppost enrol --csr-out FILE"
            )
        trust = _as_pem(authorities, "--ca") if authorities else b""
        return self._keep(_as_pem(data, "the certificate", self._key().public_key()), trust)

    def waiting(self) -> Path | None:
        """Return the pair that was issued but is not in use yet, if there is one that still holds."""
        pair = self.folder / ISSUED
        try:
            own = x509.load_pem_x509_certificates((pair / CERTIFICATE).read_bytes())[0]
        except (OSError, ValueError, IndexError):
            return None
        return pair.resolve() if datetime.now(UTC) < own.not_valid_after_utc else None

    def unnamed(self) -> Path | None:
        """Return the pair in use if the configuration does not name it: the hub came after it."""
        hub, current = self._config.hub, self.folder / CURRENT
        there = hub is not None and hub.cert_file is None and (current / CERTIFICATE).exists()
        return current.resolve() if there else None

    async def take(self, pair: Path, trial: Trial | None) -> Done:
        """Try a pair, and put it to use: in the store, in the configuration, in the running agent.

        Raises EnrolmentError if the trial fails: what was in use stays in use, and the pair is kept.
        """
        _check_time(pair)
        trusted = (pair / AUTHORITIES).exists()
        tried = await trial(pair, pair / AUTHORITIES if trusted else None) if trial is not None else ""
        link = store.use(self.folder, pair)
        for name in (ISSUED, PENDING_KEY):
            (self.folder / name).unlink(missing_ok=True)
        backup = self._configure(link, link / AUTHORITIES if trusted else None)
        return Done(tried, backup, reload(self._config.node.run_dir))

    def _configure(self, link: Path, trusted: Path | None) -> Path | None:
        """Let the configuration name the pair; one that names another authority keeps it."""
        hub = self._config.hub
        if hub is None:
            return None
        wanted = {"cert_file": link / CERTIFICATE, "key_file": link / KEY}
        if hub.ca_file is None and trusted is not None and hub.tls:
            wanted["ca_file"] = trusted
        with editing(self._config.path) as edit:
            for name, path in wanted.items():
                if getattr(hub, name) != path:
                    edit.set(("hub", name), str(path))
        return edit.backup

    def _key(self) -> ec.EllipticCurvePrivateKey:
        path = self.folder / PENDING_KEY
        if not path.exists():
            store.open_folder(self.folder)
            fresh = path.with_suffix(".new")
            fresh.unlink(missing_ok=True)
            store.write(fresh, keys.key_pem(keys.new_key()), 0o600)
            fresh.replace(path)
            sync_folder(self.folder)
        try:
            found = serialization.load_pem_private_key(path.read_bytes(), None)
        except (ValueError, TypeError):
            found = None
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise EnrolmentError(f"{path} is no key that can be read; delete it and enrol with a new label")
        return found

    def _office(self) -> Office:
        try:
            found = json.loads((self.folder / CURRENT / OFFICE).read_text(encoding="utf-8"))
            return Office(found["host"], found["port"], found["path"], found["ca"])
        except (OSError, ValueError, KeyError):
            raise EnrolmentError(
                "this box does not know its office: it was enrolled by hand, or never; "
                "renew it in the same way, or enrol with a label"
            ) from None

    def _keep(self, chain: bytes, trust: bytes, office: Office | None = None) -> Path:
        """Keep what was issued, so that nothing is lost whatever comes next."""
        self._check(chain)
        beside = {AUTHORITIES: trust} if trust else self._in_use(AUTHORITIES)
        if office is not None:
            told = {"host": office.host, "port": office.port, "path": office.path, "ca": office.fingerprint}
            beside[OFFICE] = json.dumps(told).encode()
        pair = store.put(self.folder, keys.key_pem(self._key()), chain, beside)
        store.point(self.folder, ISSUED, pair)
        return pair

    def _in_use(self, name: str) -> dict[str, bytes]:
        """Return a file beside the pair in use; nothing if there is none."""
        path = self.folder / CURRENT / name
        return {name: path.read_bytes()} if path.exists() else {}

    def _check(self, chain: bytes) -> None:
        """Hold a certificate to what was asked for. Raises EnrolmentError; the request stays as it is."""
        own = x509.load_pem_x509_certificates(chain)[0]
        if own.public_key() != self._key().public_key():
            raise EnrolmentError(
                "the certificate was made for another key: send this box's own request again"
            )
        node = self._config.node.id
        names = [str(one.value) for one in own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if names != [node]:
            raise EnrolmentError(
                f"the certificate is for {', '.join(names) or 'nobody'}, this box is {node}; "
                "see node.id, or ask the office for another"
            )
        if datetime.now(UTC) >= own.not_valid_after_utc:
            raise EnrolmentError(
                f"the certificate expired on {own.not_valid_after_utc:%Y-%m-%d}; "
                f"it is {datetime.now(UTC):%Y-%m-%d} here: is the clock right? Else ask for a new one"
            )


def _check_time(pair: Path) -> None:
    """Refuse to use a pair before its time; a box without a clock has it kept until its clock is set."""
    own, now = x509.load_pem_x509_certificates((pair / CERTIFICATE).read_bytes())[0], datetime.now(UTC)
    if now < own.not_valid_before_utc:
        raise EnrolmentError(
            f"the certificate is not valid before {own.not_valid_before_utc:%Y-%m-%d %H:%M} UTC, and here "
            f"it is {now:%Y-%m-%d %H:%M}: it is kept; set the clock (timedatectl) and run the command again"
        )


def _as_pem(data: bytes, what: str, first: ec.EllipticCurvePublicKey | None = None) -> bytes:
    """Return certificates as PEM, that of the key ``first`` before the others. Raises EnrolmentError."""
    try:
        if b"-----BEGIN" in data:
            found = x509.load_pem_x509_certificates(data)
        else:
            found = [x509.load_der_x509_certificate(data)]
        found.sort(key=lambda one: first is not None and one.public_key() != first)
    except (ValueError, UnsupportedAlgorithm):
        raise EnrolmentError(
            f"{what} is neither PEM nor DER that can be read; ask for another file"
        ) from None
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in found)


def as_json(done: Done) -> dict[str, Any]:
    """Return what came of it, as JSON values."""
    return {
        "tried": done.tried or None,
        "backup": str(done.backup) if done.backup else None,
        "agent": done.agent,
    }
