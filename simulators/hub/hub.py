"""The city hub: takes all that nodes send, over real MQTT, and keeps account of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import ssl
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from lamppost.simulators.hub.book import Book, Entry
from lamppost.simulators.hub.decode import TOPIC
from lamppost.simulators.hub.letters import Mail
from lamppost.simulators.hub.schema import Schemas

#: How long the broker keeps what comes while the hub is away.
SESSION_S = 86_400
RETRY_S = 0.05
#: A condition may depend on more than messages; it is looked at this often.
LOOK_S = 0.05


class NeverHappenedError(AssertionError):
    """A condition did not become true within its time."""


class Hub:
    """A subscriber with a persistent session at the broker ``url``; as a context manager it is connected.

    It connects again by itself. `book` is all that it knows; ``tell`` is called with each message.
    ``schemas`` is a folder of JSON Schemas to hold messages to, ``keep``, ``from_start`` and
    ``keep_pictures`` are those of `Book`.
    """

    def __init__(
        self,
        url: str,
        *,
        protocol: Literal["5", "3.1.1"] = "5",
        client_id: str = "",
        schemas: Path | None = None,
        keep: bool | Collection[tuple[str, str]] = False,
        from_start: bool = False,
        keep_pictures: bool = False,
        tell: Callable[[Entry], None] | None = None,
        ca_file: Path | None = None,
        connect_within_s: float = 15.0,
    ) -> None:
        self.url = url
        held_to = Schemas(schemas) if schemas else None
        self.book = Book(held_to, keep=keep, from_start=from_start, keep_pictures=keep_pictures)
        self.connected = False
        self.error = ""
        self._protocol = protocol
        self._client_id = client_id or f"lamppost-hub-{os.getpid()}-{id(self):x}"
        self._marker = f"lamppost-hub/{self._client_id}/marker"
        self._marks = 0
        self._tell = tell
        self._ca_file = ca_file
        self._connect_within_s = connect_within_s
        self._client: aiomqtt.Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="hub")
        try:
            await self.until(
                lambda: self.connected, self._connect_within_s, f"the hub's connection to {self._where()}"
            )
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def until(self, condition: Callable[[], object], within_s: float = 10.0, what: str = "") -> None:
        """Return as soon as ``condition()`` is true. Raises NeverHappenedError after ``within_s`` seconds."""
        deadline = time.monotonic() + within_s
        while not condition():
            if self._task is not None and self._task.done():
                self._task.result()
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                problem = f"; {self.error}" if self.error and not self.connected else ""
                raise NeverHappenedError(
                    f"{what or 'what was waited for'} did not happen within {within_s:g} s{problem}"
                )
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), min(left_s, LOOK_S))

    async def caught_up(self, within_s: float = 10.0) -> None:
        """Return when all that the broker had when this was called has come. Raises NeverHappenedError."""
        deadline = time.monotonic() + within_s
        mark = self._marks + 1
        sent: aiomqtt.Client | None = None
        while self._marks < mark:
            await self.until(lambda: self.connected, deadline - time.monotonic(), "the hub's connection")
            client = self._client
            if client is not None and client is not sent:
                with contextlib.suppress(aiomqtt.MqttError):
                    await client.publish(
                        self._marker, b"", qos=1, timeout=max(LOOK_S, deadline - time.monotonic())
                    )
                    sent = client
            with contextlib.suppress(NeverHappenedError):
                await self.until(lambda: self._marks >= mark or not self.connected, 1.0)
            if time.monotonic() > deadline:
                raise NeverHappenedError(f"the hub did not catch up within {within_s:g} s")

    async def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        """Be connected as much as possible."""
        while True:
            try:
                async with self._connection() as client:
                    await client.subscribe(f"{TOPIC}#", qos=1)
                    await client.subscribe(self._marker, qos=1)
                    self._client, self.connected = client, True
                    self._news.set()
                    async for message in client.messages:
                        self._take(message)
            except aiomqtt.MqttError as error:
                self.error = f"the broker at {self._where()}: {error}"
            finally:
                self._client, self.connected = None, False
                self._news.set()
            await asyncio.sleep(RETRY_S)

    def _take(self, message: aiomqtt.Message) -> None:
        topic = message.topic.value
        if topic == self._marker:
            self._marks += 1
        else:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            entry = self.book.take(Mail(topic, payload, time.time(), *_properties(message.properties)))
            if self._tell is not None:
                self._tell(entry)
        self._news.set()

    def _where(self) -> str:
        """Return the URL without a password."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def _connection(self) -> aiomqtt.Client:
        parts = urlsplit(self.url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ValueError(f"{self.url!r} names no broker; expected mqtt://host:1883 or mqtts://host:8883")
        secure = parts.scheme == "mqtts"
        context = ssl.create_default_context(cafile=self._ca_file) if secure else None
        five = self._protocol == "5"
        session = None
        if five:
            session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            session.SessionExpiryInterval = SESSION_S
        quiet = logging.Logger("lamppost.hub", logging.CRITICAL)  # noqa: LOG001 - of this connection only
        return aiomqtt.Client(
            parts.hostname,
            parts.port or (8883 if secure else 1883),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            identifier=self._client_id,
            protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
            clean_session=None if five else False,
            clean_start=False if five else MQTT_CLEAN_START_FIRST_ONLY,
            properties=session,
            tls_context=context,
            logger=quiet,
            timeout=5.0,
            keepalive=10,
        )


def _properties(properties: Properties | None) -> tuple[str | None, str | None, str | None]:
    """Return content type, content-encoding and seq; None three times with MQTT 3.1.1."""
    given = {} if properties is None else vars(properties)
    content_type = given.get("ContentType")
    user = dict(given.get("UserProperty", ()))
    return content_type, user.get("content-encoding"), user.get("seq")
