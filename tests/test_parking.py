"""Parking: once for each violation, from when the car came to rest, through all that a street does."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from roads import START, Car, Street, Watch

from lamppost.agent.rules.parking import Parking
from lamppost.agent.rules.schedule import Schedule
from lamppost.models.stays import Stays
from lamppost.models.view import View


def test_a_car_is_reported_once_and_closed_when_it_leaves():
    watch = Watch(Street())
    watch.pass_time(5, [])
    watch.pass_time(60, [Car(0.4)])
    watch.pass_time(20, [])
    assert [phase for _, phase in watch.told] == ["open", "close"]
    assert watch.told[0][0] == pytest.approx(25, abs=1)
    assert watch.since()[0] == pytest.approx(5, abs=0.6)
    assert watch.told[1][0] == pytest.approx(65, abs=1)
    assert len({e.id for e in watch.events}) == 1
    assert watch.events[1].measures["duration_s"] == pytest.approx(60, abs=1.5)


def test_a_car_that_was_there_before_counts_from_the_first_picture():
    watch = Watch(Street())
    watch.pass_time(30, [Car(0.4)])
    assert watch.told == [(pytest.approx(20, abs=0.6), "open")]
    assert watch.since() == [0.0]


@pytest.mark.parametrize("fps", [1.5, 2, 5, 10])
def test_the_pace_of_the_camera_changes_nothing(fps):
    watch = Watch(Street())
    watch.pass_time(40, [Car(0.4)], fps=fps)
    assert watch.told == [(pytest.approx(20, abs=1.0), "open")]


def test_a_night_of_lost_detections_is_one_stay():
    rng = np.random.default_rng(3)
    watch = Watch(Street(), dwell_s=120, update_s=0)
    watch.pass_time(600, [Car(0.4, score=0.45)], seen=lambda _: bool(rng.random() < 0.3))
    assert [phase for _, phase in watch.told] == ["open"]
    assert watch.told[0][0] == pytest.approx(120, abs=3)


def test_long_gaps_while_the_place_looks_the_same_are_one_stay():
    watch = Watch(Street(), dwell_s=60)
    for _ in range(4):
        watch.pass_time(10, [Car(0.4)])
        watch.pass_time(15, [Car(0.4)], seen=False)
    assert watch.told == [(pytest.approx(60, abs=3), "open")]


def test_traffic_in_front_does_not_end_a_stay():
    watch = Watch(Street(), dwell_s=40)

    def bus(now: float) -> list[Car]:
        x = (now * 0.25) % 2.5 - 0.5
        return [Car(0.4), Car(x, y=0.85, width=0.5, height=0.4, look=7, label="bus")]

    watch.pass_time(100, bus, seen=lambda now: [abs((now * 0.25) % 2.5 - 0.9) > 0.35, True])
    assert [phase for _, phase in watch.told] == ["open"]
    assert watch.told[0][0] == pytest.approx(40, abs=3)


def test_light_that_jumps_does_not_end_a_stay():
    watch = Watch(Street(), dwell_s=40)
    watch.pass_time(90, [Car(0.4)], light=lambda now: 0.45 if int(now / 7) % 2 else 1.0)
    assert watch.told == [(pytest.approx(40, abs=1), "open")]


def test_a_stalled_stream_is_waited_for():
    watch = Watch(Street(), dwell_s=60)
    watch.pass_time(20, [Car(0.4)])
    watch.now_s += 30
    watch.pass_time(20, [Car(0.4)])
    assert watch.since() == [0.0]
    assert [phase for _, phase in watch.told] == ["open"]


def test_another_car_after_a_stall_begins_anew():
    watch = Watch(Street(), dwell_s=60)
    watch.pass_time(40, [Car(0.4)])
    watch.now_s += 30
    watch.pass_time(50, [Car(0.4, look=99)])
    assert watch.told == []


def test_a_restart_goes_on_with_stay_and_event():
    watch = Watch(Street(), dwell_s=60)
    watch.pass_time(40, [Car(0.4)])
    watch.restart(away_s=8)
    watch.pass_time(20, [Car(0.4)])
    assert watch.told == [(pytest.approx(60, abs=1), "open")]
    watch.restart(away_s=8)
    watch.pass_time(20, [Car(0.4)])
    assert [phase for _, phase in watch.told] == ["open"]
    watch.pass_time(10, [])
    assert [phase for _, phase in watch.told] == ["open", "close"]
    assert len({e.id for e in watch.events}) == 1


def test_a_car_that_left_during_the_restart_is_closed():
    watch = Watch(Street(), dwell_s=20)
    watch.pass_time(40, [Car(0.4)])
    watch.restart(away_s=20)
    watch.pass_time(10, [])
    assert [phase for _, phase in watch.told] == ["open", "close"]


def test_passing_traffic_is_never_parking():
    watch = Watch(Street(), dwell_s=5)
    watch.pass_time(120, lambda now: [Car((now * 0.3 + k * 0.5) % 2 - 0.5, look=k) for k in range(4)])
    assert watch.told == []


def test_a_queue_that_creeps_is_no_parking():
    watch = Watch(Street(), dwell_s=20)

    def queue(now: float) -> list[Car]:
        stop = int(now / 9)  # every 9 s the queue moves up by a car's length and a bit
        rolling = max(0.0, now - stop * 9 - 7) / 2
        return [Car(1.2 - 0.24 * (stop + rolling) + 0.24 * k, look=k) for k in range(40)]

    watch.pass_time(150, queue)
    assert watch.told == []


def test_people_are_never_vehicles():
    watch = Watch(Street(), dwell_s=5)
    watch.pass_time(60, [Car(0.4, label="person")])
    assert watch.told == []


def test_the_next_car_in_the_same_place_is_a_violation_of_its_own():
    watch = Watch(Street(), dwell_s=20)
    watch.pass_time(40, [Car(0.4, look=1)])
    watch.pass_time(6, [])
    watch.pass_time(40, [Car(0.4, look=55)])
    assert [phase for _, phase in watch.told] == ["open", "close", "open"]
    assert len({e.id for e in watch.events}) == 2


def test_the_same_car_back_in_its_place_is_no_new_violation_within_the_repeat():
    for repeat_s, opened in ((120, 1), (0, 2)):
        watch = Watch(Street(), dwell_s=20, repeat_s=repeat_s)
        watch.pass_time(40, [Car(0.4)])
        watch.pass_time(10, [])
        watch.pass_time(40, [Car(0.4)])
        assert [phase for _, phase in watch.told].count("open") == opened


def test_only_the_zone_counts_and_there_the_wheels():
    watch = Watch(Street(), zone="left")
    watch.pass_time(40, [Car(0.62), Car(0.2, look=5)])
    (event,) = watch.events
    assert event.zone == "left"
    assert event.measures["x1"] == pytest.approx(0.1, abs=0.02)


def test_size_limits_keep_what_cannot_be_a_vehicle_out():
    watch = Watch(Street(), min_height=0.1, max_height=0.3)
    watch.pass_time(40, [Car(0.2, height=0.05, y=0.3), Car(0.6, height=0.5, y=0.9)])
    assert watch.told == []


def test_updates_come_at_their_interval():
    watch = Watch(Street(), dwell_s=10, update_s=20)
    watch.pass_time(75, [Car(0.4)])
    assert [phase for _, phase in watch.told] == ["open", "update", "update", "update"]
    assert [e.revision for e in watch.events] == [0, 1, 2, 3]


def test_loading_gets_its_grace():
    for person, opened in ((Car(0.52, y=0.72, width=0.03, height=0.1, label="person"), 50), (None, 20)):
        watch = Watch(Street(), dwell_s=20, grace_s=30)
        watch.pass_time(80, [Car(0.4), *([person] if person else [])])
        assert watch.told[0] == (pytest.approx(opened, abs=1), "open")


def test_the_time_before_the_schedule_begins_does_not_count():
    hours = {"hours": "12:01-13:00", "days": "mon", "time_zone": "UTC"}
    watch = Watch(Street(), dwell_s=20, schedule=hours)
    watch.pass_time(100, [Car(0.4)])
    assert watch.told == [(pytest.approx(80, abs=1), "open")]


@pytest.mark.parametrize(
    ("hours", "days", "at", "began"),
    [
        ("07:00-19:00", "mon-fri", "2026-01-05T08:00+08:00", "2026-01-05T07:00+08:00"),
        ("07:00-19:00", "mon-fri", "2026-01-04T08:00+08:00", None),
        ("22:00-06:00", "fri,sat", "2026-01-04T05:00+08:00", "2026-01-03T22:00+08:00"),
        ("22:00-06:00", "fri,sat", "2026-01-05T05:00+08:00", None),
        ("00:00-24:00", "sat-mon", "2026-01-05T23:59+08:00", "2026-01-05T00:00+08:00"),
    ],
)
def test_schedules_follow_the_streets_own_time(hours, days, at, began):
    schedule = Schedule(hours=hours, days=days, time_zone="Asia/Shanghai")
    found = schedule.began(datetime.fromisoformat(at).astimezone(UTC))
    assert found == (None if began is None else datetime.fromisoformat(began))


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"schedule": {"days": "mo"}}, "is no day"), ({"schedule": {"hours": "7-19"}}, "no span of hours"),
     ({"schedule": {"time_zone": "Mars/Base"}}, "no time zone"), ({"dwell_s": 0}, "greater than 0")],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        Parking(**{"name": "r", "camera": "c", "zone": "z", **settings})


def test_the_view_says_how_far_it_was_nudged():
    street, view = Street(), View()
    scene = street.scene(0, [Car(0.3), Car(0.7, look=4)])
    assert view.look(scene.grey, 0.0)[:2] == (0.0, 0.0)
    moved = np.roll(street.scene(1, [Car(0.3), Car(0.7, look=4)]).grey, (3, -8), (0, 1))
    shift = view.look(moved, 1.0)
    assert shift.dx == pytest.approx(-8 / 320, abs=0.002)
    assert shift.dy == pytest.approx(3 / 180, abs=0.004)
    dark = view.look(np.zeros_like(moved), 2.0)
    assert dark == shift


def test_stays_with_twenty_vehicles_are_bounded():
    street, stays = Street(), Stays()
    cars = [Car(0.05 + 0.1 * (k % 10), y=0.4 + 0.3 * (k // 10), width=0.08, look=k) for k in range(20)]
    for step in range(60):
        scene = street.scene(step / 2, cars)
        found = scene.detections
        stays.update(step / 2, found.boxes, found.scores, found.labels, found.boxes, scene.grey)
    assert len(stays.all) == 20
    assert all(stay.since <= 1.0 for stay in stays.all)
    assert START.tzinfo is not None
