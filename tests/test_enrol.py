"""Enrolment against the simulated office and one of the openssl program: what goes wrong, and going on."""

from __future__ import annotations

import fcntl
import io
import json
import os
import re
import shutil
import stat
from datetime import timedelta

import pytest
from offices import Box, Openssl, openssl

from lamppost.agent.config import load
from lamppost.agent.uplink import tls
from lamppost.provisioning.enrolment.keys import new_key
from lamppost.provisioning.enrolment.state import due_at
from lamppost.simulators.est import Authority, EstServer

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")


@pytest.fixture
def box(tmp_path, capsys):
    return Box(tmp_path, capsys)


@pytest.fixture
def office(tmp_path):
    with EstServer(Authority(tmp_path / "office"), passwords={"once", "twice"}) as server:
        yield server


def test_a_box_enrols_once_with_a_key_that_only_it_can_read(box, office):
    assert box.standing() == "none"
    code, said, _ = box("enrol", office.label_for("once"))
    assert code == 0
    assert "pole-1 is enrolled: O=s1,CN=pole-1" in said
    assert "not tried" in said
    assert box.standing() == "enrolled"
    key = (box.identity / "current/key.pem").resolve()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert b"PRIVATE" in key.read_bytes()
    assert not (box.identity / "pending.key").exists()
    code, _, told = box("enrol", office.label_for("once"))
    assert code == 1
    assert "each is good for one certificate" in told
    assert "once" not in told.replace("for one", "")
    assert box.standing() == "enrolled"


def test_nothing_is_sent_to_an_office_with_another_authority(box, office):
    label = office.label_for("once").replace(office.authority.fingerprint, "ab" * 32)
    code, _, told = box("enrol", label)
    assert code == 1
    assert "not the one on the label" in told
    assert office.asked == [("cacerts", False)]


def test_an_office_under_another_name_gets_no_password(box, tmp_path):
    authority = Authority(tmp_path / "office")
    with EstServer(authority, passwords={"once"}) as server:
        certificate, key = authority.serve_as(["est.elsewhere.example"], "stranger")
        server._server._trust.load_cert_chain(certificate, key)
        code, _, told = box("enrol", server.label_for("once"))
        assert code == 1
        assert "does not vouch for this server" in told
        assert server.asked == [("cacerts", False)]


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (["drop"], "no answer that can be read|closed"),
        (["", "drop"], "no answer that can be read|closed"),
        (["garbled"], "no list of certificates"),
        (["", "error"], "fault of its own .HTTP 500.; try again later: the office is being painted"),
        (["", "wrong-key"], "for another key"),
        (["", "wrong-name"], "for another-box, this box is pole-1"),
        (["", "garbled"], "no list of certificates"),
    ],
)
def test_what_goes_wrong_is_told_and_the_next_try_goes_on_with_the_same_key(box, office, faults, words):
    office.faults = faults
    code, _, told = box("enrol", office.label_for("once"))
    assert code == 1
    assert re.search(words, told), told
    assert box.standing() in ("pending", "none")
    kept = box.identity / "pending.key"
    before = kept.read_bytes() if kept.exists() else None
    assert box("enrol", office.label_for("twice"))[0] == 0
    assert before is None or box.pair()[0] == before


def test_a_certificate_before_its_time_by_the_clock_of_the_box_is_kept_and_not_used(box, office):
    office.faults = ["", "early"]
    for _ in range(2):  # the password is spent, and not asked for again
        code, _, told = box("enrol", office.label_for("once"))
        assert code == 1
        assert re.search("not valid before .* set the clock", told), told
        assert box.standing() == "issued"


def test_an_office_that_says_later_is_asked_again_with_the_same_password(box, office):
    office.faults = ["", "pending", "", "pending"]
    code, _, told = box("enrol", office.label_for("once"))
    assert code == 0
    assert "not decided yet" in told
    assert [operation for operation, _ in office.asked].count("simpleenroll") == 3


def test_a_hub_that_does_not_take_it_leaves_what_was_and_the_certificate_is_kept(tmp_path, capsys, office):
    hub = '[hub]\nurl = "mqtts://127.0.0.1:9"   # closed\n'
    box = Box(tmp_path, capsys, hub)
    code, _, told = box("enrol", office.label_for("once"))
    assert code == 1
    assert "tried at the hub, without success: 127.0.0.1:9 refuses connections" in told
    assert box.standing() == "issued"
    assert "cert_file" not in box.file.read_text()
    code, _, told = box("enrol", office.label_for("once"))
    assert code == 1
    assert "refuses connections" in told  # and not that the password is spent
    code, _, _ = box("enrol", "--no-trial")  # the password is spent: what was issued must do
    assert code == 0
    assert box.standing() == "enrolled"
    text = box.file.read_text()
    assert "# closed" in text
    hub = load(box.file).hub
    assert hub.cert_file == box.identity / "current/cert.pem"
    assert hub.ca_file == box.identity / "current/ca.pem"
    tls.context(hub)


def test_it_is_renewed_when_due_with_a_new_key_and_not_before(tmp_path, capsys):
    with EstServer(Authority(tmp_path / "office"), passwords={"once"}, life=timedelta(days=9)) as office:
        box = Box(tmp_path, capsys)
        code, _, told = box("enrol", "--renew")
        assert code == 1
        assert "enrol first" in told
        assert box("enrol", office.label_for("once"))[0] == 0
        first = box.pair()
        code, said, _ = box("enrol", "--renew")
        assert (code, box.pair()) == (0, first)
        assert "not due" in said
        # What is issued now is due at once: five minutes of clock difference are most of its life.
        office.life = timedelta(minutes=7)
        office.passwords = {"again"}
        assert box("enrol", office.label_for("again"))[0] == 0
        due = box.pair()
        assert box.standing() == "due"
        office.life = timedelta(days=9)
        office.faults = ["error"]
        assert box("enrol", "--renew")[0] == 1
        assert box.pair() == due
        assert box("enrol", "--renew")[0] == 0
        assert box.standing() == "enrolled"
        assert box.pair()[0] != due[0]
        assert office.asked[-1] == ("simplereenroll", False)
        assert len(list(box.identity.glob("pair-*"))) == 2
        office.life = timedelta(minutes=7)
        office.passwords = {"last"}
        assert box("enrol", office.label_for("last"))[0] == 0
        office.authority.revoke(office.authority.issued[-1].serial_number)
        code, _, told = box("enrol", "--renew")
        assert code == 1
        assert "it may be revoked: enrol anew" in told


def test_boxes_renew_at_their_own_times_and_all_before_a_third_is_left(tmp_path):
    authority = Authority(tmp_path)
    own = authority.issue(authority.certificate.subject, new_key().public_key(), timedelta(days=90))
    left = [(own.not_valid_after_utc - due_at(own, f"pole-{n}")) / timedelta(days=90) for n in range(500)]
    assert min(left) >= 1 / 3
    assert max(left) <= 1 / 3 + 1 / 12
    days = {round((one - 1 / 3) * 12 * 7) for one in left}
    assert days == set(range(8))  # spread over the whole week


@needs_openssl
def test_an_office_that_shares_no_code_with_ours_enrols_a_box(box, tmp_path):
    office = Openssl(tmp_path / "office")
    with office.est("secret") as label:
        assert box("enrol", label.replace("secret", "wrong"))[0] == 1
        assert box("enrol", label)[0] == 0
    openssl("verify", "-CAfile", office.folder / "ca.pem", box.identity / "current/cert.pem")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("http://office.example#password=x&ca=" + "ab" * 32,), "https://"),
        (("https://office.example#ca=" + "ab" * 32,), "no password"),
        (("https://office.example#password=x&ca=abc",), "64 hexadecimal digits"),
        (("https://office.example:99999#password=x&ca=" + "ab" * 32,), "cannot be read"),
        (("https://office.example/est#password=x&ca=" + "ab" * 32,), "/.well-known/est"),
        (("--url", "https://office.example", "--password", "x"), "64 hexadecimal digits"),
        ((), "give what the label says"),
    ],
)
def test_a_label_that_cannot_be_is_told_without_its_password(box, words, told):
    code, _, said = box("enrol", *words)
    assert code == 2
    assert told in " ".join(said.split())
    assert "password=x" not in said


def test_two_enrolments_do_not_meet(box, office):
    box.identity.mkdir(parents=True)
    handle = os.open(box.identity / ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    code, _, told = box("enrol", office.label_for("once"))
    os.close(handle)
    assert code == 1
    assert "another enrolment is under way" in told


def test_a_box_that_goes_out_of_service_keeps_nothing(tmp_path, capsys, office, monkeypatch):
    box = Box(tmp_path, capsys, '[hub]\nurl = "mqtts://127.0.0.1:9"\n')
    assert box("enrol", office.label_for("once"), "--no-trial")[0] == 0
    key = box.pair()[0]
    linked = tmp_path / "hard"
    os.link((box.identity / "current/key.pem").resolve(), linked)
    (tmp_path / "state/spool.db").write_bytes(b"alarm")
    (tmp_path / "state/spool.db-wal").write_bytes(b"alarm")
    (tmp_path / "state/evidence").mkdir()
    (tmp_path / "state/evidence/a=b.jpg").write_bytes(b"jpeg")
    monkeypatch.setattr("sys.stdin", io.StringIO("pole-2\n"))
    assert box("decommission")[0] == 130
    assert box.pair()[0] == key
    code, said, _ = box("decommission", "--yes", "--json")
    assert code == 0
    assert json.loads(said) | {"keys": 0} == {
        "node": "pole-1",
        "keys": 0,
        "spool": 2,
        "evidence": 1,
        "left": [],
    }
    assert list((tmp_path / "state").iterdir()) == []
    assert linked.read_bytes() == bytes(len(key))
    assert "cert_file" not in box.file.read_text()
    load(box.file)
    assert box.standing() == "none"
