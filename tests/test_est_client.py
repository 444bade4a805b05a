"""The EST client where an office refuses the box, or answers what cannot be read."""

from __future__ import annotations

import base64
import contextlib
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from lamppost.provisioning.enrolment import EnrolmentError, est
from lamppost.provisioning.enrolment.keys import key_pem, new_key, request
from lamppost.provisioning.enrolment.label import Office, read
from lamppost.simulators.est import Authority, EstServer


@pytest.fixture
def office(tmp_path):
    with EstServer(Authority(tmp_path / "office"), passwords={"once"}) as server:
        yield server


def test_an_office_that_does_not_take_the_present_certificate_is_told_so(tmp_path, office):
    there, _ = read(office.label_for("once"))
    key = new_key()
    asked = request(key, "pole-1", "s1")
    (tmp_path / "key").write_bytes(key_pem(key))
    for authority, life in (
        (office.authority, timedelta(minutes=4)),  # over, by the five minutes for differing clocks
        (Authority(tmp_path / "stranger"), timedelta(days=9)),
    ):
        own = authority.issue(asked.subject, key.public_key(), life)
        (tmp_path / "own").write_bytes(own.public_bytes(Encoding.PEM))
        with pytest.raises(EnrolmentError, match=r"present certificate is not taken .*enrol anew"):
            est.renew(there, est.authorities(there), asked, est.Pair(tmp_path / "own", tmp_path / "key"))


def test_a_spoilt_answer_is_never_more_than_an_error_in_words(tmp_path):
    der = pkcs7.serialize_certificates([Authority(tmp_path).certificate], Encoding.DER)
    office = Office("office.example", 443, "/.well-known/est", "ab" * 32)
    spoilt = [der[:length] for length in range(0, len(der), 7)]
    for at in range(len(der)):
        spoilt.extend(der[:at] + bytes([der[at] ^ bit]) + der[at + 1 :] for bit in (1, 0x40))
    for body in spoilt:
        with contextlib.suppress(EnrolmentError):
            for one in est._certificates(base64.b64encode(body), office):
                one.public_key()


def test_a_password_may_have_any_sign(office):
    odd = "a+b&c=d #%41/é"
    assert read(office.label_for(odd))[1] == odd
    assert read(f"https://office.example#password=a+b&ca={'ab' * 32}")[1] == "a+b"
