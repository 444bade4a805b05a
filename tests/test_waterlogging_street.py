"""The shipped net and the rule together, on the simulated street: dry, wet, flooded, and dry again."""

from __future__ import annotations

import pytest
from flooding import NOTHING, brief, rule

from lamppost.agent.sight.replay import replay
from lamppost.agent.sight.water_turns import WaterTurns
from lamppost.models.segmenter import load_segmenter
from lamppost.simulators.street.compose import Street
from lamppost.simulators.street.projection import zone

KIND = "road.waterlogging"
ROAD = zone("kerb", "road")


def seen(levels_mm, **how):
    """Replay the street with water of these levels, one a second; the first ten show a dry road."""
    street, segment = Street("kerb", "day"), load_segmenter("water", folders=())
    turns = WaterTurns(lambda: segment, None, every_s=1.0)
    turns.wanted = ["cam"]
    pictures = (
        (float(n), street.frame(water_mm=mm, tick=n, **(how if n >= 10 else {})).image)
        for n, mm in enumerate(levels_mm)
    )
    looks = replay(
        pictures,
        device="cam",
        zones={"road": ROAD},
        fps=1.0,
        rules=[rule(persist_s=6, clear_s=8)],
        detect=lambda _: NOTHING,
        water=turns,
        dry_until_s=9.5,
    )
    return [(look.at_s, event) for look in looks for event in look.events]


def test_a_street_that_floods_is_told_once_and_closed_once():
    told = seen([0] * 12 + [20 * n for n in range(10)] + [200] * 15 + [100, 60, 30, 10] + [0] * 20)
    events = [event for _, event in told]
    assert [event[:2] for event in brief(events)][:: len(events) - 1] == [(KIND, "open"), (KIND, "close")]
    assert len({event.id for event in events}) == 1
    assert told[0][0] == pytest.approx(24, abs=6)
    assert told[-1][0] == pytest.approx(48, abs=5)


@pytest.mark.parametrize("how", [{}, {"wet": 0.9}, {"wet": 0.9, "rain": True}], ids=["dry", "wet", "rain"])
def test_a_street_without_water_is_never_told(how):
    assert seen([0] * 60, **how) == []
