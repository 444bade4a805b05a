"""Events and statuses on the wire."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import cbor2
import pytest

from lamppost.agent.event import Event, Phase, Picture, Severity
from lamppost.agent.wire import (
    NodeId,
    encode_event,
    event_topic,
    sequence_text,
    telemetry_topic,
)

NODE = NodeId("longgang-07", "pole-0017")
AT = datetime(2025, 3, 1, 16, 0, 0, 250999, tzinfo=timezone(timedelta(hours=8)))
EVENT = Event(
    id="0195",
    kind="parking.illegal",
    phase=Phase.UPDATE,
    rule="bus-stop-parking",
    since=datetime(2025, 3, 1, 7, 55, tzinfo=UTC),
    at=AT,
    revision=2,
    device="kerb-cam",
    zone="bus-stop",
    severity=Severity.NOTICE,
    confidence=0.93,
    measures={"dwell_s": 300.5, "count": 1, "broken": float("inf")},
    evidence=(Picture(1, "0" * 64, AT),),
)


@pytest.mark.parametrize(("encoding", "load"), [("json", json.loads), ("cbor", cbor2.loads)])
def test_an_event_is_a_cloudevent(encoding, load):
    payload = encode_event(EVENT, node=NODE, encoding=encoding, sequence=sequence_text("0123abcd", 1, 7))
    assert load(payload) == {
        "specversion": "1.0",
        "id": "0195.2",
        "source": "/lamppost/longgang-07/pole-0017",
        "type": "lamppost.parking.illegal",
        "subject": "kerb-cam",
        "time": "2025-03-01T08:00:00.250Z",
        "datacontenttype": "application/json",
        "sequence": "0123abcd:1:7",
        "data": {
            "event": "0195",
            "phase": "update",
            "revision": 2,
            "rule": "bus-stop-parking",
            "device": "kerb-cam",
            "zone": "bus-stop",
            "severity": "notice",
            "since": "2025-03-01T07:55:00.000Z",
            "at": "2025-03-01T08:00:00.250Z",
            "confidence": 0.93,
            "measures": {"dwell_s": 300.5, "count": 1},
            "evidence": [{"n": 1, "sha256": "0" * 64, "at": "2025-03-01T08:00:00.250Z"}],
        },
    }


def test_topics_hold_nothing_that_means_something_to_a_broker():
    assert NODE.base == "lamppost/v1/longgang-07/pole-0017/"
    assert event_topic("meter.overvoltage") == "event/meter.overvoltage"
    assert event_topic("a/b+c#d\0e ü") == "event/a_b_c_d_e__"
    assert telemetry_topic("") == "telemetry/_"
