"""The hub at a real broker: what is sent arrives, through restarts, pauses, TLS and both MQTT versions."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys

import pytest
from broker import Authority
from hubbing import STREAM, event, event_mail, node, pack, pack_mail, properties, status_mail
from waiting import until

from lamppost.simulators.hub import Broker, BrokerError, Entry, Hub, NeverHappenedError, Tls, free_port
from lamppost.simulators.hub.broker import mosquitto
from lamppost.simulators.hub.words import as_json, line

needs_mosquitto = pytest.mark.skipif(mosquitto() is None, reason="mosquitto is not installed")


async def publish(client, mail, *, retain=False, **props):
    given = properties(**props) if props else None
    await client.publish(mail.topic, mail.payload, qos=1, retain=retain, properties=given)


@needs_mosquitto
def test_events_telemetry_and_states_arrive_with_their_properties():
    told: list[Entry] = []

    async def main():
        async with Broker() as broker, Hub(broker.url, tell=told.append) as hub, node(broker.port) as client:
            await publish(client, status_mail(), retain=True, content_type="application/json")
            await publish(
                client,
                event_mail(event(1)),
                content_type="application/cloudevents+json",
                seq=f"{STREAM}:0:1",
            )
            await publish(
                client,
                pack_mail(pack(1), deflate=True, form="cbor"),
                content_type="application/senml+cbor",
                seq=f"{STREAM}:3:1",
                deflate=True,
            )
            await publish(client, event_mail(event(2)), content_type="text/plain")
            await hub.caught_up()
            totals = hub.book.totals()
            assert (totals.statuses, totals.events, totals.telemetry, totals.undecodable) == (1, 1, 1, 1)
            assert "content type 'text/plain'" in hub.book.bad[0].reason

    asyncio.run(main())
    lines = [line(entry)[13:] for entry in told]
    assert lines[0] == "status pole-1 online, 1 devices: 1 ok"
    assert lines[1].startswith("event  OPEN   water.level gutter level 312 mm (limit 300) since ")
    assert lines[2].startswith("data   pole-1 gutter 2 readings, ")
    assert lines[2].endswith(" bytes: level 22.5 mm")
    assert lines[3].startswith("ERROR  lamppost/v1/site-1/pole-1/event/water.level: content type")
    types = [json.loads(as_json(entry))["type"] for entry in told]
    assert types == ["status", "event", "telemetry", "undecodable"]


@needs_mosquitto
def test_what_comes_while_the_hub_is_away_waits_for_it():
    async def main():
        async with Broker() as broker, node(broker.port) as client:
            first = Hub(broker.url, client_id="city")
            async with first:
                await publish(client, event_mail(event(1)))
                await first.caught_up()
            await publish(client, event_mail(event(2, id_="e2")))
            async with Hub(broker.url, client_id="city") as second:
                await second.until(lambda: second.book.events, what="the event that waited")
                assert list(second.book.events) == ["e2"]

    asyncio.run(main())


@needs_mosquitto
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_the_hub_comes_back_to_a_restarted_broker_on_the_same_port(how):
    async def main():
        async with Broker() as broker, Hub(broker.url) as hub:
            port = broker.port
            await getattr(broker, how)()
            await hub.until(lambda: not hub.connected, what="the end of the connection")
            assert not broker.running
            await broker.start()
            assert broker.port == port
            await hub.until(lambda: hub.connected, what="the new connection")
            async with node(broker.port) as client:
                await publish(client, event_mail(event(1)))
            await hub.caught_up()
            assert hub.book.totals().events == 1

    asyncio.run(main())


@needs_mosquitto
def test_a_paused_broker_answers_again_after_resume():
    async def main():
        async with Broker() as broker, Hub(broker.url) as hub:
            broker.pause()
            with pytest.raises(NeverHappenedError, match="did not catch up"):
                await hub.caught_up(0.2)
            broker.resume()
            await hub.caught_up()

    asyncio.run(main())


@needs_mosquitto
def test_nothing_is_dropped_for_a_slow_hub():
    async def main():
        async with Broker() as broker, Hub(broker.url, from_start=True) as hub, node(broker.port) as client:
            mails = [event_mail(event(n, id_=f"e{n}")) for n in range(1, 3001)]
            for at in range(0, len(mails), 500):
                await asyncio.gather(*(publish(client, mail) for mail in mails[at : at + 500]))
            await hub.caught_up(30)
            totals = hub.book.totals()
            assert (totals.events, totals.lost, totals.duplicates) == (3000, 0, 0)

    asyncio.run(main())


@needs_mosquitto
def test_users_and_certificates(tmp_path):
    authority = Authority(tmp_path)
    cert_file, key_file = authority.issue("127.0.0.1")

    async def main():
        async with Broker(tmp_path, users={"city": "pässword"}, tls=Tls(cert_file, key_file)) as broker:
            assert broker.url.startswith("mqtts://")
            url = broker.url.replace("mqtts://", "mqtts://city:p%C3%A4ssword@")
            async with Hub(url, ca_file=authority.ca_file) as hub:
                await hub.caught_up()
            with pytest.raises(NeverHappenedError, match=r"[Nn]ot authorized"):
                async with Hub(broker.url, ca_file=authority.ca_file, connect_within_s=1.0):
                    pass

    asyncio.run(main())


@needs_mosquitto
def test_a_taken_port_is_told(tmp_path):
    async def main():
        async with Broker(tmp_path / "a") as broker:
            with pytest.raises(BrokerError, match=f"mosquitto does not start on 127.0.0.1:{broker.port}"):
                await Broker(tmp_path / "b", port=broker.port).start()

    asyncio.run(main())


def test_without_mosquitto_amqtt_serves_mqtt_3_1_1(tmp_path):
    async def main():
        async with Broker(tmp_path, program="amqtt") as broker:
            assert broker.protocol == "3.1.1"
            async with Hub(broker.url, protocol="3.1.1") as hub, node(broker.port, five=False) as client:
                await publish(client, event_mail(event(1)))
                await publish(client, pack_mail(pack(1), deflate=True, form="cbor"))
                await hub.until(lambda: hub.book.totals().readings == 2, what="telemetry over amqtt")
                assert hub.book.totals().events == 1
                assert hub.book.totals().undecodable == 0
            await broker.kill()
            await broker.start()
            async with Hub(broker.url, protocol="3.1.1"):
                pass

    asyncio.run(main())


def test_amqtt_alone_cannot_do_tls_and_says_what_can():
    with pytest.raises(BrokerError, match="need mosquitto"):
        Broker(program="amqtt", users={"a": "b"})


def test_a_hub_without_a_broker_says_so():
    async def main():
        url = f"mqtt://user:secret@127.0.0.1:{free_port()}"
        with pytest.raises(NeverHappenedError, match="refused") as told:
            async with Hub(url, connect_within_s=0.5):
                pass
        assert "secret" not in str(told.value)

    asyncio.run(main())


@needs_mosquitto
def test_a_hub_in_a_process_of_its_own_reports_totals(tmp_path):
    report = tmp_path / "totals.json"

    async def main():
        async with Broker(tmp_path) as broker:
            command = [sys.executable, "-m", "lamppost.simulators.hub", "--broker", broker.url]
            process = subprocess.Popen([*command, "--report", str(report)], stdout=subprocess.PIPE, text=True)
            try:
                await until(report.exists)
                async with node(broker.port) as client:
                    await publish(client, event_mail(event(1)))
                    await publish(client, event_mail(event(3, id_="e3")))
                await until(lambda: json.loads(report.read_text())["events"] == 2)
                process.send_signal(signal.SIGTERM)
                out, _ = await asyncio.to_thread(process.communicate, timeout=10)
            finally:
                process.kill()
                process.wait()
            assert process.returncode == 1
            assert "lost 1" in out.splitlines()[-1]
            assert json.loads(report.read_text())["missing"] == [f"site-1/pole-1 {STREAM}:0:2-2"]

    asyncio.run(main())


@needs_mosquitto
def test_the_command_starts_a_broker_of_its_own(tmp_path):
    port = free_port()
    start = "import sys; from lamppost.provisioning.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "simulate", "hub", "--port", str(port), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr.readline() == f"hub at mqtt://127.0.0.1:{port}; Ctrl-C ends it\n"

        async def send():
            async with node(port) as client:
                await publish(client, status_mail(), retain=True)

        asyncio.run(send())
        assert json.loads(process.stdout.readline())["online"] is True
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, err
    assert "lost 0, duplicates 0, undecodable 0" in err
