"""What the hub reads: RFC 8428 resolved, CloudEvents checked, and everything else refused with a reason."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import cbor2
import pytest
from hubbing import AT, BASE, STREAM, cbor_pack, event, event_mail, pack, pack_mail, status_mail
from hypothesis import given
from hypothesis import strategies as st

from lamppost.agent.event import Event, Phase, Severity
from lamppost.agent.wire import (
    DeviceState,
    LaneState,
    NodeId,
    encode_event,
    encode_status,
    encode_telemetry,
    encode_will,
)
from lamppost.drivers.api import Quality, Reading
from lamppost.simulators.hub import (
    BadLetter,
    EventLetter,
    Mail,
    Node,
    PackError,
    PictureLetter,
    Schemas,
    Sequence,
    StatusLetter,
    TelemetryLetter,
    decode,
    resolve,
)
from lamppost.simulators.hub.senml import named

SCHEMAS = Schemas(Path(str(files("lamppost.agent.schemas"))))
NOW = 1763859723.0


def values(records, received=NOW):
    return [(r.name, r.at_ms, r.value, r.unit) for r in resolve(records, received).records]


def test_base_fields_last_until_others_come():
    records = [
        {"bn": "a:b:", "bt": 1e9, "bu": "V", "bv": 100, "n": "x", "v": 1},
        {"n": "x", "t": 1.5, "v": 2},
        {"bn": "a:c:", "n": "y", "u": "A", "v": 3},
        {"bv": 0, "n": "y", "t": 2, "v": 3},
        {"n": "z", "vs": "text"},
        {"n": "z", "vb": True},
        {"n": "z", "vd": "aGk"},
    ]
    assert values(records) == [
        ("a:b:x", 10**12, 101, "V"),
        ("a:b:x", 10**12 + 1500, 102, "V"),
        ("a:c:y", 10**12, 103, "A"),
        ("a:c:y", 10**12 + 2000, 3, "V"),
        ("a:c:z", 10**12, "text", "V"),
        ("a:c:z", 10**12, True, "V"),
        ("a:c:z", 10**12, b"hi", "V"),
    ]


def test_a_value_may_be_the_base_value_alone_or_a_sum():
    assert values([{"bn": "a", "bv": 7, "t": 1e9}])[0][2] == 7
    assert values([{"bn": "a", "bs": 7, "s": 2, "t": 1e9}])[0][2] == 9


def test_small_times_count_from_now():
    assert values([{"n": "a", "v": 1}, {"n": "a", "v": 1, "t": -5}]) == [
        ("a", int(NOW * 1000), 1, ""),
        ("a", int(NOW * 1000) - 5000, 1, ""),
    ]


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([], "at least one"),
        ({"n": "a"}, "an array"),
        (["a"], "record 0 is no map"),
        ([{"n": "a", "v": 1}, {"n": "a"}], "record 1 has neither"),
        ([{"n": "a", "v": 1, "vs": "b"}], "v and vs"),
        ([{"n": "a", "v": "1"}], "v that is no number"),
        ([{"n": "a", "v": True}], "v that is no number"),
        ([{"n": "a", "v": float("nan")}], "no number"),
        ([{"n": "a", "vb": 1}], "truth value"),
        ([{"v": 1}], "the name ''"),
        ([{"n": "-a", "v": 1}], "the name '-a'"),
        ([{"n": "a b", "v": 1}], "the name 'a b'"),
        ([{"n": "a", "v": 1, "must_": 1}], "must be understood"),
        ([{"bver": 11, "n": "a", "v": 1}], "version 11"),
        ([{"n": "a", "v": 1, "q": "bad"}], "quality"),
        ([{"n": "a", "vs": "", "q": "odd"}], "quality"),
        ([{"n": "a", "v": 1, 99: 1}], "unknown label"),
    ],
)
def test_what_rfc_8428_does_not_allow_is_refused_with_the_record(records, says):
    with pytest.raises(PackError, match=says):
        resolve(records, NOW)


def test_cbor_labels_and_decimal_fractions_are_exact():
    records = pack(values=(230.1, -0.05, 7), bt=1763859723.25)
    found = resolve(named(cbor2.loads(cbor_pack(records))), NOW)
    assert [r.value for r in found.records] == [230.1, -0.05, 7]
    assert [r.at_ms for r in found.records] == [1763859723250, 1763859724250, 1763859725250]
    assert found.sequence == f"{STREAM}:3:1"


def test_telemetry_is_read_in_each_form():
    read = [decode(pack_mail(pack(), deflate=d, form=f), SCHEMAS) for d in (0, 1) for f in ("json", "cbor")]
    assert all(isinstance(letter, TelemetryLetter) for letter in read), read
    assert {tuple(letter.records) for letter in read} == {tuple(read[0].records)}
    assert read[0].sequence == Sequence(STREAM, 3, 1)
    assert read[0].device == "gutter"


def test_an_event_is_read():
    letter = decode(event_mail(event(17)), SCHEMAS)
    assert isinstance(letter, EventLetter)
    assert (letter.kind, letter.phase, letter.device) == ("water.level", "open", "gutter")
    assert letter.node == Node("site-1", "pole-1")
    assert letter.sequence == Sequence(STREAM, 0, 17)
    assert letter.at == datetime(2025, 11, 23, 1, 2, 3, 456000, tzinfo=UTC)


def test_evidence_commands_and_replies_are_known():
    picture = decode(Mail(f"{BASE}evidence/e1/2", b"\xff\xd8\xff\xe0\xff\xd9", NOW, sequence=f"{STREAM}:2:9"))
    assert isinstance(picture, PictureLetter)
    assert picture.sequence == Sequence(STREAM, 2, 9)
    assert not isinstance(decode(Mail(f"{BASE}command/reboot", b"?", NOW)), BadLetter)


def spoiled():
    message = event()
    good = pack_mail(pack()).payload
    yield "no JPEG", Mail(f"{BASE}evidence/e1/2", b"GIF8", NOW)
    yield "whole", Mail(f"{BASE}evidence/e1/2", b"\xff\xd8\xff\xe0", NOW)
    yield "nothing is sent", Mail(f"{BASE}other", b"{}", NOW)
    yield "does not begin", Mail("elsewhere", b"{}", NOW)
    yield "empty", Mail(f"{BASE}status", b"", NOW)
    yield "zlib", pack_mail(pack(), deflate=True)._replace(payload=zlib.compress(good)[:-3])
    yield "zlib", pack_mail(pack(), deflate=True)._replace(payload=b"\x78\x9cnonsense")
    yield "JSON", event_mail(message)._replace(payload=b"{nonsense")
    yield "no JSON", event_mail(message)._replace(payload=b'{"a": NaN}')
    yield "CBOR", event_mail(message)._replace(payload=b"\xa5\x01")
    yield "bytes behind", event_mail(message)._replace(payload=cbor2.dumps({"a": 1}) + b"\x01")
    yield "no object", event_mail(message)._replace(payload=cbor2.dumps([1]))
    yield "KeyError", Mail(f"{BASE}status", b"{}", NOW)
    yield "site and node", status_mail()._replace(topic="lamppost/v1/site-1/pole-2/status")
    yield "unknown state", Mail(f"{BASE}status", b'{"state":"?","site":"site-1","node":"pole-1"}', NOW)
    yield "type is", event_mail(message, "water.high")
    yield "id is", event_mail({**message, "id": "e1.1"})
    yield "time is", event_mail({**message, "time": AT.replace("3.456", "3.457")})
    yield "subject is", event_mail({**message, "subject": "other"})
    yield "source is", event_mail({**message, "source": "/lamppost/site-1/pole-2"})
    yield "no sequence", event_mail({**message, "sequence": "17"})
    yield "phase", event_mail(event(phase="begin"))
    yield "cannot be of phase", event_mail(event(revision=0, phase="close"))
    yield "no sequence", pack_mail([{"bn": "pole-1:gutter:level", "v": 1}])
    yield "does not belong", pack_mail([{**pack()[0], "bn": "pole-1:other:level"}])
    yield "does not belong", pack_mail([{**pack()[0], "bn": "pole-1:gutter:"}])
    five = event_mail(message)._replace(content_type="application/cloudevents+json")
    yield "content type", five._replace(content_type="text/plain")
    yield "what the content type says", five._replace(content_type="application/cloudevents+cbor")
    yield "the property seq", five._replace(sequence=f"{STREAM}:0:2")
    yield "content-encoding", five._replace(encoding="deflate")
    packed = pack_mail(pack(), deflate=True)._replace(content_type="application/senml+json")
    yield "content-encoding", packed


@pytest.mark.parametrize(("says", "mail"), list(spoiled()))
def test_what_cannot_be_read_becomes_a_record_with_the_reason(says, mail):
    letter = decode(mail)
    assert isinstance(letter, BadLetter), letter
    assert says in letter.reason


def test_what_the_schema_does_not_allow_is_refused():
    message = event()
    message["data"]["confidence"] = 1.5
    letter = decode(event_mail(message), SCHEMAS)
    assert isinstance(letter, BadLetter)
    assert "schema event: at $.data.confidence" in letter.reason
    assert isinstance(decode(event_mail(message)), EventLetter)


def test_a_folder_without_a_schema_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="no JSON Schema"):
        Schemas(tmp_path)


@given(
    st.binary(max_size=200), st.sampled_from(["status", "event/a", "telemetry/gutter", "evidence/e/1", "x"])
)
def test_no_bytes_raise(payload, rest):
    decode(Mail(BASE + rest, payload, NOW), SCHEMAS)


NODE = NodeId("site-1", "pole-1")
NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63),
    # A zero has no sign on the wire: it may travel as an integer.
    st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value or 0.0),
    st.integers(-(10**6), 10**6).map(lambda n: n / 100),
    st.booleans(),
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.none(),
)


@given(
    st.lists(st.tuples(st.sampled_from(["level", "power.l1"]), NUMBERS, st.integers(0, 5000)), min_size=1),
    st.sampled_from(["cbor", "json"]),
    st.sampled_from(["zlib", "none"]),
)
def test_the_hub_reads_what_the_box_writes(rows, encoding, compress):
    readings = [
        Reading("gutter", q, v, "mm", datetime.fromtimestamp(NOW + ms / 1000, UTC), quality(v))
        for q, v, ms in rows
    ]
    payload = encode_telemetry(
        readings, node=NODE, encoding=encoding, compress=compress, sequence=f"{STREAM}:3:1"
    )
    letter = decode(Mail(f"{BASE}telemetry/gutter", payload, NOW), SCHEMAS)
    assert isinstance(letter, TelemetryLetter), letter
    sent = sorted((f"pole-1:gutter:{q}", int(NOW * 1000) + ms, repr(known(v))) for q, v, ms in rows)
    assert sorted((r.name, r.at_ms, repr(known(r.value))) for r in letter.records) == sent


def quality(value):
    return Quality.BAD if value is None else Quality.GOOD


def known(value):
    """Return a number as a double: 2.0 may come as 2."""
    return value if isinstance(value, bool | str | None) else float(value)


@pytest.mark.parametrize("encoding", ["cbor", "json"])
def test_the_hub_reads_the_events_and_states_that_the_box_writes(encoding):
    now = datetime.fromtimestamp(NOW, UTC)
    sent = Event("e1", "water.level", Phase.OPEN, "r", now, now, device="gutter", severity=Severity.NOTICE)
    payload = encode_event(sent, node=NODE, encoding=encoding, sequence=f"{STREAM}:1:1")
    letter = decode(Mail(f"{BASE}event/water.level", payload, NOW), SCHEMAS)
    assert isinstance(letter, EventLetter), letter
    payload = encode_status(
        "online",
        node=NODE,
        encoding=encoding,
        at=now,
        version="1",
        boot="b",
        devices={"gutter": DeviceState("failing", "no answer")},
        spool={"telemetry": LaneState(3, 1)},
    )
    letter = decode(Mail(f"{BASE}status", payload, NOW), SCHEMAS)
    assert isinstance(letter, StatusLetter), letter
    assert letter.devices["gutter"]["error"] == "no answer"
    will = decode(Mail(f"{BASE}status", encode_will(node=NODE, encoding=encoding), NOW), SCHEMAS)
    assert isinstance(will, StatusLetter), will
    assert not will.online
