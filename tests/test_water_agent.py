"""A real agent with a rule that wants water: it is seen, and an operator's word is taken at once."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from cameras import write_video
from evidencing import one_car
from modelling import blue_water
from plugins import wetness
from ponds import flood, street

from agent import Agent
from lamppost.provisioning.cli import main

__all__ = ["wetness"]


@pytest.fixture
def box(tmp_path, wetness):
    (tmp_path / "models").mkdir()
    blue_water(tmp_path / "models")
    rng = np.random.default_rng(1)
    still = flood(street(), 0.25, 0.5, 0.75, 1.0)
    noisy = [cv_noise(rng, still) for _ in range(20)]
    write_video(tmp_path / "road.avi", noisy, code="MJPG")
    config = f"""
[sight]
model = "{one_car(tmp_path)}"
water_every_s = 0.5
[devices.cam]
driver = "camera"
source = "road.avi"
loop = true
fps = 5
zones.road = [[0.1, 0.5], [0.9, 0.5], [0.9, 0.95], [0.1, 0.95]]
[rules.wetness]
kind = "wetness"
camera = "cam"
zone = "road"
"""
    return Agent(tmp_path, config, env={"PYTHONPATH": str(wetness)})


def cv_noise(rng, image):
    return np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)


def test_water_goes_to_the_rule_and_an_operators_word_counts_at_once(box, capsys):
    async def run():
        with box as agent:
            await agent.until(lambda: wet(agent) == pytest.approx(0.25, abs=0.02), what="water")
            seen = agent.status()["sight"]["water"]["cameras"]["cam"]
            assert (seen["light"], seen["dry"]) == ("day", {"day": None, "night": None})
            assert "no dry reference by day" in seen["problem"]
            dry = ["camera", "dry", "cam", "-n", "1", "--config", str(agent.config)]
            assert await asyncio.to_thread(main, dry) == 0
            assert "looks wet already" in capsys.readouterr().err
            await agent.until(lambda: wet(agent) == pytest.approx(0, abs=0.01), what="nothing new")
            seen = agent.status()["sight"]["water"]["cameras"]["cam"]
            assert seen["problem"] == ""
            assert seen["dry"]["day"]["by"] == "operator"
            capsys.readouterr()
            assert main(["status", "--config", str(agent.config)]) == 0
            assert "cam: looks for water by day; dry: day by operator " in capsys.readouterr().out

    asyncio.run(run())


def wet(agent):
    return agent.newest("cam").get("wet", {"value": None})["value"]


def test_without_a_segmenter_the_agent_sees_all_else_and_says_so(box, tmp_path, capsys):
    (tmp_path / "models" / "water.toml").write_text("name = 1")

    async def run():
        with box as agent:
            await agent.until(lambda: ((agent.status().get("sight") or {}).get("water") or {}).get("problem"))
            sight = agent.status()["sight"]
            assert "water.toml" in sight["water"]["problem"]
            assert sight["problem"] == ""
            await agent.until(lambda: agent.status()["sight"]["cameras"]["cam"]["looks"] > 3)
            capsys.readouterr()
            assert main(["status", "--config", str(agent.config)]) == 0
            assert "no water is seen, because there is no segmenter" in " ".join(
                capsys.readouterr().out.split()
            )

    asyncio.run(run())
