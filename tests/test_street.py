"""Pictures of the simulated street: the truth that comes with them, and what the shipped detector sees."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lamppost.models.detector import load_detector
from lamppost.simulators.street.compose import Street
from lamppost.simulators.street.names import COLOURS, KINDS, LIGHTS, PLACES, VIEWS, ZONES, Vehicle
from lamppost.simulators.street.projection import HEIGHT, WIDTH, view, zone
from lamppost.simulators.street.renders import load, sets
from lamppost.simulators.street.traffic import Traffic

SETS = [tuple(name.split("-")) for name in sets()]


def away(y, kind="sedan", colour="red", name="a"):
    return Vehicle(name, kind, colour, 1.6, y, towards=False)


def test_every_view_is_there_in_every_light():
    assert {*SETS} == {*itertools.product(VIEWS, LIGHTS)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", SETS, ids="-".join)
def test_a_box_is_exactly_what_the_vehicle_covers_and_the_picture_changes_there(place, kind):
    street = Street(*place)
    empty = street.frame(noise=False).image.astype(int)
    for y in (16.0, 27.5):
        picture = street.frame([away(y, kind)], noise=False)
        (seen,) = picture.vehicles
        rows, columns = np.nonzero(picture.owner == 1)
        assert seen.box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert seen.visible == 1
        changed = np.abs(picture.image.astype(int) - empty).max(2) > 8
        assert changed[picture.owner == 1].mean() > 0.8
        left, top, right, bottom = seen.box
        high, wide = bottom - top, right - left
        around = np.zeros_like(changed)
        around[
            max(0, top - 8) : bottom + 8 + high // 5, max(0, left - 8 - wide // 2) : right + 8 + wide // 2
        ] = True
        assert changed[~around].mean() < 0.002


@pytest.mark.parametrize("place", SETS, ids="-".join)
def test_vehicles_stand_on_the_road_wherever_they_are(place):
    street, camera = Street(*place), view(place[0])
    for y in np.arange(10, 45, 2.3):
        (seen,) = street.frame([away(float(y))]).vehicles
        # The rear lower edge of the body, a hand above the road, is the lowest that is seen of a car.
        tail = camera.project(1.6, float(y) - KINDS["sedan"].length_m / 2, 0.12 + 0.00035 * (y - 15) ** 2)
        assert seen.box[3] == pytest.approx(tail.y, abs=4 + 120 / y)
        assert seen.box[0] < tail.x < seen.box[2]


def test_a_vehicle_moves_steadily_without_jumps_from_pose_to_pose():
    street = Street()
    centres, heights = [], []
    for y in np.arange(9.0, 40.0, 0.25):
        (seen,) = street.frame([away(float(y))], noise=False).vehicles
        centres.append(((seen.box[0] + seen.box[2]) / 2, (seen.box[1] + seen.box[3]) / 2))
        heights.append(seen.box[3] - seen.box[1])
    steps = np.abs(np.diff(np.array(centres), axis=0)).max(1)
    assert steps.max() < 9
    assert np.abs(np.diff(np.log(heights))).max() < 0.12


def test_what_is_nearer_hides_what_is_behind():
    street = Street()
    near = away(10.0, "bus", "blue", "near")
    picture = street.frame([near, away(18.0, name="far")])
    by_id = {seen.id: seen for seen in picture.vehicles}
    assert [seen.id for seen in picture.vehicles] == ["far", "near"]
    assert by_id["near"].visible == 1
    assert by_id["far"].visible < 0.6
    alone = street.frame([away(18.0, name="far")]).vehicles[0]
    assert by_id["far"].box == alone.box, "the box is of all of it, hidden or not"


@pytest.mark.parametrize("place", SETS, ids="-".join)
def test_the_water_mask_is_what_lies_below_the_level_and_no_vehicle(place):
    street, height = Street(*place), load(*place).height
    assert not street.frame().water.any()
    shares = []
    for level in (20, 60, 120, 200, 300):
        picture = street.frame([away(12.0)], water_mm=level)
        below = height < level / 1000
        assert ((picture.water > 0) == (below & (picture.owner == 0))).all()
        shares.append((picture.water > 0).mean())
    assert shares == sorted(shares)
    assert shares[0] < 0.08
    assert shares[-1] > 0.5


def test_water_is_seen_where_the_mask_says():
    street = Street()
    dry, flooded = street.frame(noise=False), street.frame(noise=False, water_mm=200)
    changed = np.abs(dry.image.astype(int) - flooded.image).max(2) > 8
    assert changed[flooded.water > 0].mean() > 0.9
    # Beside the water there is a wet margin of 4.5 cm in height, and no more.
    assert changed[load("kerb", "day").height > 0.28].mean() < 0.02


def test_a_body_dips_into_deep_water():
    street = Street()
    parked = Vehicle("a", "hatch", "red", 4.45, 9.4, towards=False)
    dry = street.frame([parked]).vehicles[0]
    deep = street.frame([parked], water_mm=300).vehicles[0]
    assert deep.box == dry.box
    # Seen from above, little of a body is lower than 23 cm.
    assert 0.9 < deep.visible < 0.998


def test_the_same_call_gives_the_same_picture_and_another_tick_other_rain():
    street = Street()

    def one(tick):
        return street.frame([away(12.0)], rain=True, wet=0.9, water_mm=60, tick=tick).image

    assert (one(3) == one(3)).all()
    assert (one(3) != one(4)).any()


def test_every_colour_can_be_told_from_the_others():
    street = Street()
    means = {}
    for colour in COLOURS:
        picture = street.frame([away(12.0, colour=colour)], noise=False)
        means[colour] = picture.image[picture.owner == 1].astype(float).mean(0)
    for one, other in itertools.combinations(means.values(), 2):
        assert np.abs(one - other).max() > 6
    assert means["red"][2] > means["red"][0] + 40
    assert means["blue"][0] > means["blue"][2] + 20


def test_what_was_not_rendered_is_told():
    with pytest.raises(LookupError, match="no pictures of view 'moon' in light 'day'; there are: kerb-day"):
        Street("moon")
    with pytest.raises(LookupError, match="no pictures of a pink sedan"):
        Street().frame([away(12.0, colour="pink")])
    with pytest.raises(LookupError, match="no zone 'moon'"):
        zone("kerb", "moon")


@pytest.mark.parametrize("name", VIEWS)
def test_parked_vehicles_touch_the_ground_in_their_zone_and_zones_are_in_the_picture(name):
    for polygon in (zone(name, one) for one in ZONES):
        assert len(polygon) == 4
        assert all(0 <= x <= 1 and 0 <= y <= 1 for point in polygon for x, y in [point])
    street = Street(name)
    for place, (x, y, towards) in PLACES.items():
        kind = "van" if towards else "suv"
        (seen,) = street.frame([Vehicle(place, kind, "white", x, y, towards)]).vehicles
        wheels = (
            (seen.box[0] + seen.box[2]) / 2 / WIDTH,
            (seen.box[3] - 0.12 * (seen.box[3] - seen.box[1])) / HEIGHT,
        )
        assert _inside(wheels, zone(name, "bus-stop" if towards else "bays")), place


def _inside(point, polygon):
    x, y = point
    crossings = 0
    for (x0, y0), (x1, y1) in itertools.pairwise([*polygon, polygon[0]]):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            crossings += 1
    return crossings % 2 == 1


@pytest.mark.parametrize("place", SETS, ids="-".join)
def test_the_shipped_detector_finds_the_vehicles_and_none_in_the_empty_street(place):
    street, detector = Street(*place), load_detector()
    traffic = Traffic(5)
    traffic.flow(30)
    traffic.park("van", "van", "white", "bus-stop", at_once=True)
    traffic.park("suv", "suv", "blue", "bay-2", at_once=True)
    traffic.advance(10)
    found = wanted = 0
    for tick in range(20):
        traffic.advance(2.5)
        picture = street.frame(traffic.vehicles(), tick=tick)
        boxes = _vehicles(detector(picture.image), 0.3)
        for seen in picture.vehicles:
            if seen.visible >= 0.7 and seen.box[3] - seen.box[1] >= 20 and _whole(seen.box):
                wanted += 1
                found += any(_overlap(seen.box, box) > 0.5 for box in boxes)
    assert wanted > 40
    assert found / wanted >= 0.9
    assert not _vehicles(detector(street.frame().image), 0.3)


def _vehicles(detections, score):
    scale = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT])
    return [
        box * scale
        for box, value, label in zip(detections.boxes, detections.scores, detections.labels, strict=True)
        if value >= score and label in ("car", "bus", "truck")
    ]


def _whole(box):
    return box[0] > 1 and box[1] > 1 and box[2] < WIDTH - 1 and box[3] < HEIGHT - 1


def _overlap(one, other):
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    common = max(0, wide) * max(0, high)
    return common / (
        (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - common
    )
