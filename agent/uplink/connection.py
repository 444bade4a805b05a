"""One MQTT connection, from CONNECT to its end: aiomqtt with what it hides brought to light.

aiomqtt binds paho to the event loop, and its `publish` waits for one PUBACK per task. Draining a
spool needs three things more, for which this class overrides or reads names that begin with an
underscore (pinned by ``aiomqtt<3`` and by the tests of the uplink): the reason code of a PUBACK, the
limits in a CONNACK, and a close that does not wait for a dead link.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import socket
import struct
import termios
from collections.abc import Callable
from typing import Any, NamedTuple

import aiomqtt
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY, ConnectFlags, DisconnectFlags
from paho.mqtt.client import Client as Paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from lamppost.agent.uplink import words
from lamppost.agent.uplink.link import LinkError
from lamppost.agent.uplink.properties import Packed
from lamppost.agent.uplink.settings import HubSettings

_TAKEN_OVER = 0x8E  # MQTT 5, section 3.14.2.1


class Limits(NamedTuple):
    """What the hub allows (MQTT 5, section 3.2.2.3); None is no limit."""

    packet_bytes: int | None = None
    in_flight: int | None = None
    retain: bool = True


class _LastWords(logging.Handler):
    """Remembers the exception that paho logs, and otherwise swallows, when a socket fails."""

    error: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple) and record.args and isinstance(record.args[0], BaseException):
            self.error = record.args[0]


class Connection(aiomqtt.Client):
    """A connection over a socket that is connected already. Used once."""

    def __init__(
        self,
        hub: HubSettings,
        client_id: str,
        will: aiomqtt.Will | None,
        acknowledged: Callable[[int, int], None],
        ended: Callable[[], None],
    ) -> None:
        """Prepare; no I/O. ``acknowledged(message id, reason code)`` is called for each PUBACK."""
        five = hub.protocol == "5"
        logger = logging.Logger("lamppost.uplink", logging.ERROR)  # noqa: LOG001  of this connection only
        logger.addHandler(last_words := _LastWords())
        password = hub.password
        # paho notices a dead link within two of its keep-alives and two seconds of its own clock:
        # one second less keeps the promise of two keep-alives.
        super().__init__(
            hub.host,
            hub.port,
            username=hub.username,
            password=password if password is None or isinstance(password, str) else password.reveal(),
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
            clean_session=None if five else True,
            clean_start=True if five else MQTT_CLEAN_START_FIRST_ONLY,
            keepalive=max(1, hub.keepalive_s - 1),
            will=will,
            max_inflight_messages=0,  # the window is ours; paho would queue beyond it unseen
            logger=logger,
        )
        self.limits = Limits()
        self._tls = hub.tls
        self._acknowledged = acknowledged
        self._ended = ended
        self._last_words = last_words

    async def open(self, sock: socket.socket, within_s: float) -> None:
        """Say CONNECT over ``sock``, which belongs to this connection from now on. Raises `LinkError`."""
        self._client._create_socket = lambda: sock  # type: ignore[method-assign]  # noqa: SLF001
        try:
            self._client_connect()
            await asyncio.sleep(0)  # aiomqtt registers the socket with the loop only now
            async with asyncio.timeout(within_s):
                await asyncio.shield(self._connected)
        except TimeoutError:
            self.drop()
            raise LinkError(f"{self._hostname}:{self._port} does not answer CONNECT") from None
        except BaseException:
            self.drop()
            raise

    def send(self, topic: str, payload: bytes, properties: Packed | None, *, retain: bool = False) -> int:
        """Hand a QoS 1 message to the socket; return its message id. Raises `LinkError`, ValueError."""
        info = self._client.publish(topic, payload, 1, retain, properties)  # type: ignore[arg-type]
        if info.rc:
            raise LinkError("the connection is gone")
        return info.mid

    def check(self) -> None:
        """Raise `LinkError` if the connection has ended."""
        if self._disconnected.done():
            error = self._disconnected.exception()
            raise error if isinstance(error, LinkError) else LinkError(f"the connection broke: {error}")

    def fail(self, error: LinkError) -> None:
        """Declare the connection ended."""
        if not self._disconnected.done():
            self._disconnected.set_exception(error)
        self._ended()

    def prove(self) -> None:
        """Take note that the link carries bytes, though a PINGREQ may still wait behind a large message."""
        self._client._ping_t = 0.0  # noqa: SLF001

    def unsent_bytes(self) -> int:
        """Return how much waits to leave this box: in paho, and in the kernel unacknowledged by TCP."""
        waiting = sum(packet["to_process"] for packet in self._client._out_packet)  # noqa: SLF001
        sock = self._client.socket()
        if sock is not None:
            with contextlib.suppress(OSError, ValueError):
                answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
                waiting += struct.unpack("i", answer)[0]
        return waiting

    async def close(self, within_s: float) -> None:
        """Say DISCONNECT, so that the last will is not sent, and close; do not wait for a dead link."""
        try:
            if not self._disconnected.done():
                self._client.disconnect()
                await asyncio.wait([self._disconnected], timeout=within_s)
        finally:
            self.drop()

    def drop(self) -> None:
        """Close the socket now. Harmless if it is closed already."""
        self._client._sock_close()  # noqa: SLF001
        for future in (self._connected, self._disconnected):
            if future.done():
                future.exception()  # nobody else may have asked
            else:
                future.cancel()

    def _on_connect(
        self,
        client: Paho,
        userdata: Any,  # noqa: ARG002
        flags: ConnectFlags,  # noqa: ARG002
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if self._connected.done():
            return
        if reason_code.is_failure:
            self._connected.set_exception(LinkError(words.refusal(reason_code)))
            return
        given = vars(properties) if properties is not None else {}
        if given.get("MaximumQoS") == 0:
            self._connected.set_exception(LinkError("the hub offers no QoS 1, and loses messages"))
            return
        self.limits = Limits(
            given.get("MaximumPacketSize"), given.get("ReceiveMaximum"), given.get("RetainAvailable", 1) != 0
        )
        # The hub may allow more silence (Server Keep Alive), but the promise is ours.
        client._keepalive = min(client._keepalive, self._keepalive)  # noqa: SLF001
        self._connected.set_result(None)

    def _on_disconnect(
        self,
        client: Paho,  # noqa: ARG002
        userdata: Any,  # noqa: ARG002
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,  # noqa: ARG002
    ) -> None:
        by_packet = flags.is_disconnect_packet_from_server
        error = LinkError(
            words.ending(
                reason_code,
                self._last_words.error,
                by_packet=by_packet,
                greeting=self._tls and not self._connected.done(),
            ),
            by_hub=reason_code.getName() != "Keep alive timeout",
            taken_over=by_packet and reason_code.value == _TAKEN_OVER,
        )
        future = self._disconnected if self._connected.done() else self._connected
        if not future.done():
            future.set_exception(error)
        self._ended()

    def _on_publish(
        self,
        client: Paho,  # noqa: ARG002
        userdata: Any,  # noqa: ARG002
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,  # noqa: ARG002
    ) -> None:
        self.prove()
        self._acknowledged(mid, reason_code.value)

    def _on_socket_register_write(self, client: Paho, userdata: Any, sock: Any) -> None:  # noqa: ARG002
        # aiomqtt defers this to the next turn of the loop, when the socket may be closed and its
        # number be another's.
        self._loop.add_writer(sock.fileno(), self._write)

    def _write(self) -> None:
        try:
            self._client.loop_write()
        except Exception as error:  # noqa: BLE001  whatever it is, it is the end of this connection
            self.fail(LinkError(f"the connection broke: {error}", by_hub=True))


def will(topic: str, payload: bytes, content_type: str, *, five: bool) -> aiomqtt.Will:
    """Return the last will: retained, QoS 1."""
    properties = None
    if five:
        properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
        properties.ContentType = content_type
    return aiomqtt.Will(topic, payload, qos=1, retain=True, properties=properties)
