"""Recordings: on their own time, and told by the second where they break."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from cameras import camera, failure, number_of, picture, watching, write_video
from waiting import until

from lamppost.drivers.camera.recording import RecordingError, open_recording

SHARED = Path(__file__).parent.parent.parent / "shared"
FRAMES = 60


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / "v.mp4", (picture(n % 32) for n in range(FRAMES)))


def test_pictures_come_in_order_on_the_time_of_the_file(video):
    times, numbers = [], []
    for at_s, image in open_recording(video):
        times.append(at_s)
        numbers.append(number_of(image))
    assert times == pytest.approx([n / 10 for n in range(FRAMES)])
    assert numbers == [n % 32 for n in range(FRAMES)]


GST = pytest.mark.skipif(shutil.which("gst-launch-1.0") is None, reason="apt-get install gstreamer1.0-tools")


def gst(tmp_path, name, *words):
    path = tmp_path / name
    command = ["gst-launch-1.0", "-q", *" ".join(words).split(), "!", "filesink", f"location={path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not path.stat().st_size:
        pytest.skip(f"GStreamer cannot make the clip: {done.stderr[:200]}")
    return path


@GST
def test_a_file_that_begins_later_begins_later_here(tmp_path):
    # 1.5 s is what ffprobe shows as start_time and as pts_time of the first picture.
    path = gst(
        tmp_path,
        "late.mkv",
        "videotestsrc num-buffers=40 timestamp-offset=1500000000",
        "! video/x-raw,width=320,height=180,framerate=10/1",
        "! x264enc tune=zerolatency key-int-max=10 ! matroskamux offset-to-zero=false",
    )
    times = [at_s for at_s, _ in open_recording(path)]
    assert times[0] == pytest.approx(1.5, abs=0.051)
    assert times[-1] - times[0] == pytest.approx(3.9, abs=0.01)


@GST
def test_a_changing_rate_is_kept(tmp_path):
    path = gst(
        tmp_path,
        "uneven.mkv",
        "videotestsrc num-buffers=30 ! video/x-raw,width=320,height=180,framerate=10/1",
        "! identity drop-probability=0.4 ! x264enc tune=zerolatency ! matroskamux",
    )
    steps = [at_s for at_s, _ in open_recording(path, on_break=lambda _error: None)]
    gaps = {round(b - a, 2) for a, b in pairwise(steps)}
    assert gaps <= {round(n / 10, 2) for n in range(1, 30)}
    assert len(gaps) > 1


def test_what_is_no_recording_is_told_at_once(tmp_path):
    with pytest.raises(RecordingError, match="there is no such file"):
        open_recording(tmp_path / "gone.mp4")
    (tmp_path / "text.mp4").write_text("no video " * 1000)
    with pytest.raises(RecordingError, match="not a video"):
        open_recording(tmp_path / "text.mp4")


def test_a_recording_that_was_cut_off_says_at_which_second(tmp_path):
    whole = write_video(tmp_path / "v.avi", (picture(n % 32) for n in range(FRAMES)), code="MJPG")
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    seen = []
    with pytest.raises(RecordingError, match=r"ends at (2\.[5-9]|3\.[01]) s, 3 s before it should") as caught:
        seen.extend(at_s for at_s, _ in open_recording(whole))
    assert caught.value.at_s == pytest.approx(seen[-1])
    assert 2.4 < seen[-1] < 3.2


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared clips are not here")
def test_damage_in_the_middle_is_told_and_can_be_passed(tmp_path):
    clip = SHARED / "clips" / "real_street_parked.mp4"
    data = bytearray(clip.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 20] = bytes(len(data) // 20)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    with pytest.raises(RecordingError) as caught:
        list(open_recording(broken))
    assert 35 < caught.value.at_s < 45
    assert "damaged at 4" in str(caught.value)
    breaks = []
    times = [at_s for at_s, _ in open_recording(broken, on_break=breaks.append)]
    assert [error.at_s for error in breaks] == [caught.value.at_s]
    assert times[-1] == pytest.approx(75.0, abs=0.2)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared clips are not here")
def test_real_clips_end_where_their_truth_says():
    for truth in sorted((SHARED / "clips").glob("*.truth.json")):
        said = json.loads(truth.read_text())
        newest = 0.0
        for at_s, _ in open_recording(truth.with_name(said["clip"])):
            newest = at_s
        end_s = said.get("container_duration_s")
        assert end_s is None or newest == pytest.approx(end_s, abs=0.3), truth.name


def test_a_camera_plays_a_recording_at_its_own_pace(video):
    async def main():
        async with watching(camera(video, fps=5.0)) as seen:
            await until(lambda: len(seen.frames) >= 8)
            frames = seen.frames
        lasted_s = (frames[-1].at - frames[0].at).total_seconds()
        shown_s = ((number_of(frames[-1].image) - number_of(frames[0].image)) % 32) / 10
        assert abs(lasted_s - shown_s) < 0.25
        assert len(frames) >= 8

    asyncio.run(main())


def test_as_fast_as_possible_gives_each_wanted_picture_once(video):
    async def main():
        error, seen = await failure(camera(video, fps=5.0, realtime=False))
        assert "end of the recording" in str(error)
        assert error.retry is False
        assert seen.kinds == ["end"]
        assert [number_of(frame.image) for frame in seen.frames] == [n % 32 for n in range(0, FRAMES, 2)]

    asyncio.run(main())


def test_a_loop_begins_anew(video):
    async def main():
        async with watching(camera(video, fps=10.0, realtime=False, loop=True)) as seen:
            await until(lambda: len(seen.frames) > 2 * FRAMES)
            numbers = [number_of(frame.image) for frame in seen.frames[: 2 * FRAMES]]
        assert numbers == [n % 32 for n in range(FRAMES)] * 2

    asyncio.run(main())


FILES = [
    ("gone.mp4", "there is no ", True),
    ("text.mp4", "not a video", False),
    ("folder", "directory", False),
]


@pytest.mark.parametrize(("name", "words", "retry"), FILES)
def test_a_file_that_cannot_be_read_is_told(tmp_path, name, words, retry):
    (tmp_path / "text.mp4").write_text("no video " * 1000)
    (tmp_path / "folder").mkdir()

    async def main():
        error, _ = await failure(camera(tmp_path / name))
        assert words in str(error)
        assert str(tmp_path / name) in str(error)
        assert error.retry is retry

    asyncio.run(main())
