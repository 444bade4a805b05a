"""The detector against the bare minimum in the same run: decode + letterbox + `session.run`, one thread.

python benchmarks/detector.py [--clip FILE] [--frames N]

Bare: a frame of the clip is decoded by OpenCV, letterboxed as short as it can be written, and run. Ours: the
same frame decoded by OpenCV and given to the shipped detector, which decodes and suppresses boxes too. Both
take turns on the same frames, so that another process on the machine meets both alike.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort

from lamppost.models.detector import load_detector

CLIP = Path(__file__).parents[2] / "shared" / "clips" / "real_street_parked.mp4"
WANTED_RATIO = 1.25
MEAN = np.array([103.53, 116.28, 123.675], dtype=np.float32)
STD = np.array([57.375, 57.12, 58.395], dtype=np.float32)


def bare_session(path: Path) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])


def bare(session: Any, size: tuple[int, int] = (416, 416)) -> Callable[[Any], Any]:
    """Return the bare minimum on an input of ``size`` (height, width)."""
    height, width = size

    def run(picture: Any) -> Any:
        scale = min(height / picture.shape[0], width / picture.shape[1])
        tall, wide = (round(length * scale) for length in picture.shape[:2])
        top, left = (height - tall) // 2, (width - wide) // 2
        canvas = np.zeros((height, width, 3), dtype=np.uint8)
        canvas[top : top + tall, left : left + wide] = cv2.resize(picture, (wide, tall))
        tensor = np.empty((1, 3, height, width), dtype=np.float32)
        for channel, plane in enumerate(cv2.split(canvas)):
            np.subtract(plane, MEAN[channel], out=tensor[0, channel])
            tensor[0, channel] /= STD[channel]
        return session.run(None, {"input": tensor})

    return run


def timed(call: Callable[[Any], Any], picture: Any) -> float:
    start = time.perf_counter()
    call(picture)
    return (time.perf_counter() - start) * 1000


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clip", type=Path, default=CLIP)
    options.add_argument("--frames", type=int, default=200)
    asked = options.parse_args()
    cv2.setNumThreads(1)
    detector = load_detector("nanodet-g", folders=())
    raw = bare(bare_session(detector.manifest.model_path))
    clip = cv2.VideoCapture(str(asked.clip))
    decode, minimum, ours, boxes = [], [], [], []
    for number in range(asked.frames + 10):
        start = time.perf_counter()
        found, picture = clip.read()
        took = (time.perf_counter() - start) * 1000
        if not found:
            break
        calls = [(raw, minimum), (detector, ours)][:: 1 if number % 2 else -1]
        for call, times in calls:
            times.append(took + timed(call, picture))
        decode.append(took)
        boxes.append(len(detector(picture).labels))
    if len(ours) <= 10:
        print(f"{asked.clip}: too few frames", file=sys.stderr)
        return 2
    # The first ones warm up.
    least, whole = statistics.median(minimum[10:]), statistics.median(ours[10:])
    extra = statistics.median(o - m for o, m in zip(ours[10:], minimum[10:], strict=True))
    print(f"frames {len(ours) - 10}, {picture_size(asked.clip)}, boxes a frame {statistics.mean(boxes):.1f}")
    print(f"decode                               {statistics.median(decode[10:]):7.2f} ms")
    print(f"decode + letterbox + session.run     {least:7.2f} ms  (median)")
    print(f"decode + detector                    {whole:7.2f} ms  (median; {extra:+.2f} ms frame by frame)")
    print(f"ratio                                {whole / least:7.2f}     (at most {WANTED_RATIO})")
    return 0 if whole <= WANTED_RATIO * least else 1


def picture_size(path: Path) -> str:
    clip = cv2.VideoCapture(str(path))
    return f"{clip.get(cv2.CAP_PROP_FRAME_WIDTH):.0f}x{clip.get(cv2.CAP_PROP_FRAME_HEIGHT):.0f}"


if __name__ == "__main__":
    sys.exit(main())
