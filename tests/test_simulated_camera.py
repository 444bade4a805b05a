"""The simulated camera: what its clients get, what the driver makes of it, and how it fails."""

from __future__ import annotations

import asyncio
import base64
import re
import subprocess
import urllib.request
from contextlib import asynccontextmanager

import cv2
import numpy as np
import pytest
from driving import running
from playing import LAMPPOST
from waiting import until

from lamppost.drivers.api import DriverError, Frame
from lamppost.drivers.camera import Camera as CameraDriver
from lamppost.simulators.camera import CameraError, CameraFault, CameraProcess, CameraSettings
from lamppost.simulators.camera.camera import Camera
from lamppost.simulators.camera.faults import parse

FAST = CameraSettings(fps=20)


class Client:
    """Reads the stream as any client does, without the driver's code."""

    def __init__(self, reader, writer, head):
        self.reader, self.writer, self.head = reader, writer, head

    async def picture(self):
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        data = await self.reader.readexactly(length)
        assert await self.reader.readexactly(2) == b"\r\n"
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


@asynccontextmanager
async def client(camera, *, login=None, path="/stream"):
    reader, writer = await asyncio.open_connection(camera.server.host, camera.server.port)
    try:
        word = base64.b64encode(login.encode()).decode() if login else ""
        more = f"Authorization: Basic {word}\r\n" if login else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: camera\r\n{more}\r\n".encode())
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode()
        yield Client(reader, writer, head)
    finally:
        writer.close()


def run(what):
    asyncio.run(asyncio.wait_for(what, 90))


def test_several_clients_get_the_moving_street_each_at_its_own_pace():
    async def scenario():
        async with Camera(FAST) as camera, client(camera) as one, client(camera) as other:
            assert "200 OK" in one.head
            assert "multipart/x-mixed-replace" in one.head
            camera.scene.traffic.park("van", "hatch", "red", "bus-stop")
            pictures = [await one.picture() for _ in range(20)]
            assert {picture.shape for picture in pictures} == {(360, 640, 3)}
            assert (await other.picture()).shape == (360, 640, 3)
            assert camera.server.clients == 2

    run(scenario())


def test_a_client_that_does_not_read_delays_nobody():
    async def scenario():
        async with Camera(CameraSettings(fps=60)) as camera, client(camera), client(camera) as other:
            for _ in range(120):
                await asyncio.wait_for(other.picture(), 5)

    run(scenario())


def test_who_comes_later_sees_what_is_now_and_not_what_was_drawn_last():
    async def scenario():
        async with Camera(FAST) as camera:
            async with client(camera) as one:
                await one.picture()
            await until(lambda: not camera.server.clients)
            await camera.fail(CameraFault.BLACK)
            async with client(camera) as other:
                assert (await other.picture()).mean() < 5

    run(scenario())


def test_a_snapshot_is_one_picture():
    async def scenario():
        async with Camera(FAST) as camera, client(camera, path="/snapshot.jpg") as one:
            assert "image/jpeg" in one.head
            data = await one.reader.read()
            assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (360, 640, 3)

    run(scenario())


def test_only_who_knows_the_password_may_look():
    async def scenario():
        settings = CameraSettings(fps=20, username="admin", password="secret")
        async with Camera(settings) as camera:
            for login in (None, "admin:wrong"):
                async with client(camera, login=login) as one:
                    assert "401 Unauthorized" in one.head
                    assert "WWW-Authenticate: Basic" in one.head
            async with client(camera, login="admin:secret") as one:
                assert (await one.picture()).shape == (360, 640, 3)

    run(scenario())


def test_faults_of_the_picture_are_seen_and_end():
    async def scenario():
        async with Camera(FAST) as camera, client(camera) as one:

            async def after(*words):
                await camera.mend()
                await camera.fail(*parse(list(words)))
                for _ in range(4):  # what was on its way
                    picture = await one.picture()
                return picture.astype(float)

            await camera.mend()
            plain = (await one.picture()).astype(float)
            assert (await after("black")).mean() < 5
            assert (await after("blinded")).mean() > 245
            blurred = await after("blurred", "6")
            assert np.abs(np.diff(blurred, axis=1)).mean() < 0.4 * np.abs(np.diff(plain, axis=1)).mean()
            moved = await after("moved", "12")
            assert np.abs(moved[6:, 12:] - plain[:-6, :-12]).mean() < np.abs(moved - plain).mean() / 2
            shaken = await after("shake", "6")
            assert np.abs(shaken - await one.picture()).mean() > 5
            frozen = await after("frozen")
            assert (frozen == await one.picture()).all()
            await camera.mend()
            await one.picture()
            assert not (await one.picture() == await one.picture()).all()

    run(scenario())


def test_faults_of_the_connection():
    async def scenario():
        async with Camera(FAST) as camera:
            async with client(camera) as one:
                await one.picture()
                await camera.fail(CameraFault.STALL)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(_on_and_on(one), 1.0)
                await camera.mend()
            async with client(camera) as one:
                await one.picture()
                await camera.fail(CameraFault.CLOSE)
                with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                    await _on_and_on(one)
                with pytest.raises(ConnectionRefusedError):
                    await asyncio.open_connection(camera.server.host, camera.server.port)
                await camera.mend()
            await camera.fail(CameraFault.WRONG_TYPE)
            async with client(camera) as one:
                assert "text/html" in one.head
            await camera.mend()
            await camera.fail(CameraFault.REFUSE)
            async with client(camera) as one:
                assert "401" in one.head
            await camera.mend()
            async with client(camera) as one:
                assert (await one.picture()).shape == (360, 640, 3)

    run(scenario())


def test_the_camera_driver_reads_it_and_is_told_of_a_stall(tmp_path):
    async def scenario():
        async with CameraProcess(CameraSettings(fps=10), tmp_path / "log") as camera:
            driver = CameraDriver(name="kerb", source=camera.url, fps=5, read_timeout_s=1.0)
            async with running(driver) as emitted:
                await until(lambda: len(_frames(emitted)) >= 5 or emitted.task.done(), 40, "pictures")
                assert {frame.image.shape for frame in _frames(emitted)} == {(360, 640, 3)}
                await camera.tell("fault stall")
                await until(emitted.task.done, 20, "an end")
                assert isinstance(emitted.task.exception(), DriverError)

    run(scenario())


async def _on_and_on(one):
    while True:
        await one.picture()


def _frames(emitted):
    return [sample for poll in emitted.polls for sample in poll if isinstance(sample, Frame)]


def test_the_process_does_what_it_is_told_and_says_what_it_cannot(tmp_path):
    async def scenario():
        async with CameraProcess(CameraSettings(), tmp_path / "log") as camera:
            assert await camera.tell("park", "car", "hatch", "red", "bay-1", "now") == "stands"
            assert (await camera.tell("zone", "bus-stop")).startswith("zones.bus-stop = [[0.")
            with pytest.raises(CameraError, match="no place 'moon'"):
                await camera.tell("park", "van", "van", "red", "moon")
            with pytest.raises(CameraError, match="unknown fault 'fire'"):
                await camera.tell("fault", "fire")
            with pytest.raises(CameraError, match="water goes from 0 to 300 mm"):
                await camera.tell("water", 900)
            assert await camera.tell("leave", "car") == "leaves"

    run(scenario())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "name one of: stall"),
        (["fire"], "unknown fault 'fire'; there are: stall"),
        (["black", "3"], "black takes no number"),
        (["moved", "900"], "up to 200, found 900"),
    ],
)
def test_a_fault_that_is_none_is_told(words, says):
    with pytest.raises(ValueError, match=says):
        parse(words)


def test_by_hand_it_serves_takes_commands_and_ends(tmp_path):
    process = subprocess.Popen(
        [*LAMPPOST, "simulate", "camera", "--port", "0", "--fps", "20", "--fault", "shake 2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("serving ").strip()
        with urllib.request.urlopen(url.replace("/stream", "/snapshot.jpg"), timeout=20) as answer:
            assert answer.read(2) == b"\xff\xd8"
        process.stdin.write("park a van red moon\npark a van red bus-stop now\nhelp\nquit\n")
        process.stdin.flush()
        out, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert "no place 'moon'; there are: bus-stop" in out
    assert "stands\n" in out
    assert "faults: stall, close" in out
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--view", "moon"], "view: Input should be 'kerb' or 'stop'"),
        (["--water", "900"], "water_mm: Input should be less than or equal to 300"),
        (["--fault", "fire"], "unknown fault 'fire'"),
    ],
)
def test_by_hand_a_wrong_option_is_told(arguments, says):
    done = subprocess.run(
        [*LAMPPOST, "simulate", "camera", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert says in " ".join(re.sub(r"[│\s]+", " ", done.stderr).split())
