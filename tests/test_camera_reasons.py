"""Why a camera cannot be read: each cause in words of its own, the same for RTSP and HTTP."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager

import pytest
from cameras import camera, failure, mjpeg_server

from lamppost.drivers.camera.rtsp import judge

SDP = "v=0\r\ns=x\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 X-ODD/90000\r\na=control:trackID=0\r\n"
HEAD = "RTSP/1.0 200 OK\r\nCSeq: 1\r\n"


@asynccontextmanager
async def answering(text):
    """A server that says the same to everybody: None nothing at all, "" good-bye."""
    writers = []

    async def serve(reader, writer):
        writers.append(writer)
        if text is None:
            await reader.read()
        elif text:
            while line := await reader.readline():
                if line == b"\r\n":
                    writer.write(text.encode())
                    if not text.startswith("RTSP/"):
                        break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


REFUSED = "connection refused; is the camera on, and the port right?"
UNKNOWN = "the host's name is not known; check the name and the DNS"


@pytest.mark.parametrize("scheme", ["http", "https", "rtsp"])
@pytest.mark.parametrize(("host", "words"), [("127.0.0.1:9", REFUSED), ("no-such-camera.invalid", UNKNOWN)])
def test_a_wrong_host_or_port_is_told_alike(scheme, host, words):
    async def main():
        error, _ = await failure(camera(f"{scheme}://{host}/x"))
        assert str(error) == f"{scheme}://{host}/x: {words}"
        assert error.retry

    asyncio.run(main())


@pytest.mark.parametrize(
    ("scheme", "text", "words"),
    [
        ("rtsp", None, "the camera does not answer"),
        ("http", None, "the camera does not answer"),
        ("rtsp", "", "the camera closed the connection"),
        ("http", "", "the camera closed the connection"),
        ("rtsp", "HTTP/1.1 400 Bad Request\r\n\r\n", "the port speaks HTTP, not RTSP; check the port"),
        ("rtsp", "220 smtp.example\r\n", "the port speaks something else, not RTSP; check the port"),
        ("http", "220 smtp.example\r\n\r\n", "the camera does not speak HTTP"),
        (
            "rtsp",
            f"{HEAD}Content-Length: {len(SDP)}\r\n\r\n{SDP}",
            "the codec cannot be decoded here (X-ODD)",
        ),
    ],
)
def test_a_port_that_serves_no_video_is_told(scheme, text, words):
    async def main():
        async with answering(text) as port:
            error, _ = await failure(camera(f"{scheme}://127.0.0.1:{port}/x", open_timeout_s=2.0))
        assert words in str(error)

    asyncio.run(main())


def test_rtsp_asked_of_a_web_server_is_told():
    async def main():
        async with mjpeg_server() as server:
            error, _ = await failure(camera(server.url.replace("http", "rtsp")))
            assert "the port speaks HTTP, not RTSP; check the port" in str(error)
            assert error.retry is False

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (f"{HEAD}\r\nv=0\r\nm=audio 0 RTP/AVP 8\r\n", "only sound"),
        (f"{HEAD}\r\nv=0\r\n", "no video"),
        (f"{HEAD}\r\nv=0\r\nm=video 0 RTP/AVP 26\r\n", None),
        ("RTSP/1.0 401 Unauthorized\r\n\r\n", None),
    ],
)
def test_a_description_is_judged(answer, words):
    reason = judge(answer)
    assert (reason is None) if words is None else (reason and words in reason.words)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("rtsp://127.0.0.1:9/x", REFUSED),
        ("HTTP://127.0.0.1:9/x", REFUSED),
        ("/dev/video97", "there is no /dev/video97; is the camera plugged in?"),
        ("/nowhere/street.mp4", "there is no /nowhere/street.mp4; was it moved?"),
    ],
)
def test_a_camera_that_stays_away_costs_no_process(source, words, monkeypatch):
    async def main():
        driver = camera(source)
        first, _ = await failure(driver)
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        again, _ = await failure(driver)
        assert words in str(first)
        assert str(again) == str(first)

    asyncio.run(main())
