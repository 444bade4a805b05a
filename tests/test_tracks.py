"""Tracks: one number for one thing on its way, at any pace of looking."""

from __future__ import annotations

import numpy as np
import pytest

from lamppost.models.tracks import KEEP_S, MOST, Tracks


def look(tracks, now, *things):
    """Show things as (middle x, lower edge, width, height, score, label)."""
    things = sorted(things, key=lambda thing: -thing[4])
    boxes = np.array([[x - w / 2, y - h, x + w / 2, y] for x, y, w, h, _, _ in things], np.float32)
    scores = np.array([thing[4] for thing in things], np.float32)
    return tracks.update(now, boxes.reshape(-1, 4), scores, tuple(thing[5] for thing in things))


def car(x, y=0.6, score=0.7, label="car"):
    return (x, y, 0.16, 0.14, score, label)


@pytest.mark.parametrize("fps", [2, 5, 10, 25])
def test_cars_that_pass_each_other_keep_their_numbers(fps):
    rng = np.random.default_rng(1)
    tracks = Tracks()
    for step in range(4 * fps):
        now = step / fps
        wobble = rng.normal(0, 0.003, 4)
        cars = [
            car(0.1 + 0.2 * now + wobble[0], 0.6 + wobble[1]),
            car(0.9 - 0.2 * now + wobble[2], 0.7 + wobble[3]),
        ]
        seen, _ = look(tracks, now, *cars)
        assert len(seen) == 2
    assert {track.number for track in tracks.all} == {1, 2}
    right = {track.number: track.vx > 0 for track in tracks.all}
    assert right[next(t.number for t in tracks.all if t.box[3] < 0.65)]


def test_a_car_that_drives_its_own_length_between_two_looks_is_followed():
    tracks = Tracks()
    for step in range(6):
        look(tracks, step * 0.5, car(0.05 + 0.16 * step))
    (track,) = tracks.all
    assert track.sights == 6
    assert track.vx == pytest.approx(0.32, rel=0.1)


def test_a_gap_is_bridged_by_the_velocity():
    tracks = Tracks()
    for step in range(25):
        now = step / 5
        look(tracks, now, *([] if 1.4 < now < 2.6 else [car(0.1 + 0.16 * now)]))
    assert [track.number for track in tracks.all] == [1]


def test_what_was_not_seen_for_long_has_ended():
    tracks = Tracks()
    look(tracks, 0.0, car(0.5))
    assert look(tracks, KEEP_S - 0.1) == ([], [])
    seen, ended = look(tracks, KEEP_S + 0.1)
    assert not seen
    assert [track.number for track in ended] == [1]
    assert tracks.all == []


def test_weak_boxes_go_on_with_a_track_but_begin_none():
    tracks = Tracks()
    look(tracks, 0.0, car(0.2, score=0.25))
    assert tracks.all == []
    for step in range(4):
        look(tracks, step * 0.5, car(0.2, score=0.6 if step < 2 else 0.25))
    assert tracks.all[0].sights == 4


def test_a_person_at_a_car_is_another_thing_and_a_truck_may_be_the_car():
    tracks = Tracks()
    look(tracks, 0.0, car(0.5))
    look(tracks, 0.5, car(0.5, label="truck"), car(0.51, score=0.9, label="person"))
    assert [(track.number, track.label) for track in tracks.all] == [(1, "car"), (2, "person")]


def test_a_set_clock_moves_the_tracks():
    tracks = Tracks()
    look(tracks, 0.0, car(0.5))
    tracks.shift(1000.0)
    look(tracks, 1000.5, car(0.5))
    assert [track.number for track in tracks.all] == [1]


def test_a_crowd_is_bounded():
    tracks = Tracks()
    rng = np.random.default_rng(2)
    for step in range(20):
        look(tracks, step * 0.1, *[car(*rng.uniform(0.1, 0.9, 2)) for _ in range(300)])
        assert len(tracks.all) <= MOST
