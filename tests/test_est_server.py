"""The simulated office against clients that share no code with it: curl and openssl."""

from __future__ import annotations

import base64
import shutil
import subprocess
from datetime import timedelta

import pytest
from offices import openssl

from lamppost.simulators.est import Authority, EstServer

pytestmark = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl"
)


@pytest.fixture
def office(tmp_path):
    with EstServer(Authority(tmp_path / "office"), passwords={"once"}, life=timedelta(days=7)) as server:
        yield server


def curl(office, operation, *words):
    """Return HTTP status and body."""
    done = subprocess.run(
        ["curl", "-sS", "--cacert", office.authority.file, "-w", "\n%{http_code}", *words,
         f"{office.url}/{operation}"],
        capture_output=True, check=True,
    )  # fmt: skip
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status), body


def ask(folder, subject="/O=s1/CN=pole-1"):
    """Make key and request with openssl; return the file with the request as EST wants it."""
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
            "-keyout", "box.key", "-outform", "DER", "-out", "box.der", folder=folder)  # fmt: skip
    (folder / "box.b64").write_bytes(base64.encodebytes((folder / "box.der").read_bytes()))
    return f"@{folder / 'box.b64'}"


def taken(folder, body):
    """Write the certificate of an answer; return what openssl says of it."""
    (folder / "answer.p7").write_bytes(base64.b64decode(body))
    found = openssl("pkcs7", "-inform", "DER", "-in", folder / "answer.p7", "-print_certs")
    (folder / "box.pem").write_bytes(found)
    return openssl("x509", "-noout", "-subject", "-text", data=found).decode()


POST = ("-H", "content-type: application/pkcs10", "--data-binary")


def test_the_authority_is_given_to_anybody_and_is_the_one_of_the_label(office, tmp_path):
    status, body = curl(office, "cacerts")
    assert status == 200
    assert "CA:TRUE" in taken(tmp_path, body)
    shown = openssl("x509", "-in", tmp_path / "box.pem", "-noout", "-fingerprint", "-sha256").decode()
    assert shown.strip().partition("=")[2].replace(":", "").lower() == office.authority.fingerprint
    assert office.authority.fingerprint in office.label_for("once")


def test_a_password_is_good_for_one_certificate(office, tmp_path):
    asked = ask(tmp_path)
    assert curl(office, "simpleenroll", *POST, asked)[0] == 401
    assert curl(office, "simpleenroll", "-u", ":wrong", *POST, asked)[0] == 401
    status, body = curl(office, "simpleenroll", "-u", ":once", *POST, asked)
    assert status == 200
    said = taken(tmp_path, body)
    assert "CN = pole-1" in said or "CN=pole-1" in said
    assert "TLS Web Client Authentication" in said
    openssl("verify", "-CAfile", office.authority.file, tmp_path / "box.pem")
    assert curl(office, "simpleenroll", "-u", ":once", *POST, asked)[0] == 401


def test_renewal_is_for_who_shows_a_certificate_that_holds_and_for_nobody_else(office, tmp_path):
    _, body = curl(office, "simpleenroll", "-u", ":once", *POST, ask(tmp_path))
    taken(tmp_path, body)
    shutil.copy(tmp_path / "box.pem", tmp_path / "old.pem")
    shutil.copy(tmp_path / "box.key", tmp_path / "old.key")
    mine = ("--cert", tmp_path / "old.pem", "--key", tmp_path / "old.key")
    asked = ask(tmp_path)
    assert curl(office, "simplereenroll", *POST, asked)[0] == 403
    assert curl(office, "simplereenroll", *mine, *POST, asked)[0] == 200
    assert curl(office, "simplereenroll", *mine, *POST, ask(tmp_path, "/CN=another"))[0] == 400
    office.authority.revoke(office.authority.issued[0].serial_number)
    assert curl(office, "simplereenroll", *mine, *POST, asked)[0] == 403
    crl = openssl("crl", "-in", office.authority.revoked_file, "-noout", "-text").decode()
    assert f"{office.authority.issued[0].serial_number:X}" in crl


def test_what_is_no_request_is_refused(office, tmp_path):
    (tmp_path / "rubbish").write_text("rubbish")
    assert curl(office, "simpleenroll", "-u", ":once", *POST, f"@{tmp_path / 'rubbish'}")[0] == 400
    assert office.passwords == {"once"}
    assert curl(office, "fullcmc", *POST, f"@{tmp_path / 'rubbish'}")[0] == 404
