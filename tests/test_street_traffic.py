"""The simulated traffic: who comes, parks and leaves, without driving through each other."""

from __future__ import annotations

import itertools

import pytest

from lamppost.simulators.street.names import KINDS, PLACES
from lamppost.simulators.street.traffic import Traffic

STEP_S = 0.1
#: Narrower than any vehicle, so that passing closely is no crash.
WIDTH_M = 1.5


def watched(traffic, seconds):
    """Let time pass and yield who is there after each step."""
    for _ in range(round(seconds / STEP_S)):
        traffic.advance(STEP_S)
        yield traffic.vehicles()


def overlap_m(one, other):
    if abs(one.x - other.x) >= WIDTH_M:
        return 0.0
    lengths = (KINDS[one.kind].length_m + KINDS[other.kind].length_m) / 2
    return max(0.0, lengths - abs(one.y - other.y))


@pytest.mark.parametrize("seed", range(4))
def test_nobody_drives_through_anybody_not_even_where_a_van_stands_in_the_lane(seed):
    traffic = Traffic(seed)
    traffic.flow(30)
    traffic.park("van", "van", "white", "bus-stop")
    traffic.park("car", "sedan", "red", "bay-2")
    seen = set()
    for nth, vehicles in enumerate(watched(traffic, 120)):
        if nth == 600:
            traffic.leave("van")
        seen |= {vehicle.id for vehicle in vehicles}
        for one, other in itertools.combinations(vehicles, 2):
            assert overlap_m(one, other) < 0.3, (nth * STEP_S, one, other)
    assert len(seen) > 30


def test_a_vehicle_comes_parks_and_leaves():
    traffic = Traffic()
    traffic.park("van", "van", "white", "bus-stop")
    seconds = 0.0
    for _ in watched(traffic, 30):
        seconds += STEP_S
        if traffic.standing():
            break
    assert 4 < seconds < 15
    (van,) = traffic.vehicles()
    assert (van.x, van.y) == pytest.approx(PLACES["bus-stop"][:2])
    places = {(one.x, one.y) for vehicles in watched(traffic, 20) for one in vehicles}
    assert len(places) == 1
    traffic.leave("van")
    assert any(not vehicles for vehicles in watched(traffic, 20))


def test_it_can_stand_there_already():
    traffic = Traffic()
    traffic.park("car", "suv", "blue", "bay-1", at_once=True)
    assert traffic.standing() == ["car"]
    assert traffic.vehicles()[0][3:5] == PLACES["bay-1"][:2]


def test_slow_traffic_makes_a_queue_that_creeps_and_never_stands():
    traffic = Traffic()
    traffic.flow(30)
    for _ in watched(traffic, 30):
        pass
    traffic.flow(60, 0.6)
    before = {one.id: one.y for one in traffic.vehicles()}
    for vehicles in watched(traffic, 5):
        now = {one.id: one.y for one in vehicles}
    moved = [abs(now[name] - y) for name, y in before.items() if name in now]
    assert len(moved) >= 3
    assert all(1.5 < metres < 8 for metres in moved)


def test_the_same_seed_gives_the_same_traffic():
    def end(seed):
        traffic = Traffic(seed)
        traffic.flow(20)
        return list(watched(traffic, 40))[-1]

    assert end(3) == end(3) != end(4)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (("a", "tank", "red", "bay-1"), "no kind of vehicle 'tank'; there are: hatch"),
        (("a", "van", "pink", "bay-1"), "no colour 'pink'"),
        (("a", "van", "red", "moon"), "no place 'moon'; there are: bus-stop"),
        (("a", "bus", "red", "bay-1"), "a bus does not fit into a bay"),
        (("b", "van", "red", "bay-1"), "there is a vehicle 'b' already"),
        (("a", "van", "red", "bay-2"), "bay-2 is taken"),
    ],
)
def test_what_cannot_be_is_said(what, says):
    traffic = Traffic()
    traffic.park("b", "van", "white", "bay-2", at_once=True)
    with pytest.raises(ValueError, match=says):
        traffic.park(*what)
    with pytest.raises(ValueError, match="no parked vehicle 'a'; there are: b"):
        traffic.leave("a")
