"""Serve one moving picture over HTTP to any number of clients: multipart/x-mixed-replace (MJPEG)."""

from __future__ import annotations

import asyncio
import base64
import hmac
from contextlib import suppress
from typing import Self

_BOUNDARY = "street"
_PAGE = b"<html><body><h1>Camera</h1>Please log in.</body></html>"
_REQUEST_S = 10.0


class MjpegServer:
    """A camera's HTTP port. As an async context manager it listens and in the end closes everything.

    `publish` gives it a picture. A client that is slow misses pictures and delays nobody. ``/snapshot.jpg``
    is one picture, any other path the stream.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, login: tuple[str, str] | None = None
    ) -> None:
        self.host = host
        self.port = port
        self.sent = 0
        self.refused = False
        self.wrong_type = False
        self._login = login
        self._server: asyncio.Server | None = None
        self._clients: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._picture = b""
        self._number = 0
        self._fresh = asyncio.Condition()
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    @property
    def stalled(self) -> bool:
        """Whether nothing is sent while connections stay open."""
        return not self._flowing.is_set()

    def stall(self, stalled: bool) -> None:
        """Stop sending, or go on."""
        if stalled:
            self._flowing.clear()
        else:
            self._flowing.set()

    async def open(self) -> None:
        """Take connections, after a `close` on the same port. Raises OSError."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, self.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End all connections and refuse new ones."""
        if self._server is None:
            return
        self._server.close()
        tasks = list(self._clients)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def publish(self, jpeg: bytes) -> None:
        """Give every client a picture."""
        async with self._fresh:
            self._picture = jpeg
            self._number += 1
            self._fresh.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients[task] = writer
        try:
            with suppress(
                ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
            ):
                await self._answer(reader, writer)
        except asyncio.CancelledError:
            # Closing ends the connection; the stream's own task has nobody to tell.
            return
        finally:
            self._clients.pop(task, None)
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_REQUEST_S):
            head = await reader.readuntil(b"\r\n\r\n")
        await self._flowing.wait()
        path = head.split(b" ", 2)[1] if head.count(b" ") >= 2 else b"/"
        if self.refused or not self._may_look(head):
            await _reply(
                writer,
                "401 Unauthorized",
                "text/plain",
                b"login needed\n",
                'WWW-Authenticate: Basic realm="camera"\r\n',
            )
        elif self.wrong_type:
            await _reply(writer, "200 OK", "text/html", _PAGE)
        elif path.startswith(b"/snapshot"):
            await _reply(writer, "200 OK", "image/jpeg", (await self._next(self._number))[1])
        else:
            await self._stream(writer)

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: no-store\r\n"
            b"Content-Type: multipart/x-mixed-replace; boundary=%b\r\n\r\n" % _BOUNDARY.encode()
        )
        number = self._number  # what was drawn for others may be old
        while True:
            await self._flowing.wait()
            number, jpeg = await self._next(number)
            writer.write(
                b"--%b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
                % (_BOUNDARY.encode(), len(jpeg))
            )
            writer.write(jpeg + b"\r\n")
            await writer.drain()
            self.sent += 1

    async def _next(self, after: int) -> tuple[int, bytes]:
        """Return the newest picture and its number once there is one newer than ``after``."""
        async with self._fresh:
            await self._fresh.wait_for(lambda: self._number > after)
            return self._number, self._picture

    def _may_look(self, head: bytes) -> bool:
        if self._login is None:
            return True
        wanted = b"basic " + base64.b64encode(":".join(self._login).encode())
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"authorization":
                scheme, _, word = value.strip().partition(b" ")
                return hmac.compare_digest(scheme.lower() + b" " + word.strip(), wanted)
        return False


async def _reply(writer: asyncio.StreamWriter, status: str, kind: str, body: bytes, more: str = "") -> None:
    head = f"HTTP/1.1 {status}\r\nConnection: close\r\n{more}Content-Type: {kind}\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
