"""The simulated link: what passes, what is held back, what is lost."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from waiting import until

from lamppost.simulators.link import Link


class Far:
    """A TCP server that keeps what it gets and echoes it when asked to."""

    def __init__(self, *, echo: bool = True) -> None:
        self.got = bytearray()
        self.ends: list[str] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.echo = echo
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while data := await reader.read(65536):
                self.got += data
                if self.echo:
                    writer.write(data)
                    await writer.drain()
            self.ends.append("closed")
        except ConnectionError:
            self.ends.append("reset")
        finally:
            writer.close()


@asynccontextmanager
async def linked(*, echo: bool = True) -> AsyncIterator[tuple[Far, Link]]:
    far = Far(echo=echo)
    server = await asyncio.start_server(far.serve, "127.0.0.1", 0)
    far.port = server.sockets[0].getsockname()[1]
    async with server, Link("127.0.0.1", far.port) as link:
        yield far, link


async def connect(link: Link) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", link.port)


def test_open_link_passes_bytes_both_ways_and_a_clean_end():
    async def run() -> None:
        async with linked() as (far, link):
            reader, writer = await connect(link)
            sent = bytes(range(256)) * 2000
            writer.write(sent)
            writer.write_eof()
            assert await reader.read(-1) == sent
            assert (link.sent_bytes, link.received_bytes) == (len(sent), len(sent))
            assert far.ends == ["closed"]
            writer.close()
            await until(lambda: link.connections == 0)

    asyncio.run(run())


def test_cut_resets_what_is_open_and_refuses_until_restored_on_the_same_port():
    async def run() -> None:
        async with linked() as (far, link):
            reader, writer = await connect(link)
            writer.write(b"one")
            assert await reader.readexactly(3) == b"one"
            port = link.port
            await link.cut()
            assert link.connections == 0
            with pytest.raises(ConnectionResetError):
                await reader.read(1)
            writer.close()
            await until(lambda: far.ends == ["reset"])
            with pytest.raises(ConnectionRefusedError):
                await connect(link)
            await link.restore()
            assert link.port == port
            reader, writer = await connect(link)
            writer.write(b"two")
            assert await reader.readexactly(3) == b"two"
            writer.close()

    asyncio.run(run())


def test_stall_holds_everything_back_and_loses_nothing():
    async def run() -> None:
        async with linked() as (far, link):
            reader, writer = await connect(link)
            writer.write(b"before")
            assert await reader.readexactly(6) == b"before"
            link.stall()
            writer.write(b"held")
            far.writers[0].write(b"HELD")
            late_reader, late_writer = await connect(link)
            late_writer.write(b"late")
            await until(lambda: link.accepted == 2)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.2)
            assert far.got == b"before"
            await link.restore()
            assert sorted(await reader.readexactly(8)) == sorted(b"HELDheld")
            assert await late_reader.readexactly(4) == b"late"
            for each in (writer, late_writer):
                each.close()

    asyncio.run(run())


def test_stalled_link_takes_only_what_fits_its_buffers():
    async def run() -> None:
        async with linked(echo=False) as (far, link):
            loop = asyncio.get_running_loop()
            with socket.create_connection(("127.0.0.1", link.port)) as sock:
                sock.setblocking(False)
                await until(lambda: len(far.writers) == 1)
                link.stall()
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(loop.sock_sendall(sock, bytes(50_000_000)), 0.5)
                assert far.got == b""
                await link.restore()
                await until(lambda: len(far.got) > 65536)

    asyncio.run(run())


def test_restore_with_reset_loses_what_was_held_back():
    async def run() -> None:
        async with linked() as (far, link):
            reader, writer = await connect(link)
            writer.write(b"before")
            await reader.readexactly(6)
            link.stall()
            writer.write(b"lost")
            await writer.drain()
            await link.restore(reset=True)
            with pytest.raises(ConnectionResetError):
                await reader.read(1)
            writer.close()
            await until(lambda: far.ends == ["reset"])
            assert far.got == b"before"

    asyncio.run(run())


def test_slow_link_takes_its_time():
    async def run() -> None:
        async with linked() as (_, link):
            loop = asyncio.get_running_loop()
            reader, writer = await connect(link)
            link.slow(bytes_per_s=20_000, delay_s=0.1)
            begun = loop.time()
            writer.write(bytes(4000))
            await reader.readexactly(4000)
            # Never faster than the link: 0.2 s for the bytes and 0.1 s delay each way.
            assert loop.time() - begun >= 0.39
            await link.restore()
            writer.write(bytes(400_000))
            await reader.readexactly(400_000)
            writer.close()

    asyncio.run(run())


def test_slow_link_shares_its_speed_among_connections():
    async def run() -> None:
        async with linked(echo=False) as (far, link):
            loop = asyncio.get_running_loop()
            ends = [await connect(link) for _ in range(4)]
            link.slow(bytes_per_s=20_000)
            begun = loop.time()
            for _, writer in ends:
                writer.write(bytes(2000))
            await until(lambda: len(far.got) == 8000)
            assert loop.time() - begun >= 0.39
            for _, writer in ends:
                writer.close()

    asyncio.run(run())


def test_missing_upstream_ends_the_connection_and_is_counted():
    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            free = taken.getsockname()[1]
        async with Link("127.0.0.1", free) as link:
            reader, writer = await connect(link)
            with pytest.raises(ConnectionResetError):
                await reader.read(1)
            writer.close()
            await until(lambda: link.refused_upstream == 1 and link.connections == 0)

    asyncio.run(run())


def test_leaving_the_context_closes_everything():
    async def run() -> None:
        async with linked() as (far, link):
            reader, writer = await connect(link)
            writer.write(b"x")
            await reader.readexactly(1)
            link.stall()
        assert (link.state, link.connections) == ("closed", 0)
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await connect(link)
        await until(lambda: far.ends != [])

    asyncio.run(run())
