"""Real street clips, made worse: which violations are missed, told without reason, or closed at another time.

python benchmarks/clips.py [CLIP ...] [--worse NAME ...] [--fps N]

Needs the clips beside the repository. All disturbances with all clips take some forty minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from lamppost.agent.rules.parking import Parking
from lamppost.agent.sight.replay import record, replay
from lamppost.drivers.camera.recording import open_recording
from lamppost.models.detector import load_detector

CLIPS = Path(__file__).parent.parent.parent / "shared/clips"
#: An event closes so close to the truth, in seconds.
CLOSE_S = 3.0


class Look(NamedTuple):
    """A picture of a clip, its second, and its number."""

    picture: np.ndarray
    at_s: float
    number: int


def noisy(picture: np.ndarray, deviation: float, number: int) -> np.ndarray:
    noise = np.random.default_rng(number).normal(0, deviation, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def darker(share: float, deviation: float) -> Callable[..., np.ndarray]:
    return lambda look: noisy(look.picture * share, deviation, look.number)


def moved(picture: np.ndarray, dx: float, dy: float) -> np.ndarray:
    by = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    return cv2.warpAffine(picture, by, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def shaken(pixels: float) -> Callable[..., np.ndarray]:
    def shake(look: Look) -> np.ndarray:
        return moved(look.picture, *np.random.default_rng(look.number).uniform(-pixels, pixels, 2))

    return shake


def glare(look: Look) -> np.ndarray:
    """Let two headlights sweep through the picture for three of nine seconds."""
    share = look.at_s % 9 / 3
    if share >= 1:
        return look.picture
    height, width = look.picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    middle = (share * 1.4 - 0.2) * width
    light = 40 * np.exp(-(((x - middle) / (0.35 * width)) ** 2))
    for side in (-14, 14):
        off = ((x - middle - side) / (0.09 * width)) ** 2 + ((y - 0.6 * height) / (0.13 * height)) ** 2
        light += 420 * np.exp(-off)
    return np.clip(look.picture + light[..., None], 0, 255).astype(np.uint8)


def shadow(look: Look) -> np.ndarray:
    width = look.picture.shape[1]
    off = np.abs(np.arange(width) - (look.at_s % 16 / 16 * 1.6 - 0.3) * width)
    return (look.picture * np.where(off < 0.15 * width, 0.45, 1.0)[None, :, None]).astype(np.uint8)


def exposed(look: Look) -> np.ndarray:
    gain = (1, 0.5, 1.5, 0.7, 1.8, 0.4)[int(look.at_s / 7) % 6]
    return np.clip(look.picture * float(gain), 0, 255).astype(np.uint8)


def squeezed(look: Look) -> np.ndarray:
    return cv2.imdecode(
        cv2.imencode(".jpg", look.picture, [cv2.IMWRITE_JPEG_QUALITY, 15])[1], cv2.IMREAD_COLOR
    )


def halved(look: Look) -> np.ndarray:
    height, width = look.picture.shape[:2]
    return cv2.resize(cv2.resize(look.picture, (width // 2, height // 2)), (width, height))


WORSE: dict[str, Callable[..., np.ndarray]] = {
    "as it is": lambda look: look.picture,
    "dark 30 %": darker(0.3, 3),
    "dark 15 %": darker(0.15, 3),
    "dark 8 %": darker(0.08, 2.5),
    "shaken 3 px": shaken(3),
    "shaken 6 px": shaken(6),
    "nudged": lambda look: moved(look.picture, 22, 10) if look.at_s > 30 else look.picture,
    "headlights": glare,
    "dark, headlights": lambda look: glare(look._replace(picture=(look.picture * 0.22).astype(np.uint8))),
    "exposure jumps": exposed,
    "blurred": lambda look: cv2.GaussianBlur(look.picture, (0, 0), 1.2),
    "half the pixels": halved,
    "JPEG quality 15": squeezed,
    "hard shadow": shadow,
}


def judged(path: Path, worse: Callable[..., np.ndarray], fps: float, detect: Any) -> list[str]:
    """Return what is wrong with what is told of a clip."""
    truth = json.loads(path.read_text())
    zones = {zone["id"]: [tuple(point) for point in zone["polygon"]] for zone in truth["zones"]}
    listed = {int(k[2:]): v for k, v in truth["expected_illegal_parking"].items() if k.startswith("T=")}
    notes = truth.get("notes", "")
    rules = [
        Parking(name=f"{zone} {dwell_s}", camera="kerb", zone=zone, dwell_s=dwell_s)
        for zone in zones
        for dwell_s in listed or (5, 20)
        if f"T={dwell_s} list is for" not in notes or f"for {zone} only" in notes
    ]

    def pictures() -> Iterator[tuple[float, np.ndarray]]:
        for number, (at_s, picture) in enumerate(open_recording(path.parent / truth["clip"])):
            yield at_s, np.ascontiguousarray(worse(Look(picture, at_s, number)))

    looks = replay(pictures(), device="kerb", zones=zones, fps=fps, rules=rules, detect=detect)
    told = [record(event) for look in looks for event in look.events]
    return [
        fault
        for dwell_s, events in (listed or {5: [], 20: []}).items()
        for fault in faults(dwell_s, events, [line for line in told if line["rule"].endswith(f" {dwell_s}")])
    ]


def faults(dwell_s: int, events: list[dict[str, Any]], told: list[dict[str, Any]]) -> Iterator[str]:
    opened = [line for line in told if line["phase"] == "open"]
    for event in events:
        near = [
            line
            for line in opened
            if line["zone"] == event["zone"] and abs(line["at_s"] - event["at_s"]) <= event["tolerance_s"]
        ]
        if not near:
            yield f"{dwell_s} s: {event['object']} in {event['zone']} missed at {event['at_s']}"
            continue
        opened.remove(near[0])
        leaves = event["vehicle_leaves_s"]
        closes = [line["at_s"] for line in told if line["id"] == near[0]["id"] and line["phase"] == "close"]
        if leaves is not None and (len(closes) != 1 or abs(closes[0] - leaves) > CLOSE_S):
            yield f"{dwell_s} s: {event['object']} left at {leaves}, closed at {closes}"
    for line in opened:
        yield f"{dwell_s} s: told without reason in {line['zone']} at {line['at_s']}, box {line['box']}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="*")
    parser.add_argument("--worse", nargs="*", choices=WORSE, default=list(WORSE))
    parser.add_argument("--fps", type=float, default=2.0)
    asked = parser.parse_args()
    paths = [
        p for p in sorted(CLIPS.glob("*.truth.json")) if not asked.clip or p.name.split(".")[0] in asked.clip
    ]
    detect = load_detector()
    for name in asked.worse:
        found = {path.name.split(".")[0]: judged(path, WORSE[name], asked.fps, detect) for path in paths}
        print(f"{name:<18} {sum(map(len, found.values()))} faults", flush=True)
        for clip, wrong in found.items():
            print(*(f"    {clip}, {fault}" for fault in wrong), sep="\n", end="\n" if wrong else "")
    return 0 if paths else 1


if __name__ == "__main__":
    sys.exit(main())
