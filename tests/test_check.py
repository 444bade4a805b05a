"""`lamppost check`: what is wrong is named, in its colour, with what to do, and nobody is disturbed."""

from __future__ import annotations

import asyncio
import json
import socket
import string
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import pytest
from boxes import RULE, device, hub
from broker import Authority, Broker, free_port, password_settings, tls_settings
from cameras import mjpeg_server
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from agent import Agent
from lamppost.agent.config import load
from lamppost.provisioning import words
from lamppost.provisioning.check import Colour, checks
from lamppost.provisioning.check import hub as hub_check
from lamppost.provisioning.check.bench import Bench
from lamppost.provisioning.check.certificate import certificate
from lamppost.provisioning.check.host import clock, disk, power, temperature
from lamppost.provisioning.check.rights import permissions
from lamppost.provisioning.cli import main
from lamppost.simulators.modbus import Fault, Unit, serve_tcp


def config(folder: Path, text: str):
    path = folder / "lamppost.toml"
    head = f'[node]\nid = "pole-1"\nsite = "site-1"\nrun_dir = "{folder}/run"\nstate_dir = "{folder}/state"\n'
    path.write_text(head + text)
    return load(path)


async def found(settings, *only: str):
    return {finding.name: finding async for finding in checks(settings, only)}


def test_without_an_agent_devices_are_asked_and_each_failure_says_what_to_do(tmp_path):
    async def looks():
        dead = Unit(2, holding=[1])
        dead.faults.add(Fault.no_answer())
        async with serve_tcp([Unit(1, holding=[500]), dead]) as line:
            text = device("tank", line.port) + device("dead", line.port, 2) + device("gone", free_port())
            text += device("off", line.port, enabled=False)
            text += device("odd", line.port).replace("address = 0", "address = 0, max = 400")
            return await found(config(tmp_path, text), "device", "agent")

    seen = asyncio.run(looks())
    assert seen["agent"].colour is Colour.YELLOW
    assert seen["device/tank"].colour is Colour.GREEN
    assert "level 500" in seen["device/tank"].says
    assert seen["device/dead"].colour is Colour.RED
    assert "unit 2 did not answer" in seen["device/dead"].says
    assert seen["device/dead"].todo == "check unit number and power of the device"
    assert "refused" in seen["device/gone"].says
    assert seen["device/odd"].colour is Colour.RED
    assert "level" in seen["device/odd"].says
    assert seen["device/off"].colour is Colour.YELLOW


def test_while_the_agent_runs_nothing_is_taken_from_it(tmp_path):
    async def looks():
        tank, dead = Unit(1, holding=[500]), Unit(2, holding=[1])
        dead.faults.add(Fault.no_answer())
        async with serve_tcp([tank, dead]) as line:
            with Broker(tmp_path) as broker:
                text = device("tank", line.port) + device("dead", line.port, 2) + RULE + hub(broker.port)
                with Agent(tmp_path, text) as agent:
                    await agent.until(lambda: agent.device("dead")["state"] == "failing")
                    await agent.until(lambda: agent.newest("tank"))
                    await agent.until(lambda: agent.status()["hub"]["connected"])
                    await looked_at(agent, text)

    async def looked_at(agent, text):
        agent.write(text.replace("[devices.tank]", "[devices.new]").replace('"tank"', '"new"'))
        seen = await found(load(agent.config), "device", "agent", "rules")
        assert seen["agent"].colour is Colour.GREEN
        assert seen["device/new"].colour is Colour.YELLOW
        assert "reload" in seen["device/new"].todo
        assert seen["device/dead"].colour is Colour.RED
        agent.write(text)
        seen = await found(load(agent.config))
        assert seen["device/tank"].colour is Colour.GREEN
        assert "level 500" in seen["device/tank"].says
        assert seen["spool"].colour is Colour.GREEN
        assert {name.partition("/")[0] for name in seen} >= {"disk", "clock", "temperature"}
        # The message there and back threw nobody out.
        assert seen["hub/round-trip"].colour is Colour.GREEN
        before = agent.status()["at"]
        await agent.until(lambda: agent.status()["at"] > before)
        assert agent.status()["hub"]["connects"] == 1

    asyncio.run(looks())


def test_a_camera_without_zones_or_light_is_named(tmp_path):
    async def looks():
        async with mjpeg_server() as camera, mjpeg_server(pictures=[dark()] * 32) as night:
            text = f'[devices.cam]\ndriver = "camera"\nsource = "{camera.url}"\n'
            text += f'[devices.night]\ndriver = "camera"\nsource = "{night.url}"\n'
            seen = await found(config(tmp_path, text), "cam", "picture/night")
        assert list(seen) == ["device/cam", "picture/cam", "picture/night"]
        assert seen["device/cam"].colour is Colour.GREEN
        assert "320x180" in seen["device/cam"].says
        assert "zones" in seen["picture/cam"].says
        assert seen["picture/night"].colour is Colour.RED
        assert "black" in seen["picture/night"].says

    asyncio.run(looks())


def dark() -> bytes:
    return cv2.imencode(".jpg", np.zeros((180, 320, 3), np.uint8))[1].tobytes()


def test_each_step_to_the_hub_is_named_where_it_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(hub_check, "STEP_S", 1.0)
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")

    def steps(text: str):
        seen = asyncio.run(found(config(tmp_path, text), "hub"))
        return {name: finding.colour.value for name, finding in seen.items()}, seen

    assert steps('[hub]\nurl = "mqtt://no-such-host.invalid:1883"')[0] == {"hub/dns": "red"}
    assert steps(hub(free_port()))[0] == {"hub/tcp": "red"}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = hub(silent.getsockname()[1])
        assert steps(text)[0] == {"hub/tcp": "green", "hub/tls": "yellow", "hub/mqtt": "red"}
    with Broker(tmp_path, *tls_settings(authority)) as broker:
        text = f'[hub]\nurl = "mqtts://127.0.0.1:{broker.port}"\nca_file = '
        colours, seen = steps(f'{text}"{stranger.ca_file}"')
        assert colours == {"hub/tcp": "green", "hub/tls": "red"}
        assert "not accepted" in seen["hub/tls"].says
        assert set(steps(f'{text}"{authority.ca_file}"')[0].values()) == {"green"}
    with Broker(tmp_path, *password_settings(tmp_path, "pole-1", "sesame-open")) as broker:
        colours, seen = steps(hub(broker.port))
        assert colours["hub/mqtt"] == "red"
        assert "not authorised" in seen["hub/mqtt"].says


def test_a_revoked_or_missing_certificate_is_named(tmp_path):
    authority = Authority(tmp_path)
    cert, key = authority.issue("pole-1")
    revoked(authority, cert, tmp_path / "crl.pem")
    lines = tls_settings(authority, clients=True)
    with Broker(tmp_path, *lines, f"crlfile {tmp_path}/crl.pem") as broker:
        text = f'[hub]\nurl = "mqtts://127.0.0.1:{broker.port}"\nca_file = "{authority.ca_file}"\n'
        seen = asyncio.run(found(config(tmp_path, text), "hub"))
        assert "wants a client certificate" in seen["hub/mqtt"].says
        text += f'cert_file = "{cert}"\nkey_file = "{key}"\n'
        seen = asyncio.run(found(config(tmp_path, text), "hub"))
        assert seen["hub/mqtt"].colour is Colour.RED
        assert "revoked" in seen["hub/mqtt"].says
        assert "lamppost enrol" in seen["hub/mqtt"].todo


def revoked(authority: Authority, cert: Path, crl: Path) -> None:
    """Write a list of revoked certificates with this one in it."""
    now = datetime.now(UTC)
    serial = x509.load_pem_x509_certificate(cert.read_bytes()).serial_number
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - timedelta(hours=1))
    made = x509.CertificateRevocationListBuilder().issuer_name(authority._name)
    made = made.last_update(now - timedelta(hours=1)).next_update(now + timedelta(days=1))
    signed = made.add_revoked_certificate(entry.build()).sign(authority._key, hashes.SHA256())
    crl.write_bytes(signed.public_bytes(serialization.Encoding.PEM))


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_the_round_trip_tells_a_hub_that_keeps_silent_from_one_that_refuses(tmp_path, monkeypatch, protocol):
    monkeypatch.setattr(hub_check, "STEP_S", 1.0)
    acl = tmp_path / "acl"
    acl.write_text("topic write lamppost/v1/site-1/pole-1/#\n")
    with Broker(tmp_path, f"acl_file {acl}") as broker:
        settings = config(tmp_path, hub(broker.port).replace("[spool]", f'protocol = "{protocol}"\n[spool]'))
        trip = asyncio.run(found(settings, "hub"))["hub/round-trip"]
        assert trip.colour is Colour.YELLOW
        assert "lamppost/v1/site-1/pole-1/check" in trip.todo
        acl.write_text("topic write lamppost/v1/site-1/other/#\n")
        broker.reload()
        trip = asyncio.run(found(settings, "hub"))["hub/round-trip"]
        assert trip.colour is (Colour.RED if protocol == "5" else Colour.YELLOW)


def test_a_certificate_is_judged_by_its_life_its_key_and_its_issuer(tmp_path):
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    cert, key = authority.issue("pole-1")
    other_cert, _ = stranger.issue("pole-2")

    def judged(cert=cert, key=key, now=None):
        files = f'ca_file = "{authority.ca_file}"\ncert_file = "{cert}"\nkey_file = "{key}"\n'
        bench = Bench(config(tmp_path, f'[hub]\nurl = "mqtts://127.0.0.1:8883"\n{files}'))
        return [finding.colour.value for finding in certificate(bench, now)], list(certificate(bench, now))

    now = datetime.now(UTC)
    assert judged()[0] == ["green", "green"]
    assert judged(now=now + timedelta(hours=16))[0] == ["yellow", "green"]
    assert judged(now=now + timedelta(days=2))[0][0] == "red"
    assert judged(now=now - timedelta(days=3))[0][0] == "red"
    colours, seen = judged(cert=other_cert)
    assert colours == ["red"]
    assert "is not the key of" in seen[0].says
    own = key.with_name("own.pem")
    own.write_text("no certificate")
    assert judged(cert=own)[0] == ["red"]
    cert, key = stranger.issue("pole-1")
    colours, seen = judged(cert, key)
    assert colours == ["green", "yellow"]
    assert "stranger" in seen[1].says


def test_the_box_itself(tmp_path):
    zone = tmp_path / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    life = tmp_path / "sys/block/mmcblk0/device"
    life.mkdir(parents=True)
    settings = config(tmp_path, "")
    bench = Bench(settings, root=tmp_path)

    def colours(findings):
        return [finding.colour.value for finding in findings]

    for millidegrees, colour in (("45000\n", "green"), ("72000\n", "yellow"), ("90000\n", "red")):
        (zone / "temp").write_text(millidegrees)
        assert colours(temperature(bench)) == [colour]
    (life / "life_time").write_text("0x01 0x09\n")
    assert colours(disk(bench))[-1] == "yellow"
    (life / "life_time").write_text("0x01 0x02\n")
    assert colours(disk(bench))[-1] == "green"
    assert colours(power(0)) == ["green"]
    assert colours(power(0x50000)) == ["yellow"]
    assert colours(power(0x50005)) == ["red"]
    assert colours(clock(bench, datetime(1970, 1, 1, tzinfo=UTC))) == ["red"]
    huge = Bench(config(tmp_path, "[spool]\nmax_mb = 1000000\n"))
    assert colours(disk(huge))[0] == "yellow"
    key = tmp_path / "key.pem"
    key.write_text("")
    key.chmod(0o644)
    text = f'[hub]\nurl = "mqtts://127.0.0.1:1"\ncert_file = "{key}"\nkey_file = "{key}"\n'
    (seen,) = permissions(Bench(config(tmp_path, text)))
    assert seen.todo == f"chmod 600 {key}"


def test_the_rights_that_count_are_those_of_the_running_agents_user(tmp_path):
    key = tmp_path / "key.pem"
    key.write_text("")
    key.chmod(0o600)
    text = f'[hub]\nurl = "mqtts://127.0.0.1:1"\ncert_file = "{key}"\nkey_file = "{key}"\n'
    settings = config(tmp_path, text)
    assert [finding.colour.value for finding in permissions(Bench(settings))] == ["green"]
    proc = tmp_path / "proc/4711"
    proc.mkdir(parents=True)
    (proc / "status").write_text("Name:\tx\nUid:\t4242\t4242\t4242\t4242\nGid:\t4242\t4242\nGroups:\t20 \n")
    seen = {finding.says for finding in permissions(Bench(settings, {"pid": 4711}, tmp_path))}
    assert f"4242 may not read {key}" in seen
    assert any(said.startswith("4242 may not write") for said in seen)


def test_the_command_gives_colours_to_programs_and_words_to_people(tmp_path, capsys):
    config(tmp_path, device("tank", free_port()))
    file = str(tmp_path / "lamppost.toml")
    assert main(["check", "-c", file, "--only", "tank", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["colour"] == "red"
    assert [f["name"] for f in told["findings"]] == ["device/tank"]
    with words.speaking("zh"):
        assert main(["check", "-c", file, "--only", "disk"]) == 0
    assert "可用" in capsys.readouterr().out
    assert main(["check", "-c", file, "--only", "dsik"]) == 2
    assert "dsik" in capsys.readouterr().err
    assert main(["check", "-c", file, "--only", "agent"]) == 0
    assert main(["check", "-c", file, "--only", "agent", "--strict"]) == 1
    capsys.readouterr()
    (tmp_path / "lamppost.toml").write_text("[node]\n")
    assert main(["check", "-c", file, "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert {finding["name"] for finding in told["findings"]} == {"config"}
    assert "node.id" in told["findings"][0]["says"]


def test_every_text_has_both_languages_with_the_same_values():
    def fields(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for module in ("check.texts", "report.texts", "cli.status_texts", "cli.commissioning_texts"):
        import_module(f"lamppost.provisioning.{module}")
    for key, (english, chinese) in words.texts().items():
        assert fields(english) == fields(chinese), key


@pytest.mark.parametrize(
    ("env", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "zh_TW:en"}, "zh"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "zh"}, "en"),
    ],
)
def test_the_language_is_that_of_the_locale(env, language):
    assert words.of_locale(env) == language
