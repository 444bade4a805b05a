"""A box's key and certificate: made for each other, swapped as one."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from lamppost.provisioning.enrolment import EnrolmentError
from lamppost.provisioning.enrolment.keys import key_pem, new_key, request
from lamppost.provisioning.enrolment.store import install


def pair() -> tuple[bytes, bytes]:
    key = new_key()
    name = request(key, "pole-7", "harbour").subject
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return key_pem(key), made.public_bytes(serialization.Encoding.PEM)


def test_a_request_names_node_and_site_and_openssl_believes_its_signature(tmp_path: Path) -> None:
    made = request(new_key(), "pole-7", "harbour")
    assert made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "pole-7"
    assert made.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "harbour"
    file = tmp_path / "csr.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    subprocess.run(["openssl", "req", "-in", file, "-verify", "-noout"], check=True, capture_output=True)


def test_the_key_is_for_the_owner_only_and_the_newest_pair_is_in_use(tmp_path: Path) -> None:
    install(tmp_path / "tls", *pair())
    key, certificate = pair()
    current = install(tmp_path / "tls", key, certificate)
    assert (current / "key.pem").read_bytes() == key
    assert (current / "cert.pem").read_bytes() == certificate
    assert (current / "key.pem").stat().st_mode & 0o777 == 0o600


def test_a_certificate_of_another_key_is_refused_and_the_old_pair_stays(tmp_path: Path) -> None:
    key, certificate = pair()
    current = install(tmp_path, key, certificate)
    with pytest.raises(EnrolmentError, match="another key"):
        install(tmp_path, pair()[0], pair()[1])
    assert (current / "key.pem").read_bytes() == key
    assert (current / "cert.pem").read_bytes() == certificate


def test_what_cannot_be_read_is_refused_without_quoting_it(tmp_path: Path) -> None:
    with pytest.raises(EnrolmentError) as refused:
        install(tmp_path, b"canary-of-a-key", pair()[1])
    assert "canary" not in str(refused.value)


_SWAPS = """
import sys
from pathlib import Path
from lamppost.provisioning.enrolment.store import install
folder, *names = map(Path, sys.argv[1:])
a, b, c, d = (name.read_bytes() for name in names)
while True:
    install(folder, a, b)
    install(folder, c, d)
    print("swapped", flush=True)
"""


def test_a_kill_during_swaps_leaves_a_pair_that_belongs_together(tmp_path: Path) -> None:
    files = []
    for nth, data in enumerate((*pair(), *pair())):
        files.append(tmp_path / f"{nth}.pem")
        files[-1].write_bytes(data)
    for kills_after in (1, 2, 3):
        with subprocess.Popen(
            [sys.executable, "-c", _SWAPS, tmp_path / "tls", *files], stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            for _ in range(kills_after):
                assert child.stdout.readline()
            os.kill(child.pid, signal.SIGKILL)
        current = tmp_path / "tls" / "current"
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(current / "cert.pem", current / "key.pem")
