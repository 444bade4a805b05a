"""The segmenter against the bare minimum in the same run: resize + `session.run`, one thread.

python benchmarks/segmenter.py [--clip FILE] [--frames N] [--model NAME]

Bare: a frame of the clip is averaged down as short as it can be written, and run. Ours: the same frame given
to the shipped segmenter, which makes whole numbers of the probabilities, too. Both take turns on the same
frames, so that another process on the machine meets both alike.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from detector import CLIP, WANTED_RATIO, bare_session, picture_size, timed

from lamppost.models.segmenter import Segmenter, load_segmenter

#: Milliseconds of one picture on one x86 thread.
WANTED_MS = 7.0


def bare(segment: Segmenter) -> Callable[[Any], Any]:
    """Return the bare minimum for a model that takes 0..255 as it is."""
    session = bare_session(segment.manifest.model_path)
    spec, name = segment.manifest.input, session.get_inputs()[0].name

    def run(picture: Any) -> Any:
        small = cv2.resize(picture, (spec.width, spec.height), interpolation=cv2.INTER_AREA)
        if spec.colour == "rgb":
            small = small[..., ::-1]
        return session.run(None, {name: small.transpose(2, 0, 1)[None].astype(np.float32)})

    return run


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clip", type=Path, default=CLIP)
    options.add_argument("--frames", type=int, default=200)
    options.add_argument("--model", default="water")
    asked = options.parse_args()
    cv2.setNumThreads(1)
    segment = load_segmenter(asked.model)
    raw = bare(segment)
    clip = cv2.VideoCapture(str(asked.clip))
    minimum, ours = [], []
    for number in range(asked.frames + 10):
        found, picture = clip.read()
        if not found:
            break
        calls = [(raw, minimum), (segment, ours)][:: 1 if number % 2 else -1]
        for call, times in calls:
            times.append(timed(call, picture))
    if len(ours) <= 10:
        print(f"{asked.clip}: too few frames", file=sys.stderr)
        return 2
    # The first ones warm up.
    least, whole = statistics.median(minimum[10:]), statistics.median(ours[10:])
    print(f"frames {len(ours) - 10}, {picture_size(asked.clip)}")
    print(f"resize + session.run     {least:7.2f} ms  (median)")
    print(f"segmenter                {whole:7.2f} ms  (median; at most {WANTED_MS:g} on x86)")
    print(f"ratio                    {whole / least:7.2f}     (at most {WANTED_RATIO})")
    return 0 if whole <= WANTED_RATIO * least else 1


if __name__ == "__main__":
    sys.exit(main())
