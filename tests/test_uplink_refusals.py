"""Hubs that do not want us, or do not want a message."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from broker import Authority, Broker, password_settings, tls_settings
from uplinking import NODE, Hub, SpoolSettings, drafts, ear, running
from waiting import until

from lamppost.agent.config.secret import Secret
from lamppost.agent.spool import Lane, open_spool


@asynccontextmanager
async def stage(tmp_path: Path, *broker_settings: str):
    """A broker and a spool."""
    async with AsyncExitStack() as stack:
        broker = stack.enter_context(Broker(tmp_path, *broker_settings))
        spool = await stack.enter_async_context(open_spool(SpoolSettings(tmp_path / "s.db"), report=print))
        yield broker, spool


async def fails_with(hub: Hub, spool, words: str) -> None:
    async with running(hub, spool) as up:
        await until(lambda: up.state.last_error, what=words)
        assert words in up.state.last_error
        assert not up.state.connected


def test_tls_with_a_client_certificate_connects(tmp_path: Path):
    authority = Authority(tmp_path)
    cert_file, key_file = authority.issue("pole-1")

    async def check():
        async with stage(tmp_path, *tls_settings(authority, clients=True)) as (broker, spool):
            await spool.put(drafts(Lane.TELEMETRY, 200))
            hub = Hub(
                broker.port, tls=True, ca_file=authority.ca_file, cert_file=cert_file, key_file=key_file
            )
            async with running(hub, spool) as up:
                await until(lambda: up.state.sent == 200)

    asyncio.run(check())


def test_certificate_problems_are_told_apart(tmp_path: Path):
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    cert_file, key_file = stranger.issue("pole-1")

    async def check():
        async with stage(tmp_path, *tls_settings(authority, clients=True)) as (broker, spool):
            good = Hub(broker.port, tls=True, ca_file=authority.ca_file)
            await fails_with(good, spool, "client certificate")
            wrong = Hub(
                broker.port, tls=True, ca_file=authority.ca_file, cert_file=cert_file, key_file=key_file
            )
            await fails_with(wrong, spool, "client certificate")
            unknown = Hub(broker.port, tls=True, ca_file=stranger.ca_file)
            await fails_with(unknown, spool, "the hub's certificate is not accepted")
            missing = Hub(broker.port, tls=True, ca_file=tmp_path / "none.pem")
            await fails_with(missing, spool, "none.pem cannot be read")
            await fails_with(Hub(broker.port), spool, "the connection broke")
        async with stage(tmp_path) as (broker, spool):
            await fails_with(Hub(broker.port, tls=True), spool, "TLS")

    asyncio.run(check())


def test_a_certificate_for_another_name_is_refused(tmp_path: Path):
    authority = Authority(tmp_path)

    async def check():
        async with stage(tmp_path, *tls_settings(authority, "hub.example")) as (broker, spool):
            hub = Hub(broker.port, tls=True, ca_file=authority.ca_file)
            await fails_with(hub, spool, "IP address mismatch")

    asyncio.run(check())


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_wrong_password_is_said_so_and_a_right_one_works(tmp_path: Path, protocol):
    async def check():
        async with stage(tmp_path, *password_settings(tmp_path, "box", "right")) as (broker, spool):
            wrong = Hub(broker.port, protocol=protocol, username="box", password="wrong")
            async with running(wrong, spool) as up:
                await until(lambda: up.state.last_error)
                assert any(word in up.state.last_error for word in ("not authorised", "wrong user name"))
                assert 'wrong"' not in up.state.last_error
            right = Hub(broker.port, protocol=protocol, username="box", password=Secret("right"))
            async with running(right, spool) as up:
                await until(lambda: up.state.connected)

    asyncio.run(check())


def test_an_unknown_host_is_said_so(tmp_path: Path):
    async def check():
        async with open_spool(SpoolSettings(tmp_path / "s.db"), report=print) as spool:
            await fails_with(
                Hub(1883, host="no-such-host.invalid"), spool, "unknown host no-such-host.invalid"
            )

    asyncio.run(check())


def test_a_message_larger_than_the_hub_allows_is_removed_and_reported(tmp_path: Path):
    async def check():
        async with stage(tmp_path, "max_packet_size 2000") as (broker, spool):
            await spool.put(drafts(Lane.ALARMS, 1, size=3000) + drafts(Lane.ALARMS, 2))
            removed = []
            async with running(Hub(broker.port), spool, removed) as up:
                await until(lambda: up.state.sent == 2)
                await until(lambda: spool.stats()["alarms"].depth == 0)
                assert up.state.removed == 1
                assert len(removed[0].message.payload) == 3000
                assert "larger than the 2000 bytes" in removed[0].reason

    asyncio.run(check())


def test_a_message_that_is_not_allowed_waits_and_blocks_nobody(tmp_path: Path):
    acl = tmp_path / "acl"
    acl.write_text(f"topic readwrite lamppost/#\ntopic deny {NODE.base}event/secret\n")
    acl.chmod(0o600)

    async def check():
        async with stage(tmp_path, f"acl_file {acl}") as (broker, spool):
            await spool.put(drafts(Lane.ALARMS, 3, topic="event/secret") + drafts(Lane.TELEMETRY, 100))
            async with ear(broker.port) as hub, running(Hub(broker.port), spool) as up:
                await until(lambda: up.state.sent == 100)
                await until(lambda: up.state.refused > 6)
                assert len(hub.under("telemetry/")) == 100
                assert spool.stats()["alarms"].depth == 3
                assert up.state.removed == 0
                acl.write_text("topic readwrite lamppost/#\n")
                broker.reload()
                await until(lambda: up.state.sent == 103)
                await until(lambda: spool.stats()["alarms"].depth == 0)

    asyncio.run(check())


def test_a_message_on_which_the_hub_hangs_up_blocks_nobody(tmp_path: Path):
    async def check():
        # MQTT 3.1.1 has no way to refuse a message but to close the connection.
        async with stage(tmp_path, "max_packet_size 2000") as (broker, spool):
            await spool.put(drafts(Lane.ALARMS, 1, size=3000) + drafts(Lane.TELEMETRY, 300))
            removed = []
            hub = Hub(broker.port, protocol="3.1.1", backoff_s=0.001, backoff_max_s=0.002, keepalive_s=1)
            async with running(hub, spool, removed) as up:
                await until(lambda: up.state.sent == 300, within_s=20)
                await until(lambda: up.state.removed == 1, within_s=20)
                assert "hangs up" in removed[0].reason
                await until(lambda: spool.stats()["alarms"].depth == 0)

    asyncio.run(check())
