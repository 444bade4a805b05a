"""An enrolled box at a hub that wants certificates: mosquitto with CRL and a topic tree for each node."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from datetime import timedelta

import pytest
from broker import Broker, free_port, mosquitto
from waiting import until_sync

from agent import Agent
from lamppost.provisioning.cli import main
from lamppost.simulators.est import Authority, EstServer


@pytest.fixture
def office(tmp_path):
    # Certificates that are due as soon as they are there.
    life = timedelta(minutes=7)
    with EstServer(Authority(tmp_path / "office"), passwords={"once"}, life=life) as server:
        yield server


def hub(folder, office, port, trusted):
    """Return a hub as docs/enrolment.md sets one up; it trusts clients of an authority."""
    mosquitto()
    certificate, key = office.authority.serve_as(["127.0.0.1"], "hub")
    (folder / "acl").write_text("pattern readwrite lamppost/v1/site-1/%u/#\n")
    return Broker(
        folder,
        f"cafile {trusted.file}",
        f"certfile {certificate}",
        f"keyfile {key}",
        f"crlfile {trusted.revoked_file}",
        "require_certificate true",
        "use_identity_as_username true",
        f"acl_file {folder}/acl",
        port=port,
    )


@pytest.fixture
def box(tmp_path):
    port = free_port()
    return port, Agent(
        tmp_path, f'[hub]\nurl = "mqtts://127.0.0.1:{port}"\nbackoff_max_s = 1\nkeepalive_s = 5\n'
    )


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def enrol(agent, *words):
    return main(["enrol", "--config", str(agent.config), *words])


def checked(capsys, config):
    capsys.readouterr()
    main(["check", "--config", str(config), "--only", "hub", "--only", "certificate", "--json"])
    return {one["name"]: one for one in json.loads(capsys.readouterr().out)["findings"]}


def test_a_box_is_enrolled_renewed_while_it_runs_and_refused_when_revoked(tmp_path, capsys, office, box):
    port, agent = box
    assert "lamppost enrol" in checked(capsys, agent.config)["certificate"]["todo"]
    assert enrol(agent, "--csr-out", str(tmp_path / "csr")) == 0
    assert "asked for" in checked(capsys, agent.config)["certificate"]["says"]
    with hub(tmp_path, office, port, office.authority) as broker:
        assert enrol(agent, office.label_for("once")) == 0
        assert f"tried at 127.0.0.1:{port}: taken" in capsys.readouterr().out
        seen = checked(capsys, agent.config)
        assert seen["hub/round-trip"]["colour"] == "green"
        assert "lamppost enrol --renew" in seen["certificate"]["todo"]
        agent.start()
        try:
            until_sync(lambda: (agent.status().get("hub") or {}).get("connected"), 20)
            office.life = timedelta(days=9)
            assert enrol(agent, "--renew") == 0
            # Only the new certificate holds now: the agent has taken it when it is back.
            first, second = (one.serial_number for one in office.authority.issued)
            office.authority.revoke(first)
            connects = agent.status()["hub"]["connects"]
            broker.stop()
            until_sync(lambda: not agent.status()["hub"]["connected"], 20)
            broker.start()
            until_sync(lambda: agent.status()["hub"]["connects"] > connects, 20)
        finally:
            agent.kill()
        # Another node's topics are not this box's, whatever its configuration says.
        thief = tmp_path / "thief.toml"
        thief.write_text(agent.config.read_text().replace('"pole-1"', '"pole-2"'))
        seen = checked(capsys, thief)
        assert seen["hub/mqtt"]["colour"] == "green"
        assert seen["hub/round-trip"]["colour"] == "red"
        office.authority.revoke(second)
        broker.stop()
        broker.start()
        seen = checked(capsys, agent.config)
        assert "revoked" in seen["hub/mqtt"]["says"]
        assert "lamppost enrol" in seen["hub/mqtt"]["todo"]


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
def test_a_hub_of_tls_1_2_that_refuses_a_revoked_certificate_is_understood(tmp_path, capsys, office, box):
    port, agent = box
    assert enrol(agent, office.label_for("once"), "--no-trial") == 0
    office.authority.revoke(office.authority.issued[-1].serial_number)
    certificate, key = office.authority.serve_as(["127.0.0.1"], "hub")
    words = ["-tls1_2", "-quiet", "-Verify", "1", "-verify_return_error", "-crl_check", "-accept", str(port)]
    files = ["-cert", certificate, "-key", key, "-CAfile", office.authority.file]
    lists = ["-CRL", office.authority.revoked_file]
    with subprocess.Popen(["openssl", "s_server", *words, *files, *lists], stderr=subprocess.DEVNULL) as hub:
        try:
            until_sync(lambda: answers(port))
            seen = checked(capsys, agent.config)
        finally:
            hub.kill()
    assert "revoked" in seen["hub/tls"]["says"]
    assert "lamppost enrol" in seen["hub/tls"]["todo"]


def test_a_new_certificate_that_the_hub_refuses_does_not_replace_the_old(tmp_path, capsys, office, box):
    port, agent = box
    assert enrol(agent, office.label_for("once"), "--no-trial") == 0
    current = agent.state_dir / "identity/current"
    before = current.resolve()
    capsys.readouterr()
    with hub(tmp_path, office, port, Authority(tmp_path / "stranger")):
        assert enrol(agent, "--renew") == 1
        assert "does not trust the client certificate's issuer" in capsys.readouterr().err
        assert current.resolve() == before
    # The same hub with the right authority: the certificate that was issued is not lost.
    with hub(tmp_path, office, port, office.authority):
        assert enrol(agent, "--renew") == 0
        assert current.resolve() != before
        assert [operation for operation, _ in office.asked].count("simplereenroll") == 1
