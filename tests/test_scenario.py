"""Scenarios played for real: agent, devices, link and broker as processes and sockets."""

from __future__ import annotations

import asyncio
import json
import tempfile
from importlib.resources import files
from pathlib import Path

import psutil
import pytest
from playing import RISE, small
from rich.cells import cell_len

from lamppost.provisioning.cli.demo_screen import FRAME_S, picture
from lamppost.simulators.hub import broker
from lamppost.simulators.scenarios import Run, find, run_scenario

SCHEMAS = Path(str(files("lamppost.agent.schemas")))
pytestmark = pytest.mark.skipif(broker.mosquitto() is None, reason="mosquitto is not installed")


def play(path: Path, **more):
    before = set(psutil.Process().children(recursive=True))
    verdict = asyncio.run(run_scenario(path, schemas=SCHEMAS, **more))
    assert set(psutil.Process().children(recursive=True)) <= before
    return verdict


class Frames:
    """Looks at a run as the demo does, at the sizes of two terminals."""

    SIZES = ((80, 24), (120, 40))

    def __init__(self) -> None:
        self.seen: dict[tuple[int, int], list[list[str]]] = {size: [] for size in self.SIZES}

    async def show(self, run: Run) -> None:
        while True:
            for size in self.SIZES:
                self.seen[size].append([line.plain for line in picture(run, *size)])
            await asyncio.sleep(FRAME_S)


def test_an_outage_costs_nothing_and_is_shown_as_it_goes():
    frames = Frames()
    verdict = play(find("outage"), view=frames)
    assert verdict.ok, json.dumps(verdict.as_json(), indent=1)
    assert [row.what for row in verdict.rows] == ["open water.level gutter", "close water.level gutter"]
    assert {"lost", "duplicates", "polls of counter", "events before telemetry"} <= {
        check.name for check in verdict.checks
    }
    for (width, height), pictures in frames.seen.items():
        assert all(len(lines) <= height for lines in pictures)
        assert max(cell_len(line) for lines in pictures for line in lines) <= width
        text = "\n".join(line for lines in pictures for line in lines)
        for part in (
            "link CUT",
            "alarms 2",
            "gutter",
            "OPEN   water.level gutter level 500 mm",
            "> 00:11 the link",
        ):
            assert part in text, part


@pytest.mark.soak
@pytest.mark.parametrize("name", ["street", "kill", "blackhole", "soak"])
def test_shipped_scenarios_end_well(name):
    verdict = play(find(name))
    assert verdict.ok, json.dumps(verdict.as_json(), indent=1)


def test_an_event_that_does_not_come_fails_and_leaves_the_files_to_look_at(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    verdict = play(small(tmp_path, RISE.replace("to = 120", "to = 80")))
    assert verdict.exit_code == 1
    assert [(row.state, row.what) for row in verdict.rows] == [("missing", "open water.high tank")]
    assert all(check.ok for check in verdict.checks if check.name != "events")
    assert "hub connected" in Path(verdict.folder, "agent.log").read_text()


def test_all_right_leaves_nothing_behind(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    verdict = play(small(tmp_path, RISE))
    assert verdict.ok, verdict.as_json()
    assert list(scratch.iterdir()) == []


def test_without_mosquitto_a_scenario_runs_on_amqtt(tmp_path, monkeypatch):
    monkeypatch.setattr(broker, "mosquitto", lambda: None)
    verdict = play(small(tmp_path, RISE))
    assert verdict.ok, json.dumps(verdict.as_json(), indent=1)


def test_an_agent_that_ends_by_itself_ends_the_scenario_at_once(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    verdict = play(small(tmp_path, duration_s=3600, config="nonsense = 1"), folder=folder)
    assert not verdict.ok
    (agent,) = [check for check in verdict.checks if check.name == "agent"]
    assert agent.found.startswith("it ended by itself with exit code 2: ")
    assert "nonsense" in agent.found


def test_every_kind_of_action_can_be_played(tmp_path):
    """At the end all is well again: the event that opens at 1 s still comes, and nothing is lost."""
    steps = """
[[at]]
at_s = 0
do = "link.slow"
delay_s = 0.01
[[at]]
at_s = 1.1
do = "broker.pause"
[[at]]
at_s = 1.2
do = "broker.resume"
[[at]]
at_s = 1.3
do = "broker.stop"
[[at]]
at_s = 1.4
do = "link.stall"
[[at]]
at_s = 1.5
do = "broker.start"
[[at]]
at_s = 1.6
do = "link.restore"
reset = true
[[at]]
at_s = 1.7
do = "unit.fault"
unit = "tank"
fault = "slow-answer,delay_s=0.05"
[[at]]
at_s = 1.8
do = "unit.clear"
unit = "tank"
[[at]]
at_s = 1.9
do = "line.fault"
line = "bus"
[[at]]
at_s = 2.0
do = "line.clear"
line = "bus"
[[at]]
at_s = 2.1
do = "line.unplug"
line = "bus"
[[at]]
at_s = 2.2
do = "line.plug"
line = "bus"
[[at]]
at_s = 2.3
do = "ramp"
unit = "tank"
quantity = "level"
to = 130
over_s = 0.1
[[at]]
at_s = 2.4
do = "freeze"
unit = "tank"
quantity = "distance"
[[at]]
at_s = 2.5
do = "release"
unit = "tank"
quantity = "distance"
[[at]]
at_s = 2.6
do = "agent.stop"
[[at]]
at_s = 2.7
do = "agent.start"
[[at]]
at_s = 4.5
do = "agent.reload"
replace = { "above = 100" = "above = 200" }
[[expect]]
kind = "water.high"
phase = "close"
after_s = 4.5
within_s = 3
"""
    verdict = play(small(tmp_path, RISE + steps, duration_s=7))
    assert verdict.ok, json.dumps(verdict.as_json(), indent=1)


def test_twice_the_speed_takes_half_the_time(tmp_path):
    fast = RISE.replace("at_s = 1", "at_s = 4").replace("after_s = 1", "after_s = 4")
    verdict = play(small(tmp_path, fast, duration_s=8), speed=4)
    assert verdict.ok, verdict.as_json()
    assert 4 <= verdict.rows[0].at_s <= 12
