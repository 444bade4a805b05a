"""Scenarios with a camera: the real detector and the parking rule look at the simulated street."""

from __future__ import annotations

import asyncio
import json
from importlib.resources import files
from pathlib import Path

import pytest
from playing import small

from lamppost.simulators.hub import broker
from lamppost.simulators.scenarios import find, run_scenario

SCHEMAS = Path(str(files("lamppost.agent.schemas")))
pytestmark = pytest.mark.skipif(broker.mosquitto() is None, reason="mosquitto is not installed")

CONFIG = """
[devices.kerb-cam]
driver = "camera"
source = "@{cameras.kerb}"
fps = 4
zones.bus-stop = @{cameras.kerb.zones.bus-stop}
[rules.stop]
kind = "parking"
camera = "kerb-cam"
zone = "bus-stop"
dwell_s = @{s:4}
"""


def play(folder, more, duration_s):
    path = small(folder, more, duration_s=duration_s, config=CONFIG)
    return asyncio.run(run_scenario(path, schemas=SCHEMAS))


def test_a_van_at_the_bus_stop_is_one_event_that_opens_and_closes_while_others_pass(tmp_path):
    more = """
[cameras.kerb]
traffic_per_minute = 15
[[at]]
at_s = 2
do = "camera.park"
camera = "kerb"
vehicle = "van"
[[at]]
at_s = 2
do = "camera.park"
camera = "kerb"
vehicle = "neighbour"
kind = "sedan"
colour = "blue"
place = "bay-2"
[[at]]
at_s = 17
do = "camera.leave"
camera = "kerb"
vehicle = "van"
[[expect]]
kind = "parking.illegal"
phase = "open"
device = "kerb-cam"
zone = "bus-stop"
after_s = 10
within_s = 7
[[expect]]
kind = "parking.illegal"
phase = "close"
device = "kerb-cam"
zone = "bus-stop"
after_s = 17
within_s = 10
"""
    verdict = play(tmp_path, more, 29)
    assert verdict.ok, json.dumps(verdict.as_json(), indent=1)


@pytest.mark.soak
def test_a_queue_that_creeps_past_the_bus_stop_is_no_parking(tmp_path):
    more = """
[cameras.kerb]
traffic_per_minute = 40
[[at]]
at_s = 6
do = "camera.traffic"
camera = "kerb"
per_minute = 40
speed_m_s = 0.8
"""
    verdict = play(tmp_path, more, 20)
    assert verdict.ok, json.dumps(verdict.as_json(), indent=1)


def test_what_a_camera_cannot_do_fails_the_course(tmp_path):
    more = """
[cameras.kerb]
[[at]]
at_s = 0.5
do = "camera.park"
camera = "kerb"
vehicle = "one"
[[at]]
at_s = 0.6
do = "camera.park"
camera = "kerb"
vehicle = "two"
"""
    verdict = play(tmp_path, more, 2)
    (course,) = [check for check in verdict.checks if check.name == "course"]
    assert course.found == "camera kerb: bus-stop is taken"


@pytest.mark.soak
def test_the_shipped_flood_is_opened_and_closed_once():
    verdict = asyncio.run(run_scenario(find("flood"), schemas=SCHEMAS))
    assert verdict.ok, json.dumps(verdict.as_json(), indent=1)
