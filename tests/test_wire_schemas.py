"""Real traffic through a real broker, held to the schemas and to the AsyncAPI document."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import aiomqtt
import cbor2
import jsonschema
import pytest
from broker import Broker
from senml_reader import inflate, plain, records
from uplinking import NODE, Hub, SpoolSettings, ear
from waiting import until

from lamppost.agent import schemas
from lamppost.agent.encoder import NodeEncoder
from lamppost.agent.event import Event, Missing, Phase, Picture, Severity, new_id
from lamppost.agent.spool import Draft, Lane, open_spool
from lamppost.agent.uplink import Uplink
from lamppost.agent.wire import (
    DeviceState,
    LaneState,
    encode_event,
    encode_status,
    encode_telemetry,
    encode_will,
    event_content_type,
    event_topic,
    sequence_text,
    telemetry_content_type,
    telemetry_topic,
)
from lamppost.drivers.api import Quality, Reading

AT = datetime(2025, 11, 23, 1, 2, 3, 456789, tzinfo=UTC)


def document(name: str) -> dict[str, Any]:
    return json.loads(resources.files(schemas).joinpath(f"{name}.json").read_text())


SCHEMAS = {name: document(name) for name in ("event", "telemetry", "status")}
ASYNCAPI = document("asyncapi")


def event(**changes: Any) -> Event:
    given = {
        "id": new_id(),
        "kind": "meter.overvoltage",
        "phase": Phase.OPEN,
        "rule": "supply-high",
        "since": AT - timedelta(seconds=30),
        "at": AT,
        "device": "supply",
        "measures": {"voltage": 253.4, "limit": 253, "stuck": False, "unit": "V", "nan": float("nan")},
        "evidence": (Picture(1, "ab" * 32, AT), Picture(2, "cd" * 32, AT, "half-way", 4711)),
        "missing": (Missing(3, "alarm", "not drawn within 2 s"),),
    }
    return Event(**{**given, **changes})


EVENTS = [
    event(),
    event(phase=Phase.CLOSE, revision=3, severity=Severity.NOTICE, zone="bus-stop"),
    event(
        kind="device.down", device="", measures={}, evidence=(), missing=(), rule="käse\ud800", confidence=0
    ),
]
READINGS = [
    Reading("supply", quantity, value, unit, AT + timedelta(seconds=poll), quality)
    for poll in range(3)
    for quantity, value, unit, quality in (
        ("voltage", 230.1 + poll / 10, "V", Quality.GOOD),
        ("energy", 123456 + poll, "Wh", Quality.GOOD),
        ("relay", True, "", Quality.GOOD),
        ("serial", "A-17", "", Quality.GOOD),
        ("level", None, "m", Quality.BAD),
        ("tiny", 1e-12, "", Quality.GOOD),
    )
]


def status(state, encoding):
    return encode_status(
        state,
        node=NODE,
        encoding=encoding,
        at=AT,
        version="0.1.0",
        boot="17",
        devices={"supply": DeviceState("ok"), "kerb": DeviceState("failing", "no answer")},
        spool={"alarms": LaneState(0, 0), "telemetry": LaneState(12, 3)},
    )


JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


def drafts(encoding) -> list[Draft]:
    of_events = [
        Draft(
            Lane.ALARMS,
            event_topic(one.kind),
            event_content_type(encoding),
            lambda s, n, one=one: encode_event(
                one, node=NODE, encoding=encoding, sequence=sequence_text(s, Lane.ALARMS, n)
            ),
        )
        for one in EVENTS
    ]
    of_readings = [
        Draft(
            Lane.TELEMETRY,
            telemetry_topic("supply"),
            telemetry_content_type(encoding),
            lambda s, n, compress=compress: encode_telemetry(
                READINGS,
                node=NODE,
                encoding=encoding,
                sequence=sequence_text(s, Lane.TELEMETRY, n),
                compress=compress,
            ),
        )
        for compress in ("zlib", "none")
    ]
    return [*of_events, NodeEncoder(NODE, None).picture(EVENTS[0].id, 2, JPEG), *of_readings]


async def capture(tmp_path: Path, encoding, protocol) -> list[aiomqtt.Message]:
    async with AsyncExitStack() as stack:
        broker = stack.enter_context(Broker(tmp_path))
        spool = await stack.enter_async_context(open_spool(SpoolSettings(tmp_path / "s.db"), report=print))
        hub = await stack.enter_async_context(ear(broker.port))
        await spool.put(drafts(encoding))
        settings = Hub(broker.port, encoding=encoding, protocol=protocol)
        uplink = Uplink(settings, NODE, spool, status=lambda state: status(state, encoding))
        task = asyncio.create_task(uplink.run())
        await until(lambda: len(hub.messages) == 7)
        task.cancel()
        await until(lambda: len(hub.messages) == 8)
        await asyncio.gather(task, return_exceptions=True)
        return hub.messages


def words(topic: str, payload: bytes) -> Any:
    """The payload in the words of the JSON form."""
    if "/telemetry/" in topic:
        return plain(records(payload))
    return json.loads(payload) if payload[:1] == b"{" else cbor2.loads(payload)


def channel_of(topic: str) -> str:
    """The one channel of the AsyncAPI document whose address fits."""
    found = [
        name
        for name, channel in ASYNCAPI["channels"].items()
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(channel["address"])), topic)
    ]
    assert len(found) == 1, (topic, found)
    return found[0]


def follow(reference: str) -> Any:
    """What a local reference of the AsyncAPI document names."""
    assert reference.startswith("#/")
    place: Any = ASYNCAPI
    for step in reference[2:].split("/"):
        place = place[step]
    return follow(place["$ref"]) if set(place) == {"$ref"} else place


def undeclared(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> list[str]:
    """Keys that a schema does not name. The schemas are open for what is to come; what is sent is not."""
    if "$ref" in schema:
        place: Any = root
        for step in schema["$ref"][2:].split("/"):
            place = place[step]
        schema = {**place, **{key: entry for key, entry in schema.items() if key != "$ref"}}
    if isinstance(value, list):
        return [key for entry in value for key in undeclared(entry, schema.get("items", {}), root)]
    if not isinstance(value, dict) or not ("properties" in schema or "additionalProperties" in schema):
        return []
    known, other = schema.get("properties", {}), schema.get("additionalProperties")
    found = [key for key in value if key not in known and other is None]
    for key, entry in value.items():
        found += undeclared(entry, known.get(key, other or {}), root)
    return found


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("encoding", ["cbor", "json"])
def test_captured_traffic_fits_the_schemas(tmp_path: Path, encoding, protocol):
    messages = asyncio.run(capture(tmp_path, encoding, protocol))
    seen = set()
    for message in messages:
        topic, payload = message.topic.value, bytes(message.payload)
        name = channel_of(topic)
        seen.add(name)
        if name == "evidence":
            check_picture(topic, message, protocol)
            continue
        value = words(topic, payload)
        jsonschema.Draft202012Validator(SCHEMAS[name]).validate(value)
        assert undeclared(value, SCHEMAS[name], SCHEMAS[name]) == []
        allowed = {
            follow(entry["$ref"])["contentType"] for entry in ASYNCAPI["channels"][name]["messages"].values()
        }
        if protocol == "5":
            properties = vars(message.properties)
            assert properties["ContentType"] in allowed
            assert properties["ContentType"].endswith(encoding)
            user = dict(properties.get("UserProperty", []))
            assert ("content-encoding" in user) == (payload != inflate(payload))
            if name != "status":
                first = value[0]["seq"] if name == "telemetry" else value["sequence"]
                assert user["seq"] == first
                assert properties["MessageExpiryInterval"] > 0
    assert seen == set(ASYNCAPI["channels"])


def check_picture(topic: str, message: aiomqtt.Message, protocol: str) -> None:
    assert topic.endswith(f"/evidence/{EVENTS[0].id}/2")
    assert (message.payload, message.qos, message.retain) == (JPEG, 1, False)
    if protocol == "5":
        properties = vars(message.properties)
        assert properties["ContentType"] == "image/jpeg"
        assert re.fullmatch("[0-9a-f]{8}:2:1", dict(properties["UserProperty"])["seq"])
        assert properties["MessageExpiryInterval"] > 0


def test_the_last_will_fits_the_schema():
    for encoding in ("cbor", "json"):
        will = words("status", encode_will(node=NODE, encoding=encoding))
        jsonschema.Draft202012Validator(SCHEMAS["status"]).validate(will)
        assert will == {"state": "offline", "node": "pole-1", "site": "site-1"}


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_schemas_are_schemas(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def test_schemas_refuse_what_is_wrong():
    good = json.loads(encode_event(EVENTS[0], node=NODE, encoding="json", sequence="0123abcd:0:1"))
    validator = jsonschema.Draft202012Validator(SCHEMAS["event"])
    validator.validate(good)
    for change in (
        {"specversion": "0.3"},
        {"time": "yesterday"},
        {"sequence": "7"},
        {"data": {}},
        {"Id": "x"},
    ):
        assert not validator.is_valid({**good, **change}), change
    pack = jsonschema.Draft202012Validator(SCHEMAS["telemetry"])
    first = {"seq": "0123abcd:3:1", "bt": 1763859723.456, "bn": "a:b:c"}
    assert pack.is_valid([{**first, "v": 1}])
    for record in ({}, {"v": 1, "vs": ""}, {"q": "bad"}, {"vs": "x", "q": "bad"}, {"v": 1, "x_": 2}):
        assert not pack.is_valid([{**first, **record}]), record
    assert not pack.is_valid([{"v": 1}])


def test_the_asyncapi_document_is_whole():
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(ASYNCAPI["info"])
    for name, channel in ASYNCAPI["channels"].items():
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel["parameters"]), name
        for parameter in channel["parameters"].values():
            assert follow(parameter["$ref"])["description"]
        for entry in channel["messages"].values():
            message = follow(entry["$ref"])
            assert message["contentType"]
            if message["contentType"] == "image/jpeg":
                continue
            reference = message["payload"]["schema"]["$ref"]
            assert document(Path(reference).stem)["$id"].endswith(Path(reference).name)
    for operation in ASYNCAPI["operations"].values():
        assert operation["action"] == "send"
        channel = follow(operation["channel"]["$ref"])
        for entry in operation["messages"]:
            assert entry["$ref"].startswith(operation["channel"]["$ref"] + "/messages/")
            assert follow(entry["$ref"])
        assert operation["bindings"]["mqtt"]["qos"] == 1
        assert channel["address"].startswith("lamppost/v1/")
