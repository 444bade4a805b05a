"""Which pictures a loitering rule asks for: of those who stay, never of those who walk through."""

from __future__ import annotations

import pytest
from walking import START, Thing, Walk

from lamppost.agent.rules.api import Witness
from lamppost.agent.rules.loitering import Loitering


def asked_of(walk, seconds, things, **how):
    """(moment, second) of each shot that was asked for, once, and the shots."""
    first = {}
    end = walk.now_s + seconds
    while walk.now_s < end - 1e-6:
        at_s = walk.now_s
        walk.pass_time(0.5, things(at_s) if callable(things) else things, **how)
        for shot in walk.state.shots():
            first.setdefault((shot.key, shot.since, shot.moment), (at_s, shot))
    return [(moment, at_s) for (_, _, moment), (at_s, _) in first.items()], [
        shot for _, shot in first.values()
    ]


def square(**settings):
    return Walk(Loitering(**{"name": "r", "camera": "cam", "zone": "square", "dwell_s": 120.0, **settings}))


def test_three_pictures_of_somebody_who_stays_and_none_after():
    walk = square()
    assert isinstance(walk.state, Witness)
    moments, shots = asked_of(walk, 200, [Thing(0.5, 0.7)])
    assert moments == [
        ("arrival", pytest.approx(20, abs=1)),
        ("half-way", pytest.approx(60, abs=1)),
        ("alarm", pytest.approx(120, abs=1)),
    ]
    (event,) = walk.events
    assert [shot.event for shot in shots] == ["", "", event.id]
    assert {(shot.since - START).total_seconds() for shot in shots} == {0.0}
    assert shots[0].box == pytest.approx(Thing(0.5, 0.7).box, abs=0.02)
    assert not walk.state.pending()


def test_who_walks_through_is_not_photographed():
    walk = square()
    moments, _ = asked_of(walk, 60, lambda s: [Thing((s * 0.05 + k * 0.5) % 1.5, 0.7) for k in range(3)])
    assert moments == []


def test_who_is_not_in_sight_is_photographed_later():
    walk = square(dwell_s=60)
    asked_of(walk, 28, [Thing(0.5, 0.7)])
    moments, _ = asked_of(walk, 6, [])
    assert moments == []
    assert len(walk.state.pending()) == 1
    moments, _ = asked_of(walk, 4, [Thing(0.5, 0.7)])
    assert [moment for moment, _ in moments] == ["half-way"]
