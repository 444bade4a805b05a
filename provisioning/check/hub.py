"""The way to the hub, step by step: name, TCP, TLS, MQTT, and a message there and back."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from lamppost.agent.config import Hub
from lamppost.agent.uplink import LinkError, refusals, tls, words
from lamppost.agent.uplink.connection import Connection
from lamppost.agent.uplink.dial import dial
from lamppost.agent.wire import segment
from lamppost.provisioning.check.bench import Bench
from lamppost.provisioning.check.finding import Finding, green, red, yellow

#: Seconds for each step. A slow radio link answers within a second or two.
STEP_S: Final = 5.0
TOPIC: Final = "check"
_CLOSE_S = 0.5
_ALERT_S = 2.0


async def hub(bench: Bench) -> AsyncIterator[Finding]:
    """Yield a finding for each step until one fails. The running agent's connection is left alone."""
    settings = bench.config.hub
    if settings is None:
        yield yellow("hub", "hub.none", "hub.none.todo")
        return
    where = f"{settings.host}:{settings.port}"
    try:
        (await dial(settings.host, settings.port, None, STEP_S)).close()
    except (OSError, UnicodeError) as error:
        is_name = isinstance(error, socket.gaierror | UnicodeError)
        step = "hub/dns" if is_name else "hub/tcp"
        yield _failed(step, words.dialling(error, settings.host, settings.port, STEP_S))
        return
    yield green("hub/tcp", "hub.reached", where=where)
    try:
        trust = await asyncio.to_thread(tls.context, settings) if settings.tls else None
        sock = await dial(settings.host, settings.port, trust, STEP_S)
    except (OSError, UnicodeError) as error:
        said = words.dialling(error, settings.host, settings.port, STEP_S)
        if "client certificate" in said:  # TLS 1.2 says it at once
            yield red("hub/tls", "hub.failed", "cert.again.todo", why=said)
        else:
            yield _failed("hub/tls", said)
        return
    if isinstance(sock, ssl.SSLSocket):
        yield green("hub/tls", "hub.trusted", version=sock.version())
    else:
        yield yellow("hub/tls", "hub.plain", "hub.plain.todo")
    async for finding in _greeted(bench, settings, sock, trust):
        yield finding


def _failed(step: str, said: str) -> Finding:
    what, _, advice = said.rpartition(": ")
    if step == "hub/dns" or not what:
        return red(step, "hub.failed", f"{step.replace('/', '.')}.todo", why=said)
    return red(step, "hub.failed", f"{step.replace('/', '.')}.todo", why=f"{what}: {advice}")


async def alert(settings: Hub, trust: ssl.SSLContext) -> str:
    """Connect once more and only listen: why does the hub hang up? Empty if it does not say.

    TLS 1.3 lets a client certificate be judged after the handshake; who speaks first loses the alert.
    """
    try:
        sock = await dial(settings.host, settings.port, trust, STEP_S)
    except ssl.SSLError as error:
        return words.tls(error)
    except OSError:
        return ""
    loop = asyncio.get_running_loop()
    with sock:
        ready = asyncio.Event()
        loop.add_reader(sock, ready.set)
        try:
            async with asyncio.timeout(_ALERT_S):
                while True:
                    await ready.wait()
                    ready.clear()
                    try:
                        sock.recv(1)
                    except ssl.SSLWantReadError:
                        continue
                    return ""
        except (ssl.SSLEOFError, TimeoutError):
            return ""
        except ssl.SSLError as error:
            return words.tls(error)
        except OSError:
            return ""
        finally:
            loop.remove_reader(sock)


async def _greeted(
    bench: Bench, settings: Hub, sock: socket.socket, trust: ssl.SSLContext | None
) -> AsyncIterator[Finding]:
    node = bench.config.node
    base = f"lamppost/v1/{segment(node.site)}/{segment(node.id)}"
    # A client id of its own: the agent's would throw the agent out.
    name = f"{settings.client_id or f'lamppost-{segment(node.site)}-{segment(node.id)}'}-check"
    trip = _Trip(settings, name, f"{base}/{TOPIC}")
    try:
        await trip.connection.open(sock, STEP_S)
    except LinkError as error:
        said = await alert(settings, trust) if trust is not None else ""
        todo = "hub.mqtt.todo" if not said else "cert.again.todo"
        yield red("hub/mqtt", "hub.failed", todo, why=said or error)
        return
    try:
        yield green("hub/mqtt", "hub.greeted", protocol=settings.protocol)
        yield await trip.there_and_back()
    finally:
        await trip.connection.close(_CLOSE_S)


class _Trip:
    """One message through the hub and back to us."""

    def __init__(self, settings: Hub, client_id: str, topic: str) -> None:
        self._five = settings.protocol == "5"
        self._topic = topic
        self._acknowledged: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._gone = asyncio.Event()
        # No last will: the retained status is the agent's own.
        self.connection = Connection(settings, client_id, None, self._puback, self._gone.set)

    def _puback(self, _mid: int, code: int) -> None:
        if not self._acknowledged.done():
            self._acknowledged.set_result(code)

    async def there_and_back(self) -> Finding:
        """Subscribe, publish, and wait for the message."""
        may_read = await self._subscribe()
        token = secrets.token_hex(8)
        began = time.monotonic()
        try:
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            payload = json.dumps({"check": token, "at": at}).encode()
            # aiomqtt's own publish would wait for a PUBACK that this connection keeps for itself.
            self.connection.send(self._topic, payload, self._properties())  # type: ignore[arg-type]
            async with asyncio.timeout(STEP_S):
                code = await self._acknowledged
        except LinkError as error:
            return red("hub/round-trip", "hub.failed", "hub.mqtt.todo", why=error)
        except TimeoutError:
            return red("hub/round-trip", "trip.no-puback", "trip.no-puback.todo", seconds=STEP_S)
        if code >= refusals.SUCCESS_BELOW:
            why = refusals.reason(code)
            return red("hub/round-trip", "trip.refused", "trip.acl.todo", why=why, topic=self._topic)
        if may_read and await self._came_back(token):
            return green("hub/round-trip", "trip.ok", ms=(time.monotonic() - began) * 1000)
        return yellow("hub/round-trip", "trip.one-way", "trip.acl.todo", topic=self._topic)

    async def _subscribe(self) -> bool:
        try:
            codes = await self.connection.subscribe(self._topic, qos=1, timeout=STEP_S)
        except aiomqtt.MqttError:
            return False
        return all((code if isinstance(code, int) else code.value) < refusals.SUCCESS_BELOW for code in codes)

    def _properties(self) -> Properties | None:
        if not self._five:
            return None
        made = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        made.ContentType = "application/json"
        made.MessageExpiryInterval = 60
        return made

    async def _came_back(self, token: str) -> bool:
        try:
            async with asyncio.timeout(STEP_S):
                async for message in self.connection.messages:
                    if token.encode() in bytes(message.payload):
                        return True
        except (TimeoutError, aiomqtt.MqttError, LinkError):
            pass
        return False
