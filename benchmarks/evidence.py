"""What a picture of evidence costs: on the event loop, on its own thread, and in bytes.

python benchmarks/evidence.py [--clip FILE] [--rounds N]

A picture of a real street, as it is and enlarged to 1920x1080 (with the noise that a camera of that size
has), and pure noise, the worst there is. The raw library: resize and one `imencode` of the same picture.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lamppost.agent.config.model import EvidenceSettings
from lamppost.agent.evidence.album import Album
from lamppost.agent.evidence.drawing import Caption, Subject, draw
from lamppost.agent.evidence.jpeg import UNKNOWN, Fit, encode
from lamppost.agent.rules.api import Shot
from lamppost.agent.sight.scene import Scene
from lamppost.models.detections import Detections
from lamppost.models.view import Shift

CLIP = Path(__file__).parents[2] / "shared" / "clips" / "real_street_parked.mp4"
LIMIT = 60_000
WIDTH = 1280
#: What one picture may hold up the event loop.
WANTED_LOOP_MS = 1.0
START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
BOX = (0.48, 0.65, 0.74, 0.88)
ZONE = [(0.24, 0.6), (0.75, 0.64), (0.76, 0.9), (0.24, 0.86)]


def median_ms(call: Callable[[], Any], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def pictures(clip: Path) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    found, street = cv2.VideoCapture(str(clip)).read()
    if not found:  # a stand-in of about the same detail
        rough = rng.integers(0, 255, (90, 160, 3), np.uint8)
        street = cv2.resize(rough, (640, 360), interpolation=cv2.INTER_LINEAR)
    large = cv2.resize(street, (1920, 1080), interpolation=cv2.INTER_CUBIC)
    large = np.clip(large + rng.normal(0, 4, large.shape), 0, 255).astype(np.uint8)
    return {
        "street, 640x360": street,
        "street, 1920x1080": large,
        "noise, 1920x1080": rng.integers(0, 255, (1080, 1920, 3), np.uint8),
    }


def seen(count: int) -> Detections:
    boxes = np.random.default_rng(2).uniform(0, 0.8, (count, 2)).astype(np.float32)
    return Detections(
        np.hstack([boxes, boxes + 0.12]), np.full(count, 0.5, np.float32), ("car", "person") * (count // 2)
    )


class Rule:
    """Asks for one picture of a new stay at each look."""

    def __init__(self) -> None:
        self.number = 0

    def shots(self) -> list[Shot]:
        self.number += 1
        return [Shot(str(self.number), "arrival", BOX, "stop", START + timedelta(seconds=self.number))]

    def pending(self) -> set[str]:
        return {str(self.number)}


def on_the_loop(image: Any, rounds: int) -> float:
    album, rule = Album(EvidenceSettings(), "bench / box"), Rule()
    scene = Scene("cam", START, 1, image, image[:, :, 0], seen(20), {"stop": ZONE}, Shift(0.0, 0.0, 1.0))

    def look() -> None:
        album.look(scene, {"r": rule}, [])

    times = []
    for _ in range(rounds):
        times.append(median_ms(look, 1))
        album._drawer.submit(lambda: None).result()  # noqa: SLF001 - the thread must not be measured with it
    return statistics.median(times)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clip", type=Path, default=CLIP)
    options.add_argument("--rounds", type=int, default=30)
    asked = options.parse_args()
    missed = False
    draw(Subject(np.zeros((90, 160, 3), np.uint8), (0.0, 0.0), BOX, ZONE, seen(2), (Caption("a", "b"),)), 160)
    captions = (Caption("2026-01-05 12:00:46.5 UTC", "3/3 alarm, after 180 s"),) * 2
    print(
        f"{'picture':<20}{'loop':>9}{'first':>9}{'next':>9}{'found':>9}{'outside':>9}{'raw':>9}{'bytes':>8}{'width':>7}"
    )
    for name, image in pictures(asked.clip).items():
        width = min(WIDTH, image.shape[1])
        subject = Subject(image, (0.0, 0.0), BOX, ZONE, seen(20), captions)

        fits = [UNKNOWN]

        def made(
            blur: Any = "none", subject: Subject = subject, width: int = width, fits: list[Fit] = fits
        ) -> bytes:
            data, fits[0] = encode(lambda at: draw(subject, at, blur), width, LIMIT, fits[0])
            return data

        def raw(image: Any = image, width: int = width) -> Any:
            small = cv2.resize(image, (width, image.shape[0] * width // image.shape[1]))
            return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 60])

        loop_ms = on_the_loop(image, asked.rounds)
        first_ms = median_ms(made, 1)
        costs = [first_ms] + [
            median_ms(lambda how=how: made(how), asked.rounds) for how in ("none", "found", "outside")
        ]
        costs.append(median_ms(raw, asked.rounds))
        data = made()
        wide = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[1]
        shown = "".join(f"{ms:>6.1f} ms" for ms in costs)
        print(f"{name:<20}{loop_ms:>6.2f} ms{shown}{len(data):>8}{wide:>7}")
        missed |= loop_ms > WANTED_LOOP_MS or len(data) > LIMIT
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
