"""A connected socket, with or without TLS, without ever blocking the event loop or its end.

paho would connect in a blocking call on an executor's thread, which cannot be cancelled: a stop of
the agent would wait for a dead network. Here only the name lookup needs a thread, a daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, TypeAlias

Address: TypeAlias = tuple[socket.AddressFamily, tuple[Any, ...]]


async def dial(host: str, port: int, tls: ssl.SSLContext | None, within_s: float) -> socket.socket:
    """Return a non-blocking socket connected to the first address that answers.

    Raises OSError (ssl.SSLError, socket.gaierror and TimeoutError among them) or UnicodeError.
    """
    async with asyncio.timeout(within_s):
        addresses = await _look_up(host, port)
        deadline = asyncio.get_running_loop().time() + within_s
        failure: OSError = OSError(f"{host} has no address")
        for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            share = (deadline - asyncio.get_running_loop().time()) / left
            try:
                async with asyncio.timeout(share):
                    return await _connect(host, address, tls)
            except OSError as error:
                failure = error
        raise failure


async def _look_up(host: str, port: int) -> list[Address]:
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[Address]] = loop.create_future()

    def settle(answer: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if found.done() else answer())

    def look_up() -> None:
        # As bytes where that will do: for text Python loads its tables of international names, 0.5 MB.
        name = host.encode() if host.isascii() else host
        try:
            answers = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            failure = error
            settle(lambda: found.set_exception(failure))
        else:
            settle(lambda: found.set_result([(answer[0], answer[4]) for answer in answers]))

    threading.Thread(target=look_up, name="look-up", daemon=True).start()
    return await found


async def _connect(host: str, address: Address, tls: ssl.SSLContext | None) -> socket.socket:
    family, where = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        # Small packets must not wait for the acknowledgement of the one before (Nagle).
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, where)
        if tls is not None:
            sock = tls.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
            await _shake_hands(sock)
    except BaseException:
        sock.close()
        raise
    return sock


async def _shake_hands(sock: ssl.SSLSocket) -> None:
    loop = asyncio.get_running_loop()
    while True:
        ready = asyncio.Event()
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            loop.add_reader(sock, ready.set)
        except ssl.SSLWantWriteError:
            loop.add_writer(sock, ready.set)
        else:
            return
        try:
            await ready.wait()
        finally:
            loop.remove_reader(sock)
            loop.remove_writer(sock)
