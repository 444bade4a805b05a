"""Devices and pipelines: V4L2 as far as a box without a camera goes, GStreamer for real."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal

import pytest
from cameras import alive, camera, children, failure, watching
from waiting import until

GST = pytest.mark.skipif(shutil.which("gst-launch-1.0") is None, reason="apt-get install gstreamer1.0-tools")
BALL = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=25/1"


@pytest.mark.parametrize(
    ("source", "words", "retry"),
    [
        ("/dev/video97", "there is no /dev/video97; is the camera plugged in?", True),
        ("v4l2:/dev/null", "cannot be opened", True),
        ("v4l2:/etc/hostname", "is no video device", False),
    ],
)
def test_a_device_that_is_no_camera_is_told(source, words, retry):
    async def main():
        error, _ = await failure(camera(source))
        assert words in str(error)
        assert error.retry is retry

    asyncio.run(main())


@GST
def test_a_pipeline_gives_pictures_and_goes_with_the_camera():
    async def main():
        async with watching(camera(f"gst:{BALL}", fps=5.0)) as seen:
            await until(lambda: len(seen.frames) >= 3)
            (reader,) = children()
            (pipeline,) = children(reader)
            assert seen.frames[0].image.shape == (360, 640, 3)
            assert seen.frames[0].image.max() > 200
        assert not alive(reader)
        await until(lambda: not alive(pipeline))

    asyncio.run(main())


@GST
def test_a_pipeline_dies_with_a_reader_that_is_killed():
    async def main():
        async with watching(camera(f"gst:{BALL}")) as seen:
            await until(lambda: seen.frames)
            (reader,) = children()
            (pipeline,) = children(reader)
            os.kill(reader, signal.SIGKILL)
            await until(lambda: not alive(pipeline))

    asyncio.run(main())


@GST
def test_a_pipeline_that_hangs_is_a_stall():
    async def main():
        async with watching(camera(f"gst:{BALL}")) as seen:
            await until(lambda: seen.frames)
            (pipeline,) = children(children()[0])
            os.kill(pipeline, signal.SIGSTOP)
            await asyncio.wait({seen.task}, timeout=20)
            assert "no picture for 1 s" in str(seen.task.exception())
        await until(lambda: not alive(pipeline))

    asyncio.run(main())


@GST
@pytest.mark.parametrize(
    ("pipeline", "words", "retry"),
    [
        ("nosuchelement ! videoconvert", "no element nosuchelement", False),
        ("videotestsrc num-buffers=30", "the pipeline ended", True),
        ("audiotestsrc", "could not link", False),
        ("filesrc location=/nowhere/x.mp4 ! decodebin", "/nowhere/x.mp4", True),
    ],
)
def test_a_pipeline_that_fails_is_told(pipeline, words, retry):
    async def main():
        error, _ = await failure(camera(f"gst:{pipeline}"))
        assert words in str(error)
        assert error.retry is retry

    asyncio.run(main())
