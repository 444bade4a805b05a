"""A TCP link between two parties that can be cut, stalled and slowed, as mobile links are.

Use it as an async context, and let the product connect to ``127.0.0.1:link.port``::

    async with Link("127.0.0.1", 1883) as link:
        await link.cut()  # connections end, new ones are refused
        await link.restore()
        link.stall()  # a black hole: everything stays open, nothing passes
        await link.restore()  # what was held back goes on; restore(reset=True) loses it
        link.slow(bytes_per_s=2000, delay_s=0.3)
"""

from __future__ import annotations

import asyncio
import socket
import struct
from functools import partial
from types import TracebackType
from typing import Literal, NamedTuple, Self, TypeAlias

#: Read at most this much at once, and hold at most HELD_CHUNKS of them per direction and connection:
#: beyond that the sender's own window fills.
CHUNK_BYTES = 4096
HELD_CHUNKS = 16
#: Small kernel buffers, so that a stalled link is full soon.
KERNEL_BYTES = 65536
#: A slow link passes its bytes in pieces about this far apart.
PIECE_S = 0.05

Direction: TypeAlias = Literal["up", "down"]


class _Held(NamedTuple):
    """Bytes on their way; empty bytes say that the sender has finished."""

    due: float
    data: bytes


class Link:
    """A TCP proxy; ``port`` stays the same over `cut` and `restore`.

    ``state`` is closed, up, cut, stalled or slow. ``sent_bytes`` counts what was delivered upstream,
    ``received_bytes`` what was delivered from there, ``accepted`` the connections taken and
    ``refused_upstream`` those that ended at once because nobody listens upstream.
    """

    def __init__(
        self, upstream_host: str, upstream_port: int, port: int = 0, *, host: str = "127.0.0.1"
    ) -> None:
        self.upstream = (upstream_host, upstream_port)
        self.host = host
        self.port = port
        self.state = "closed"
        self.accepted = 0
        self.refused_upstream = 0
        self._delivered: dict[Direction, int] = {"up": 0, "down": 0}
        self._free_at: dict[Direction, float] = {"up": 0.0, "down": 0.0}
        self._bytes_per_s: float | None = None
        self._delay_s = 0.0
        self._flowing = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.restore()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cut()
        self.state = "closed"

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._connections)

    @property
    def sent_bytes(self) -> int:
        """Bytes delivered to upstream."""
        return self._delivered["up"]

    @property
    def received_bytes(self) -> int:
        """Bytes delivered from upstream."""
        return self._delivered["down"]

    async def cut(self) -> None:
        """End all connections with a reset, lose what was on its way, and refuse new ones."""
        self.state = "cut"
        if self._listener is not None:
            listener, self._listener = self._listener, None
            await _stop([listener])
        await self.reset()

    async def restore(self, *, reset: bool = False) -> None:
        """Let everything pass again at full speed; with ``reset`` the open connections are ended first."""
        if reset:
            await self.reset()
        self._bytes_per_s, self._delay_s = None, 0.0
        self._flowing.set()
        self._listen()
        self.state = "up"

    def stall(self) -> None:
        """Swallow the link: connections stay open and are still accepted, but nothing passes either way.

        What the parties send is held back, and soon not taken any more, until `restore`.
        """
        self._flowing.clear()
        self.state = "stalled"

    def slow(self, bytes_per_s: float | None = None, delay_s: float = 0.0) -> None:
        """Pass at most ``bytes_per_s`` each way, all connections together, and everything ``delay_s`` late.

        It ends a stall and a cut, too; `restore` makes the link fast again.
        """
        if bytes_per_s is not None and bytes_per_s <= 0:
            raise ValueError("a slow link passes more than 0 bytes per second; use stall() for none")
        self._bytes_per_s, self._delay_s = bytes_per_s, delay_s
        self._flowing.set()
        self._listen()
        self.state = "slow"

    async def reset(self) -> None:
        """End all open connections with a reset; new ones are taken as before."""
        await _stop(list(self._connections))

    def _listen(self) -> None:
        if self._listener is not None:
            return
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        sock = socket.create_server((self.host, self.port), family=family, backlog=100)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)
        sock.setblocking(False)
        self.port = sock.getsockname()[1]
        self._listener = asyncio.create_task(self._accept(sock), name="link-accept")
        self._listener.add_done_callback(partial(_close_after, sock))

    async def _accept(self, sock: socket.socket) -> None:
        while True:
            client, _ = await asyncio.get_running_loop().sock_accept(sock)
            self.accepted += 1
            connection = asyncio.create_task(self._carry(client), name="link-connection")
            self._connections.add(connection)
            connection.add_done_callback(self._connections.discard)
            # A task that is cancelled before its first step never comes to close its socket.
            connection.add_done_callback(partial(_close_after, client))

    async def _carry(self, client: socket.socket) -> None:
        """Carry one connection until both sides have finished or one breaks."""
        upstream: socket.socket | None = None
        whole = False
        try:
            await self._flowing.wait()
            upstream = await self._connect()
            async with asyncio.TaskGroup() as group:
                self._pump(group, client, upstream, "up")
                self._pump(group, upstream, client, "down")
            whole = True
        except* OSError:
            self.refused_upstream += upstream is None
        finally:
            for sock in (client, upstream):
                if sock is not None:
                    _close(sock, reset=not whole)

    async def _connect(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        host, port = self.upstream
        family, kind, proto, _, address = (await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))[0]
        sock = socket.socket(family, kind, proto)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BYTES)
        try:
            await loop.sock_connect(sock, address)
        except BaseException:
            sock.close()
            raise
        return sock

    def _pump(
        self, group: asyncio.TaskGroup, source: socket.socket, sink: socket.socket, way: Direction
    ) -> None:
        sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        held: asyncio.Queue[_Held] = asyncio.Queue(HELD_CHUNKS)
        group.create_task(self._take(source, held))
        group.create_task(self._deliver(held, sink, way))

    async def _take(self, source: socket.socket, held: asyncio.Queue[_Held]) -> None:
        loop = asyncio.get_running_loop()
        data = b"."
        while data:
            await self._flowing.wait()
            data = await loop.sock_recv(source, CHUNK_BYTES)
            await held.put(_Held(loop.time() + self._delay_s, data))

    async def _deliver(self, held: asyncio.Queue[_Held], sink: socket.socket, way: Direction) -> None:
        loop = asyncio.get_running_loop()
        while (chunk := await held.get()).data:
            if (early := chunk.due - loop.time()) > 0:
                await asyncio.sleep(early)
            rest = chunk.data
            while rest:
                piece = rest[: self._piece_bytes()]
                await self._wait_for_turn(len(piece), way)
                await self._flowing.wait()
                await loop.sock_sendall(sink, piece)
                self._delivered[way] += len(piece)
                rest = rest[len(piece) :]
        await self._flowing.wait()
        sink.shutdown(socket.SHUT_WR)

    def _piece_bytes(self) -> int:
        return CHUNK_BYTES if self._bytes_per_s is None else max(1, int(self._bytes_per_s * PIECE_S))

    async def _wait_for_turn(self, size: int, way: Direction) -> None:
        """Wait until the link has passed ``size`` more bytes at its speed."""
        if self._bytes_per_s is None:
            return
        now = asyncio.get_running_loop().time()
        self._free_at[way] = max(now, self._free_at[way]) + size / self._bytes_per_s
        await asyncio.sleep(self._free_at[way] - now)


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _close_after(sock: socket.socket, _: asyncio.Task[None]) -> None:
    sock.close()


def _close(sock: socket.socket, *, reset: bool) -> None:
    if reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
