"""The way to the hub: connects, drains the spool, and comes back after every failure."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import aiomqtt

from lamppost.agent.log import get_logger
from lamppost.agent.spool import Spool
from lamppost.agent.uplink import tls, words
from lamppost.agent.uplink.connection import Connection, will
from lamppost.agent.uplink.dial import dial
from lamppost.agent.uplink.drain import Drain, Tally
from lamppost.agent.uplink.link import LinkError, LinkState, Removed
from lamppost.agent.uplink.pace import Pace
from lamppost.agent.uplink.refusals import Aside
from lamppost.agent.uplink.settings import HubSettings
from lamppost.agent.wire import STATUS_TOPIC, NodeId, NodeState, encode_will, segment, status_content_type

#: A connection that stayed so long, or got a message across, was a good one.
_GOOD_AFTER_S = 60.0
_FAREWELL_S = 1.0
_CLOSE_S = 0.5


class Uplink:
    """Keeps the link to the hub and drains the spool over it. All in the event loop's thread."""

    def __init__(
        self,
        hub: HubSettings,
        node: NodeId,
        spool: Spool,
        *,
        status: Callable[[NodeState], bytes],
        report: Callable[[Removed], None] = lambda removed: None,  # noqa: ARG005
    ) -> None:
        """Prepare; no I/O.

        ``status`` returns the current payload of the topic ``status`` (`wire.encode_status`).
        ``report`` is told of each message that was given up because the hub will never take it.
        """
        self._hub = hub
        self._node = node
        self._spool = spool
        self._status = status
        self._report = report
        self._pace = Pace(hub.backoff_s, hub.backoff_max_s)
        self._aside = Aside(hub.backoff_s, hub.backoff_max_s, time.monotonic)
        self._tally = Tally()
        self._drain: Drain | None = None
        self._since = datetime.now(UTC)
        self._last_error = ""
        self._failing = ""
        self._next_try_at: datetime | None = None
        self._connects = 0
        self._log = get_logger(hub=f"{hub.host}:{hub.port}")

    @property
    def state(self) -> LinkState:
        """The link as it is now."""
        tally = self._tally
        return LinkState(
            connected=self._drain is not None,
            since=self._since,
            last_error=self._last_error,
            next_try_at=self._next_try_at,
            latency_s=tally.latency_s,
            in_flight=self._drain.in_flight if self._drain else 0,
            sent=tally.sent,
            sent_bytes=tally.sent_bytes,
            refused=tally.refused,
            removed=tally.removed,
            aside=len(self._aside),
            connects=self._connects,
        )

    def announce(self) -> None:
        """Publish the status again, because it changed; at most every two seconds."""
        if self._drain is not None:
            self._drain.status_changed = True
            self._drain.wake()

    async def run(self) -> None:
        """Keep the link until cancelled; then publish the status ``offline`` and leave within two seconds."""
        while True:
            try:
                await self._connect_and_drain()
            except LinkError as error:
                self._went_down(error)
            pause_s = self._pace.pause_s()
            self._next_try_at = datetime.now(UTC) + timedelta(seconds=pause_s)
            try:
                await asyncio.sleep(pause_s)
            finally:
                self._next_try_at = None

    async def _connect_and_drain(self) -> None:
        drain = Drain(
            self._spool, self._hub, self._node, self._aside, self._tally, self._status, self._report
        )
        connection = await self._connect(drain)
        began = time.monotonic()
        self._came_up(drain)
        try:
            await drain.run(connection)
        except LinkError as error:
            good = drain.acknowledged_any or time.monotonic() - began > _GOOD_AFTER_S
            # Two boxes with one client id throw each other out: only growing pauses end that.
            if good and not error.taken_over:
                self._pace.reset()
            raise
        except asyncio.CancelledError:
            with contextlib.suppress(LinkError, TimeoutError):
                await drain.farewell(_FAREWELL_S)
            await connection.close(_CLOSE_S)
            raise
        finally:
            self._drain = None
            self._since = datetime.now(UTC)
            connection.drop()

    async def _connect(self, drain: Drain) -> Connection:
        hub = self._hub
        deadline = time.monotonic() + hub.connect_timeout_s
        try:
            trust = await asyncio.to_thread(tls.context, hub) if hub.tls else None
            sock = await dial(hub.host, hub.port, trust, hub.connect_timeout_s)
        except (OSError, UnicodeError) as error:
            raise LinkError(words.dialling(error, hub.host, hub.port, hub.connect_timeout_s)) from error
        client_id = hub.client_id or f"lamppost-{segment(self._node.site)}-{segment(self._node.node)}"
        connection = Connection(hub, client_id, self._will(), drain.acknowledged, drain.wake)
        await connection.open(sock, max(0.1, deadline - time.monotonic()))
        return connection

    def _will(self) -> aiomqtt.Will:
        encoding = self._hub.encoding
        return will(
            self._node.base + STATUS_TOPIC,
            encode_will(node=self._node, encoding=encoding),
            status_content_type(encoding),
            five=self._hub.protocol == "5",
        )

    def _came_up(self, drain: Drain) -> None:
        self._drain = drain
        self._since = datetime.now(UTC)
        self._connects += 1
        if self._failing or self._connects == 1:
            self._log.info("hub connected")
        self._failing = ""

    def _went_down(self, error: LinkError) -> None:
        """Log a new reason, not every try."""
        self._last_error = str(error)
        if self._last_error != self._failing:
            self._failing = self._last_error
            self._log.warning("hub not connected", reason=self._last_error)
