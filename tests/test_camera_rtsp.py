"""A camera over RTSP: the server is GStreamer's, the decoder FFmpeg's."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from cameras import camera, children, failure, watching
from waiting import until

SYSTEM_PYTHON = "/usr/bin/python3"
NEEDS = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer;"
    "Gst.init(None); assert Gst.ElementFactory.find('x264enc') and Gst.ElementFactory.find('rtph264pay')"
)


def _missing():
    try:
        return subprocess.run([SYSTEM_PYTHON, "-c", NEEDS], capture_output=True, check=False).returncode
    except OSError:
        return 1


pytestmark = pytest.mark.skipif(
    bool(_missing()),
    reason="no RTSP server: apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 "
    "gstreamer1.0-plugins-{base,good,bad,ugly}",
)


@contextmanager
def rtsp_server(*arguments):
    script = Path(__file__).with_name("rtsp_server.py")
    process = subprocess.Popen([SYSTEM_PYTHON, script, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        process.port = int(process.stdout.readline())
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
        process.stdout.close()


def url(server, path="stream1"):
    return f"rtsp://127.0.0.1:{server.port}/{path}"


def test_a_stream_is_read_and_probed():
    async def main():
        with rtsp_server() as server:
            async with watching(camera(url(server))) as seen:
                await until(lambda: len(seen.frames) >= 5, 20)
                assert seen.frames[0].image.shape == (360, 640, 3)
                assert "ok" in seen.states
            said = await camera(url(server)).probe()
            assert said.startswith("640x360 at 25 fps, h264, first picture after ")

    asyncio.run(main())


def test_digest_login_works_and_a_wrong_one_is_told():
    async def main():
        with rtsp_server("joe", "s@cret/7:x") as server:
            async with watching(camera(url(server), username="joe", password="s@cret/7:x")) as seen:
                await until(lambda: seen.frames, 20)
            for settings in ({}, {"username": "joe", "password": "wr0ng"}):
                error, seen = await failure(camera(url(server), **settings))
                assert "refused username or password" in str(error)
                assert error.retry is False
                assert "wr0ng" not in str(error) + str(seen.faults)

    asyncio.run(main())


def test_a_wrong_path_port_or_host_is_told():
    async def main():
        with rtsp_server() as server:
            error, _ = await failure(camera(url(server, "nothing")))
            assert "no such stream" in str(error)
            error, _ = await failure(camera(url(server, "sound")))
            assert "the stream has only sound; check the path" in str(error)
            assert error.retry is False
        error, _ = await failure(camera(url(server)))
        assert "connection refused" in str(error)
        error, _ = await failure(camera("rtsp://no-such-camera.invalid/x"))
        assert "name is not known" in str(error)

    asyncio.run(main())


def test_a_frozen_server_is_a_stall_and_its_stale_pictures_are_not_given():
    async def main():
        with rtsp_server() as server:
            async with watching(camera(url(server), read_timeout_s=1.5)) as seen:
                await until(lambda: len(seen.frames) >= 3, 20)
                os.kill(server.pid, signal.SIGSTOP)
                await asyncio.wait({seen.task}, timeout=20)
                error = seen.task.exception()
            assert "no picture for 1.5 s" in str(error)
            assert seen.kinds[-1] == "stall"
            gaps = [(b.at - a.at).total_seconds() for a, b in zip(seen.frames, seen.frames[1:], strict=False)]
            assert max(gaps) < 1.5
            assert not children_but(server)

    asyncio.run(main())


def children_but(server):
    return [pid for pid in children() if pid != server.pid]


def test_a_killed_server_is_told_and_read_again_after_its_return():
    async def main():
        with rtsp_server() as server:
            driver = camera(url(server))
            async with watching(driver) as seen:
                await until(lambda: seen.frames, 20)
                server.kill()
                await asyncio.wait({seen.task}, timeout=20)
                assert "the stream ended" in str(seen.task.exception())
        with rtsp_server("", "", str(server.port)):
            async with watching(driver) as seen:
                await until(lambda: seen.frames, 20)

    asyncio.run(main())


def test_another_codec_is_read_too():
    async def main():
        with rtsp_server() as server:
            said = await camera(url(server, "odd")).probe()
            assert said.startswith("640x360")

    asyncio.run(main())
