"""Cameras: at USB, by ONVIF WS-Discovery, and by the paths that makers use. Only asks, never logs in."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from lamppost.provisioning.scan.found import Found, Progress

#: Where makers put the main stream: Hikvision, Dahua, ONVIF's reference, Axis, Uniview, and many others.
PATHS = (
    "/Streaming/Channels/101", "/cam/realmonitor?channel=1&subtype=0", "/stream1", "/onvif1", "/live",
    "/axis-media/media.amp", "/media/video1", "/h264/ch1/main/av_stream", "/live/ch00_0", "/11", "/",
)  # fmt: skip
RTSP_PORT, ANSWER_S = 554, 2.0
#: WS-Discovery 1.1, section 2.4; ONVIF Core, section 7.3.
DISCOVERY = ("239.255.255.250", 3702)
DISCOVERY_S = 2.5
PROBE = """<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">
<e:Header><w:MessageID>uuid:{id}</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>
<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>
<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"""
_ADDRESSES = re.compile(r"<(?:\w+:)?XAddrs>([^<]*)<")
_SCOPES = re.compile(r"onvif://www\.onvif\.org/(name|hardware)/([^\s<]+)")


def usb_cameras(dev: Path = Path("/dev")) -> list[Found]:
    """Return the cameras at USB, by their stable names where they have one."""
    named = sorted((dev / "v4l/by-id").glob("*-index0")) if (dev / "v4l/by-id").is_dir() else []
    known = {str(link.resolve()) for link in named}
    nodes = [node for node in sorted(dev.glob("video[0-9]*")) if str(node.resolve()) not in known]
    found = []
    for nth, path in enumerate([*named, *([] if named else nodes[:1])]):
        settings = {"driver": "camera", "source": f"v4l2:{path}"}
        found.append(Found(str(path), f"usb-cam-{nth + 1}", settings, "a camera at USB", sure=True))
    return found


async def discover(within_s: float = DISCOVERY_S, to: tuple[str, int] = DISCOVERY) -> dict[str, str]:
    """Return hosts that answer as ONVIF cameras, with what they say they are."""
    hosts: dict[str, str] = {}

    class Answers(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
            text = data.decode("utf-8", "replace")
            addresses = [urlsplit(one).hostname for one in " ".join(_ADDRESSES.findall(text)).split()]
            says = " ".join(value for _, value in _SCOPES.findall(text))
            if addresses:
                # A camera behind several networks names several; who answered can be reached.
                host = str(addr[0]) if str(addr[0]) in addresses or not addresses[0] else addresses[0]
                hosts.setdefault(host, says)

    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):  # a box without a network has no cameras in it
        transport, _ = await loop.create_datagram_endpoint(Answers, family=socket.AF_INET)
        try:
            transport.sendto(PROBE.format(id=uuid.uuid4()).encode(), to)
            await asyncio.sleep(within_s)
        finally:
            transport.close()
    return hosts


async def scan_cameras(
    hosts: Sequence[str], *, progress: Progress = lambda _text, _done: None
) -> AsyncIterator[Found]:
    """Ask each host (``HOST`` or ``HOST:PORT``) for the streams that makers have."""
    for nth, text in enumerate(hosts):
        host, _, port = text.partition(":")
        progress(f"camera {text}", nth / len(hosts))
        found = await _stream(host, int(port or RTSP_PORT))
        if found is not None:
            yield found


async def _stream(host: str, port: int) -> Found | None:
    """Return the first path that has a video; a camera that wants a login is found, but not complete."""
    place = host if port == RTSP_PORT else f"{host}:{port}"
    name = f"cam-{host.rpartition('.')[2]}"
    asks = False
    for path in PATHS:
        url = f"rtsp://{place}{path}"
        code, has_video = await _described(url, host, port)
        if code is None:
            return None
        if code == 200 and has_video:
            return Found(
                url, name, {"driver": "camera", "source": url}, "has a video without a login", sure=True
            )
        asks |= code == 401
    if not asks:
        return None
    words = "wants a login: add it with --source, --set username=... and --set password='\"file:...\"'"
    return Found(f"rtsp://{place}", name, {"driver": "camera"}, words, sure=False)


async def _described(url: str, host: str, port: int) -> tuple[int | None, bool]:
    """Return the status of a DESCRIBE (RFC 2326) and whether there is a video; None if nobody speaks RTSP."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(
                    f"DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n".encode()
                )
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = re.search(r"^content-length:\s*(\d{1,5})", head, re.IGNORECASE | re.MULTILINE)
                body = await reader.readexactly(int(length[1])) if length else b""
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None, False
    status = re.match(r"RTSP/\d\.\d (\d{3})", head)
    return (int(status[1]) if status else None), b"m=video" in body
