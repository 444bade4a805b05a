"""Water in sight: where it is in the view, by day and night, seldom, and at nobody else's cost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from modelling import blue_water
from ponds import NOTHING, ROAD, flood, frame, street, wet_share
from waiting import until

from lamppost.agent.sight.light import LASTS_S, LightJudge
from lamppost.agent.sight.loop import Sight
from lamppost.agent.sight.scene import Eye
from lamppost.agent.sight.water_eye import WaterEye
from lamppost.agent.sight.water_turns import WaterTurns
from lamppost.models.errors import ModelError
from lamppost.models.segmenter import load_segmenter

ZONES = {"road": ROAD}


@pytest.fixture
def segment(tmp_path):
    return load_segmenter(blue_water(tmp_path))


def test_water_is_where_it_stands_in_the_picture(segment):
    scene = Eye(lambda _: NOTHING, ZONES).look(
        frame(flood(street(), 0.25, 0.5, 0.75, 0.75)), WaterEye(segment, "cam")
    )
    assert scene.water.wet.shape == (96, 160)
    assert scene.water.threshold == 128
    assert scene.water.dry is None
    assert wet_share(scene.water.wet, 0.27, 0.52, 0.73, 0.73) == 1
    assert scene.water.wet[:, :36].max() == 0


def test_a_nudged_camera_moves_no_water(segment):
    eye, water = Eye(lambda _: NOTHING, ZONES), WaterEye(segment, "cam")
    eye.look(frame(street()), water)
    nudged = np.roll(flood(street(), 0.25, 0.5, 0.75, 0.75), (10, 20), axis=(0, 1))
    scene = eye.look(frame(nudged, 2), water)
    assert scene.shift.dx == pytest.approx(20 / 640, abs=2e-3)
    assert wet_share(scene.water.wet, 0.27, 0.52, 0.73, 0.73) == 1
    assert wet_share(scene.water.wet, 0.76, 0.5, 0.8, 0.75) == 0


def test_a_look_without_a_turn_has_no_water(segment):
    assert Eye(lambda _: NOTHING, ZONES).look(frame(street())).water is None


def test_a_segmenter_that_fails_costs_no_detections(tmp_path):
    class Broken:
        def look(self, *_):
            raise ModelError("it broke")

    scene = Eye(lambda _: NOTHING, ZONES).look(frame(street()), Broken())
    assert scene.water is None
    assert scene.detections is NOTHING


# -- light


def coloured(brightness: float) -> np.ndarray:
    return np.full((90, 160, 3), (brightness * 0.9, brightness, brightness * 1.1), np.uint8)


def test_dark_or_colourless_pictures_are_of_the_night():
    assert LightJudge().look(coloured(110), 0) == "day"
    assert LightJudge().look(coloured(30), 0) == "night"
    infrared = np.full((90, 160, 3), 110, np.uint8)
    assert LightJudge().look(infrared, 0) == "night"


def test_dusk_does_not_flap():
    judge = LightJudge()
    rng = np.random.default_rng(1)
    told = [  # an hour from day to night, with noise
        judge.look(coloured(90 - 60 * second / 3600 + rng.normal(0, 4)), second)
        for second in range(0, 3600, 2)
    ]
    assert told[0] == "day"
    assert told[-1] == "night"
    assert sum(a != b for a, b in pairwise(told)) == 1


def test_a_headlight_or_a_covered_lens_is_no_other_light():
    judge = LightJudge()
    judge.look(coloured(30), 0)
    assert {judge.look(coloured(200), second) for second in range(1, int(LASTS_S))} == {"night"}
    judge.look(coloured(30), LASTS_S)
    assert judge.look(coloured(200), LASTS_S + 20) == "night"


# -- turns


def turns(segment, wanted=("a", "b", "c"), every_s=2.0) -> WaterTurns:
    made = WaterTurns(lambda: segment, None, every_s)
    made.wanted = wanted
    return made


def test_a_camera_is_segmented_every_so_often_and_only_if_a_rule_wants_it(segment):
    water = turns(segment, wanted=("a",))
    got = []
    for step in range(20):  # two looks a second
        got.append(water.turn("a", step / 2) is not None)
        water.looked("a", ())
        assert water.turn("other", step / 2) is None
    assert [n for n, seen in enumerate(got) if seen] == [0, 4, 8, 12, 16]


def test_after_the_clock_was_set_back_water_is_seen_at_once(segment):
    water = turns(segment)
    assert water.turn("a", 1000.0)
    water.looked("a", ())
    assert water.turn("a", 10.0)


@dataclass
class Round:
    """All cameras always wait; each look takes a moment: which of them segment?"""

    water: WaterTurns
    at: float = 0.0

    def look(self, device, names):
        self.at += 0.1
        waiting = [name for name in names if name != device]
        seen = self.water.turn(device, self.at, waiting) is not None
        self.water.looked(device, names)  # its own next frame has come meanwhile
        return seen


def test_no_look_waits_for_two_segmentations_and_every_camera_has_its_turn(segment):
    names = ["a", "b", "c", "d"]
    round_ = Round(turns(segment, wanted=("a", "b", "c"), every_s=0.2))
    seen = [(name, round_.look(name, names)) for _ in range(30) for name in names]
    # Between two looks at a camera, its own included, there is at most one segmentation.
    for name in names:
        places = [n for n, (who, _) in enumerate(seen) if who == name]
        assert all(sum(wet for _, wet in seen[a + 1 : b + 1]) <= 1 for a, b in pairwise(places))
    counts = [sum(wet for who, wet in seen if who == name) for name in names]
    assert counts[3] == 0
    assert min(counts[:3]) >= 5
    assert max(counts[:3]) - min(counts[:3]) <= 2


def test_a_camera_that_gives_no_pictures_holds_up_no_other(segment):
    round_ = Round(turns(segment, wanted=("a", "gone"), every_s=0.1))
    assert sum(round_.look("a", ["a"]) for _ in range(10)) >= 4


def test_a_model_that_cannot_be_loaded_is_a_problem_in_status_and_not_asked_for_at_every_look():
    tried = []

    def load():
        tried.append(1)
        raise ModelError("water.onnx: not there")

    water = WaterTurns(load)
    water.wanted = ["a"]
    for step in range(10):
        assert water.turn("a", step * 5.0) is None
    assert len(tried) == 1
    assert water.as_json() == {"problem": "water.onnx: not there", "cameras": {}}


def test_live_sight_carries_water_and_goes_on_without_a_segmenter(segment):
    async def run(load, device):
        scenes = []
        water = WaterTurns(load)
        water.wanted = [device]
        sight = Sight(lambda: lambda _: NOTHING, scenes.append, water=water)
        sight.add(device, ZONES)
        task = asyncio.create_task(sight.run())
        for second in range(4):
            sight.offer(frame(flood(street(), 0.2, 0.5, 0.8, 0.9), second, device))
            await until(lambda second=second: len(scenes) == second + 1, what="a look")
        status = sight.as_json()
        task.cancel()
        await asyncio.wait({task})
        return [scene.water is not None for scene in scenes], status["water"]

    seen, status = asyncio.run(run(lambda: segment, "cam"))
    assert seen == [True, False, True, False]
    assert status["problem"] == ""
    assert status["cameras"]["cam"]["looks"] == 2
    assert status["cameras"]["cam"]["dry"] == {"day": None, "night": None}
    assert (
        "no dry reference by day; when the road is dry: lamppost camera dry cam"
        in (status["cameras"]["cam"]["problem"])
    )

    def missing():
        raise ModelError("no such model")

    seen, status = asyncio.run(run(missing, "cam"))
    assert seen == [False] * 4
    assert status["problem"] == "no such model"
