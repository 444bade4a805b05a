"""An hour of looks at a street, one clip after the other: memory stays where it is."""

from __future__ import annotations

import os
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from walking import START

from lamppost.agent.rules.counting import Counting
from lamppost.agent.rules.loitering import Loitering
from lamppost.agent.rules.parking import Parking
from lamppost.agent.sight.scene import Eye
from lamppost.drivers.api import Frame
from lamppost.drivers.camera.recording import open_recording
from lamppost.models.detector import load_detector

CLIPS = Path(__file__).parent.parent.parent / "shared/clips"
NAMES = ("comp_street_clean.mp4", "real_street_parked.mp4", "real_person_lingering.mp4")
LOOKS_PER_S = 2
ZONES = {"street": [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]}
LINES = {"gate": [(0.3, 1.0), (0.6, 0.2)]}
RULES = (
    Parking(name="p", camera="cam", zone="street", dwell_s=20),
    Counting(name="c", camera="cam", line="gate"),
    Loitering(name="l", camera="cam", zone="street", dwell_s=20),
)


def rss_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def looked(looks):
    """Yield the resident memory after each look, and the size of what the rules would save."""
    eye = Eye(load_detector("nanodet-g"), ZONES, LINES)
    states = [rule.start(None) for rule in RULES]
    done = 0
    for lap in count():
        for number, (_, image) in enumerate(open_recording(CLIPS / NAMES[lap % len(NAMES)])):
            if number % 5:
                continue
            at = START + timedelta(seconds=done / LOOKS_PER_S)
            scene = eye.look(Frame("cam", image, at, done))
            for state in states:
                list(state.step(scene, at))
            done += 1
            yield rss_mb(), sum(len(str(state.save())) for state in states)
            if done == looks:
                return


@pytest.mark.soak
@pytest.mark.skipif(not (CLIPS / NAMES[0]).is_file(), reason=f"needs the street clips in {CLIPS}")
def test_an_hour_of_looks_takes_no_memory():
    figures = list(looked(3600 * LOOKS_PER_S))
    quarter = len(figures) // 4
    settled, end = figures[:quarter], figures[-quarter:]
    assert max(rss for rss, _ in end) - max(rss for rss, _ in settled) < 4.0
    assert max(size for _, size in end) < 2 * max(size for _, size in settled)
