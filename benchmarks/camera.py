"""One 640x360 camera at 25 pictures/s, looked at twice a second: CPU share and memory of the real agent.

python benchmarks/camera.py [--seconds S] [--source mjpeg|rtsp|file ...]

The agent runs in its process with a parking, a counting and a loitering rule and a hub on mosquitto; its
capture child is counted in. Bare: one process that grabs every picture of the same stream with OpenCV,
decodes two a second, letterboxes and runs them. RTSP and the H.264 file need GStreamer.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
from parts import TICKS, agent, mosquitto, wait_for

CLIP = Path(__file__).parents[2] / "shared" / "clips" / "comp_street_clean.mp4"
RTSP_SERVER = Path(__file__).with_name("rtsp_file.py")
SYSTEM_PYTHON = "/usr/bin/python3"
FPS, LOOKS_PER_S = 25, 2
WANTED_SHARE, WANTED_MB = 0.08, 180
WARM_UP_S = 8.0

BARE = """
import sys, time
import cv2
sys.path.insert(0, sys.argv[1])
from detector import bare, bare_session
from lamppost.models.manifest import find_manifest
cv2.setNumThreads(1)
look = bare(bare_session(find_manifest("nanodet-g").model_path))
stream = cv2.VideoCapture(sys.argv[2], cv2.CAP_FFMPEG)
due = time.monotonic()
while stream.grab():
    if time.monotonic() >= due:
        due = max(due + 0.5, time.monotonic() - 0.5)
        look(stream.retrieve()[1])
"""


def jpegs(path: Path) -> list[bytes]:
    clip = cv2.VideoCapture(str(path))
    pictures = []
    while len(pictures) < 500:
        found, picture = clip.read()
        if not found:
            break
        pictures.append(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    return pictures


class Handler(BaseHTTPRequestHandler):
    """An MJPEG camera as most of them are: one part a picture, with its length."""

    pictures: list[bytes]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        begun = time.monotonic()
        with suppress(OSError):
            for number in range(1 << 30):
                data = self.pictures[number % len(self.pictures)]
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")
                time.sleep(max(0.0, begun + (number + 1) / FPS - time.monotonic()))

    def log_message(self, *_: object) -> None:
        pass


def serve(clip: Path) -> None:
    Handler.pictures = jpegs(clip)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}/video", flush=True)
    server.serve_forever()


@contextmanager
def running(command: list[str]) -> Iterator[str]:
    """Run a server; give the line it prints."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def encoded(folder: Path) -> Path:
    """Make an H.264 file of 25 pictures a second: the clip's own pictures, faster."""
    path = folder / "street.mp4"
    chain = (
        f"filesrc location={CLIP} ! decodebin ! videoconvert ! videorate rate=2.5 ! "
        f"video/x-raw,framerate={FPS}/1 ! x264enc speed-preset=fast key-int-max=50 bitrate=1500 ! "
        f"h264parse ! mp4mux ! filesink location={path}"
    )
    subprocess.run(["gst-launch-1.0", "-q", "-e", *chain.split()], check=True)
    return path


@contextmanager
def source(kind: str, folder: Path) -> Iterator[str]:
    if kind == "mjpeg":
        with running([sys.executable, __file__, "--serve"]) as url:
            yield url
    elif kind == "rtsp":
        with running([SYSTEM_PYTHON, str(RTSP_SERVER), str(encoded(folder))]) as port:
            yield f"rtsp://127.0.0.1:{port}/video"
    else:
        yield str(encoded(folder))


WATCHED = """
loop = true
lines.gate = [[0.3, 1.0], [0.6, 0.2]]
[rules.kerb]
kind = "parking"
camera = "kerb-cam"
zone = "street"
dwell_s = 60
[rules.gate]
kind = "counting"
camera = "kerb-cam"
line = "gate"
[rules.people]
kind = "loitering"
camera = "kerb-cam"
zone = "street"
dwell_s = 60
"""


def configuration(folder: Path, url: str, hub: int, looks_per_s: float, watched: str) -> Path:
    """Write a configuration with one camera; ``watched`` goes on in its table, and has the rules."""
    path = folder / "lamppost.toml"
    path.write_text(f"""
[node]
id = "box"
site = "bench"
run_dir = "{folder}/run"
state_dir = "{folder}/state"
[hub]
url = "mqtt://127.0.0.1:{hub}"
[devices.kerb-cam]
driver = "camera"
source = "{url}"
fps = {looks_per_s}
zones.street = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
{watched}
""")
    return path


def family(pid: int) -> list[int]:
    """Return a process and all that it has started."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int) -> tuple[float, float]:
    """Return the resident memory, and what of it is the process's own share (PSS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return kib["Rss"] * 1024 / 1e6, kib["Pss"] * 1024 / 1e6


def share(pids: list[int], seconds: float) -> list[float]:
    """Return the share of a core that each process takes over some seconds."""
    before, begun = [cpu_s(pid) for pid in pids], time.monotonic()
    time.sleep(seconds)
    past_s = time.monotonic() - begun
    return [(cpu_s(pid) - earlier) / past_s for pid, earlier in zip(pids, before, strict=True)]


def whole_agent(folder: Path, url: str, seconds: float) -> tuple[float, float]:
    with (
        mosquitto(folder) as hub,
        agent(folder, configuration(folder, url, hub, LOOKS_PER_S, WATCHED)) as box,
    ):
        wait_for(lambda: looks(box.status()) >= 3, 60.0)
        time.sleep(WARM_UP_S)
        pids = family(box.process.pid)
        first = looks(box.status())
        shares = share(pids, seconds)
        used = sum(shares)
        rate = (looks(box.status()) - first) / seconds
        memory = [memory_mb(pid) for pid in pids]
        rss, pss = (sum(column) for column in zip(*memory, strict=True))
        each = " + ".join(f"{100 * one:.1f}" for one in shares), " + ".join(f"{one[0]:.0f}" for one in memory)
        print(
            f"  agent + capture        {100 * used:5.1f} % ({each[0]})  RSS {rss:5.1f} MB ({each[1]}), "
            f"PSS {pss:5.1f} MB, {rate:.2f} looks/s, {1000 * look_s(box.status()):.1f} ms a look"
        )
        return used, rss


def figures(status: dict[str, Any]) -> dict[str, Any]:
    return dict(status.get("sight", {}).get("cameras", {}).get("kerb-cam", {}))


def looks(status: dict[str, Any]) -> int:
    return int(figures(status).get("looks", 0))


def look_s(status: dict[str, Any]) -> float:
    return float(figures(status).get("look_s", 0.0))


def bare_reader(url: str, seconds: float) -> tuple[float, float]:
    command = [sys.executable, "-c", BARE, str(Path(__file__).parent), url]
    environment = {**os.environ, "OPENCV_FFMPEG_CAPTURE_OPTIONS": "rtsp_transport;tcp"}
    with subprocess.Popen(command, env=environment) as process:
        try:
            time.sleep(WARM_UP_S)
            (used,) = share([process.pid], seconds)
            rss, _ = memory_mb(process.pid)
        finally:
            process.kill()
    print(f"  bare OpenCV and model  {100 * used:5.1f} %  RSS {rss:5.1f} MB")
    return used, rss


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--source", nargs="*", default=["mjpeg", "rtsp"])
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--clip", type=Path, default=CLIP, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.clip)
    if not CLIP.is_file():
        print(f"needs {CLIP}", file=sys.stderr)
        return 2
    good = True
    for kind in options.source:
        print(f"{kind}, 640x360 at {FPS} pictures/s, {LOOKS_PER_S} looks/s", flush=True)
        with tempfile.TemporaryDirectory() as name, source(kind, Path(name)) as url:
            if kind != "file":  # a file is read as fast as it goes by the bare reader
                base, _ = bare_reader(url, options.seconds)
            used, rss = whole_agent(Path(name), url, options.seconds)
            if kind != "file":
                print(f"  ratio                  {used / base:5.2f}")
        good &= used <= WANTED_SHARE and rss <= WANTED_MB
    print(f"at most {100 * WANTED_SHARE:.0f} % and {WANTED_MB} MB: {'reached' if good else 'NOT reached'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
