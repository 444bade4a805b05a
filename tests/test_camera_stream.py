"""A camera over a network that fails: what is seen, what is said, and that nothing stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from itertools import pairwise
from pathlib import Path

import pytest
from cameras import (
    alive,
    camera,
    children,
    descriptors,
    failure,
    mjpeg_server,
    number_of,
    picture,
    watching,
    write_video,
)
from waiting import until, until_sync

from lamppost.drivers.api import DriverError


def test_frames_are_bgr_with_aware_time_and_rising_seq():
    async def main():
        async with mjpeg_server() as server, watching(camera(server.url)) as seen:
            await until(lambda: len(seen.frames) >= 5)
            frames = seen.frames[:5]
        for frame in frames:
            assert (frame.device, frame.image.shape, str(frame.image.dtype)) == (
                "cam",
                (180, 320, 3),
                "uint8",
            )
            assert frame.at.utcoffset().total_seconds() == 0
        assert [f.seq for f in frames] == sorted({f.seq for f in frames})
        assert [f.at for f in frames] == sorted({f.at for f in frames})
        assert len({number_of(f.image) for f in frames}) == 5

    asyncio.run(main())


def test_a_slow_looker_gets_the_newest_picture_and_no_queue():
    async def main():
        async with mjpeg_server(fps=30.0) as server, watching(camera(server.url, fps=2.0)) as seen:
            await until(lambda: len(seen.frames) >= 4, 15)
            behind = [(server.sent - 1 - number_of(seen.frames[-1].image)) % 32]
            await until(lambda: len(seen.frames) >= 5)
            behind.append((server.sent - 1 - number_of(seen.frames[-1].image)) % 32)
            frames = seen.frames
        assert max(behind) <= 3
        for one, two in pairwise(frames[1:]):
            assert two.seq - one.seq >= 8  # 15 pictures went by; on a loaded box a few less

    asyncio.run(main())


def test_a_frame_that_was_given_stays_as_it_was():
    async def main():
        async with mjpeg_server() as server, watching(camera(server.url)) as seen:
            await until(lambda: seen.frames)
            first = seen.frames[0].image
            before = first.copy()
            await until(lambda: len(seen.frames) >= 8)
        assert (first == before).all()

    asyncio.run(main())


def test_pictures_without_content_length_are_found_too():
    async def main():
        async with mjpeg_server(lengths=False) as server, watching(camera(server.url)) as seen:
            await until(lambda: len(seen.frames) >= 3)
            assert not seen.faults

    asyncio.run(main())


def test_an_address_that_gives_one_picture_is_asked_at_the_wanted_rate():
    async def main():
        async with mjpeg_server(mode="snapshot") as server, watching(camera(server.url)) as seen:
            await until(lambda: len(seen.frames) >= 4)
            assert abs(server.requests - len(seen.frames)) <= 2

    asyncio.run(main())


def test_large_pictures_are_scaled_down_and_keep_their_aspect():
    async def main():
        async with (
            mjpeg_server() as server,
            watching(camera(server.url, width=100)) as narrow,
            watching(camera(server.url, height=90)) as low,
        ):
            await until(lambda: narrow.frames and low.frames)
            assert narrow.frames[0].image.shape == (56, 100, 3)
            assert low.frames[0].image.shape == (90, 160, 3)

    asyncio.run(main())


FAULTS = [
    ("stall", "stall", "no picture for 1 s"),
    ("close", "end", "ended the stream"),
    ("huge", "corrupt", "a picture of 2861 MB"),
    ("garbage", "corrupt", "for 1 s no picture could be decoded"),
]


@pytest.mark.parametrize(("mode", "kind", "words"), FAULTS)
def test_a_stream_that_fails_is_told_in_words_and_leaves_nothing_behind(mode, kind, words):
    async def main():
        async with mjpeg_server() as server:
            async with watching(camera(server.url)) as seen:
                await until(lambda: seen.frames)
                server.mode = mode
                await asyncio.wait({seen.task}, timeout=20)
                error = seen.task.exception()
            assert isinstance(error, DriverError)
            assert words in str(error)
            assert server.url in str(error)
            assert error.retry
            assert seen.kinds[-1] == kind
        assert not children()

    asyncio.run(main())


@pytest.mark.parametrize("mode", ["garbage", "cut"])
def test_a_few_damaged_pictures_are_counted_and_survived(mode):
    async def main():
        async with mjpeg_server() as server, watching(camera(server.url)) as seen:
            await until(lambda: seen.frames)
            server.mode = mode
            await until(lambda: seen.faults)
            server.mode = "ok"
            count = len(seen.frames)
            await until(lambda: len(seen.frames) > count + 2)
            assert set(seen.kinds) == {"corrupt"}

    asyncio.run(main())


REFUSALS = [
    ({"mode": "missing"}, "no such stream", True),
    ({"mode": "html"}, "not a video", False),
    ({"login": "joe:right"}, "refused username or password", False),
    ({"head": "multipart/x-mixed-replace"}, "names no boundary", True),
    ({"mode": "silent"}, "does not answer", True),
]


@pytest.mark.parametrize(("server_settings", "words", "retry"), REFUSALS)
def test_a_camera_that_refuses_is_told_in_words(server_settings, words, retry):
    async def main():
        async with mjpeg_server(**server_settings) as server:
            source = server.url.replace("//", "//joe:wr0ng@")
            driver = camera(source)
            error, _ = await failure(driver)
            assert words in str(error)
            assert error.retry is retry
            assert "wr0ng" not in str(error) + repr(driver)
            with pytest.raises(DriverError, match=words):
                await driver.probe()

    asyncio.run(main())


def test_the_right_password_opens_and_shows_nowhere():
    async def main():
        async with mjpeg_server(login="joe:s@cret/7") as server:
            driver = camera(server.url, username="joe", password="s@cret/7")
            async with watching(driver) as seen:
                await until(lambda: seen.frames)
                (child,) = children()
                shown = (
                    Path(f"/proc/{child}/cmdline").read_bytes() + Path(f"/proc/{child}/environ").read_bytes()
                )
            shown = shown.decode() + repr(driver) + str(driver) + str(driver.model_dump()) + str(seen.faults)
            assert "s@cret" not in shown
            assert "s%40cret" not in shown

    asyncio.run(main())


def test_probe_says_size_rate_codec_and_time():
    async def main():
        async with mjpeg_server(fps=20.0) as server:
            said = await camera(server.url).probe()
        size, rate = said.split(", ")[0].split(" at ")
        assert size == "320x180"
        assert 10 < float(rate.removesuffix(" fps")) < 25
        assert "jpeg, first picture after " in said

    asyncio.run(main())


def test_a_held_picture_becomes_a_reading_and_goes_again():
    async def main():
        async with mjpeg_server() as server, watching(camera(server.url, frozen_s=0.5)) as seen:
            pictures, server.pictures = server.pictures, server.pictures[:1]
            await until(lambda: "frozen" in seen.states)
            assert "frozen: the same picture for " in dict(seen.faults)["frozen"]
            server.pictures = pictures
            await until(lambda: seen.states[-1] == "ok")
            assert seen.states[0] == "ok"

    asyncio.run(main())


def test_what_was_learnt_is_given_to_the_next_reader():
    async def main():
        async with mjpeg_server() as server:
            driver = camera(server.url, frozen_s=0.5)
            server.pictures = server.pictures[:1]
            async with watching(driver) as seen:
                await until(lambda: "frozen" in seen.states)
                await until(driver.remember)
            async with watching(driver) as seen:
                await until(lambda: seen.states)
                assert seen.states[0] == "frozen"

    asyncio.run(main())


def test_a_reader_that_hangs_is_killed_and_told_as_a_stall():
    async def main():
        async with mjpeg_server() as server:
            async with watching(camera(server.url)) as seen:
                await until(lambda: seen.frames)
                (child,) = children()
                os.kill(child, signal.SIGSTOP)
                await asyncio.wait({seen.task}, timeout=20)
                assert "no picture for 1 s" in str(seen.task.exception())
            assert not alive(child)
            assert not children()
            async with watching(camera(server.url)) as seen:
                await until(lambda: seen.frames)

    asyncio.run(main())


def test_a_reader_that_crashes_is_told():
    async def main():
        async with mjpeg_server() as server, watching(camera(server.url)) as seen:
            await until(lambda: seen.frames)
            os.kill(children()[0], signal.SIGSEGV)
            await asyncio.wait({seen.task}, timeout=20)
            assert "the reading process died" in str(seen.task.exception())

    asyncio.run(main())


@pytest.mark.parametrize("stopped", [False, True])
def test_the_reader_dies_with_an_agent_that_is_killed(stopped, tmp_path):
    agent = textwrap.dedent(
        """
        import asyncio, sys
        from lamppost.drivers.camera import Camera

        def emit(*samples):
            print("frame", flush=True)

        emit.fault = print
        asyncio.run(Camera(name="cam", source=sys.argv[1], fps=20.0, loop=True).run(emit))
        """
    )
    video = write_video(tmp_path / "v.mp4", (picture(n) for n in range(30)))
    process = subprocess.Popen([sys.executable, "-c", agent, str(video)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "frame\n"
        (child,) = children(process.pid)
        if stopped:
            os.kill(child, signal.SIGSTOP)
        process.kill()
        process.wait()
        until_sync(lambda: not alive(child), what="the reader gone")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def _fault_after_fault(times):
    faults = ["stall", "close", "garbage", "huge", "stop", "kill", "cancel"]
    async with mjpeg_server() as server:
        for number in range(times):
            server.mode = "ok"
            async with watching(camera(server.url, read_timeout_s=0.3)) as seen:
                await until(lambda seen=seen: seen.frames)
                fault = faults[number % len(faults)]
                if fault in {"stop", "kill"}:
                    os.kill(children()[0], signal.SIGSTOP if fault == "stop" else signal.SIGKILL)
                elif fault != "cancel":
                    server.mode = fault
                if fault != "cancel":
                    await asyncio.wait({seen.task}, timeout=20)
                    assert isinstance(seen.task.exception(), DriverError)
            assert not children()


@pytest.mark.parametrize("times", [7, pytest.param(105, marks=pytest.mark.soak)])
def test_faults_leak_no_process_no_descriptor_and_no_memory(times):
    async def main():
        await _fault_after_fault(1)
        before = descriptors()
        shared = len(list(Path("/dev/shm").iterdir()))
        await _fault_after_fault(times)
        assert descriptors() == before
        assert len(list(Path("/dev/shm").iterdir())) == shared

    asyncio.run(main())
