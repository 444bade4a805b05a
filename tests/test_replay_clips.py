"""Real street clips through the shipped detector, the sight and the parking rule, against their ground truth.

Every listed event for every dwell, within its tolerance, once; and no other. The clips are test material
beside the repository, not part of it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lamppost.agent.rules.parking import Parking
from lamppost.agent.sight.replay import record, replay
from lamppost.drivers.camera.recording import open_recording
from lamppost.models.detector import load_detector
from lamppost.models.manifest import find_manifests

CLIPS = Path(__file__).parent.parent.parent / "shared/clips"
TRUTHS = sorted(CLIPS.glob("*.truth.json"))
FPS = 2.0

pytestmark = [
    pytest.mark.skipif(not TRUTHS, reason=f"needs the street clips in {CLIPS}"),
    pytest.mark.skipif("nanodet-g" not in find_manifests(), reason="no detector is shipped yet"),
]


def wanted(truth: dict) -> dict[int, list[dict]]:
    """Return the expected events by dwell; a clip without any must stay silent at 5 s."""
    listed = {int(k[2:]): v for k, v in truth["expected_illegal_parking"].items() if k.startswith("T=")}
    return listed or {5: []}


def unlisted(truth: dict, dwell_s: int, zone: str) -> bool:
    """Some truths list a dwell for one zone only, and say so in their notes."""
    return f"T={dwell_s} list is for" in truth.get("notes", "") and f"for {zone} only" not in truth["notes"]


@pytest.mark.parametrize("path", TRUTHS, ids=lambda path: path.name.split(".")[0])
def test_every_violation_is_told_once_and_nothing_else(path):
    truth = json.loads(path.read_text())
    zones = {zone["id"]: [tuple(point) for point in zone["polygon"]] for zone in truth["zones"]}
    rules = [
        Parking(name=f"{zone} {dwell_s}", camera="kerb", zone=zone, dwell_s=dwell_s)
        for zone in zones
        for dwell_s in wanted(truth)
        if not unlisted(truth, dwell_s, zone)
    ]
    looks = replay(
        open_recording(CLIPS / truth["clip"]),
        device="kerb", zones=zones, fps=FPS, rules=rules, detect=load_detector("nanodet-g"),
    )  # fmt: skip
    told = [record(event) for look in looks for event in look.events]
    opened = [line for line in told if line["phase"] == "open"]
    for dwell_s, events in wanted(truth).items():
        got = [line for line in opened if line["rule"].endswith(f" {dwell_s}")]
        for event in events:
            near = [
                line for line in got
                if line["zone"] == event["zone"] and abs(line["at_s"] - event["at_s"]) <= event["tolerance_s"]
            ]  # fmt: skip
            assert near, f"dwell {dwell_s}: {event} was not told; told: {got}"
            got.remove(near[0])
            if event["vehicle_leaves_s"] is not None:
                closes = [c["at_s"] for c in told if c["id"] == near[0]["id"] and c["phase"] == "close"]
                assert closes == [pytest.approx(event["vehicle_leaves_s"], abs=3.0)]
        assert not got, f"dwell {dwell_s}: told without reason: {got}"
