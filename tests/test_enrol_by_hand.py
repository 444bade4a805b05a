"""Enrolment without a network: the request goes out and the certificate comes in by hand."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest
from offices import Box, Openssl, openssl

from lamppost.agent.config import load
from lamppost.provisioning.enrolment.state import state

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")


@pytest.fixture
def box(tmp_path, capsys):
    return Box(tmp_path, capsys)


def test_a_certificate_is_carried_by_hand(box, tmp_path):
    office = Openssl(tmp_path / "office")
    code, _, told = box("enrol", "--certificate", office.folder / "ca.pem")
    assert code == 1
    assert "--csr-out" in told
    asked = tmp_path / "usb.csr"
    assert box("enrol", "--csr-out", asked)[0] == 0
    assert box("enrol", "--csr-out", asked)[0] == 0  # again: the same key
    assert box.standing() == "pending"
    openssl("req", "-in", asked, "-verify", "-noout")
    office.sign(asked, "late.pem", days=-1)
    office.sign("server.csr", "other.pem")
    (tmp_path / "rubbish").write_bytes(b"\x00\x01")
    for file, words in (
        (office.folder / "late.pem", "expired on"),
        (office.folder / "other.pem", "for another key"),
        (tmp_path / "rubbish", "neither PEM nor DER"),
    ):
        code, _, told = box("enrol", "--certificate", file)
        assert code == 1
        assert words in told
        assert box.standing() == "pending"
    office.sign(asked, "good.pem")
    openssl("x509", "-in", "good.pem", "-outform", "DER", "-out", "good.der", folder=office.folder)
    assert box("enrol", "--certificate", office.folder / "good.der", "--ca", office.folder / "ca.pem")[0] == 0
    assert box.standing() == "enrolled"
    openssl("verify", "-CAfile", box.identity / "current/ca.pem", box.identity / "current/cert.pem")
    # Without an office that it knows, it is renewed by hand again.
    own = state(load(box.file)).certificate
    assert own.not_valid_after_utc > datetime.now(UTC)


def test_an_authority_that_was_brought_is_tried_before_it_is_trusted(tmp_path, capsys):
    box = Box(tmp_path, capsys, '[hub]\nurl = "mqtts://127.0.0.1:9"   # closed\n')
    offices = Openssl(tmp_path / "office"), Openssl(tmp_path / "other")
    trusted = box.identity / "current/ca.pem"
    for office, code, trial in ((offices[0], 0, "--no-trial"), (offices[1], 1, "--trial")):
        asked = tmp_path / "usb.csr"
        assert box("enrol", "--csr-out", asked)[0] == 0
        office.sign(asked, "box.pem")
        chain = tmp_path / "chain.pem"  # the authority first, as some offices write it
        chain.write_bytes(b"".join((office.folder / name).read_bytes() for name in ("ca.pem", "box.pem")))
        done, _, told = box("enrol", "--certificate", chain, "--ca", office.folder / "ca.pem", trial)
        assert done == code, told
        assert trusted.read_bytes() == (offices[0].folder / "ca.pem").read_bytes()
    assert box("enrol", "--no-trial")[0] == 0
    assert trusted.read_bytes() == (offices[1].folder / "ca.pem").read_bytes()


def test_a_key_that_was_put_elsewhere_goes_out_of_service_too(tmp_path, capsys):
    office = Openssl(tmp_path / "office")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=pole-1", "-keyout", "own.key", "-out", "own.csr", folder=tmp_path)  # fmt: skip
    office.sign(tmp_path / "own.csr", "own.pem")
    shutil.copy(office.folder / "own.pem", tmp_path)
    files = 'cert_file = "own.pem"\nkey_file = "own.key"\nca_file = "office/ca.pem"\n'
    box = Box(tmp_path, capsys, f'[hub]\nurl = "mqtts://127.0.0.1:9"\n{files}')
    code, said, _ = box("decommission", "--yes")
    assert code == 0, said
    assert not (tmp_path / "own.key").exists()
    assert not (tmp_path / "own.pem").exists()
    hub = load(box.file).hub
    assert (hub.cert_file, hub.key_file) == (None, None)
    assert hub.ca_file == office.folder / "ca.pem"
