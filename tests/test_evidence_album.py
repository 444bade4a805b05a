"""The album: each stay's pictures with its event, within bounds, through restarts, at no event's cost."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from roads import START, Car, Street, Watch

from lamppost.agent.config.model import EvidenceSettings
from lamppost.agent.engine import Raised
from lamppost.agent.event import Event, Phase
from lamppost.agent.evidence.album import Album
from lamppost.agent.evidence.captions import clock
from lamppost.agent.evidence.exhibit import MOMENTS
from lamppost.agent.rules.api import Shot


class Scenes:
    """A parking rule on a street with an album beside it, as the agent has it."""

    def __init__(self, folder=None, street=None, watch=None, **bounds):
        self.saves = []
        self.album = Album(
            EvidenceSettings(), "s / pole-1", folder, half_way=lambda: self.saves.append(1), **bounds
        )
        self.watch = watch or Watch(street or Street())
        self.told = []

    def pass_time(self, seconds, cars, *, fps=2.0, seen=True):
        watch = self.watch
        end = watch.now_s + seconds
        while watch.now_s < end - 1e-6:
            now = list(cars(watch.now_s)) if callable(cars) else cars
            scene = watch.street.scene(watch.now_s, now, seen=seen)
            scene = replace(scene, image=cv2.cvtColor(scene.grey, cv2.COLOR_GRAY2BGR))
            events = watch.state.step(scene, scene.at)
            raised = [Raised("r", event) for event in events]
            for one in self.album.look(scene, {"r": watch.state}, raised):
                self.told.append(one)
            watch.now_s = round(watch.now_s + 1 / fps, 3)

    def opened(self):
        """(event, pictures) of all that was opened."""
        found = []
        for one in self.told:
            if one.event.phase is Phase.OPEN:
                one.exhibit.wait(10)
                found.append(one.exhibit.complete(one.event))
        return found

    def restart(self, away_s, folder, *, close=True):
        if close:
            asyncio.run(self.album.close())
        saved = json.loads(json.dumps(self.watch.state.save()))
        self.watch.state = self.watch.rule.start(saved)
        self.watch.now_s += away_s
        self.album = Album(EvidenceSettings(), "s / pole-1", folder)


def drained(album):
    """Wait until all that was given to the threads is done."""
    album._drawer.submit(lambda: None).result(10)
    album._keeper.submit(lambda: None).result(10)


def files(folder):
    return sorted(path.name for path in folder.glob("*.jpg")) if folder.exists() else []


def test_an_open_event_has_its_three_pictures_and_their_hashes():
    scenes = Scenes()
    scenes.pass_time(30, [Car(0.4)])
    ((event, pictures),) = scenes.opened()
    assert [p.moment for p in event.evidence] == list(MOMENTS)
    assert [p.number for p in event.evidence] == [1, 2, 3] == [number for number, _ in pictures]
    assert event.missing == ()
    for picture, (_, jpeg) in zip(event.evidence, pictures, strict=True):
        assert picture.sha256 == hashlib.sha256(jpeg).hexdigest()
        assert picture.bytes == len(jpeg) <= 60_000
        assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape[1] == 320
    assert [(p.at - START).total_seconds() for p in event.evidence] == pytest.approx([3, 10, 20], abs=0.6)
    assert scenes.album.as_json()["held"] == 0
    assert scenes.saves == [1]


def test_passing_traffic_costs_no_picture_and_who_leaves_early_no_disk(tmp_path):
    scenes = Scenes(tmp_path / "evidence")
    scenes.pass_time(60, lambda now: [Car((now * 0.3 + k * 0.5) % 2 - 0.5, look=k) for k in range(4)])
    assert scenes.album.as_json()["taken"] == 0
    scenes.pass_time(8, [Car(0.4)])
    assert scenes.album.as_json()["held"] == 1
    scenes.pass_time(10, [])
    assert scenes.album.as_json() == {
        "held": 0, "held_bytes": 0, "taken": 1, "failed": 0, "no_room": 0, "dropped": 0,
    }  # fmt: skip
    drained(scenes.album)
    assert not (tmp_path / "evidence").exists()


def test_a_hidden_vehicle_is_told_without_the_picture_it_was_hidden_for():
    scenes = Scenes()
    scenes.pass_time(8, [Car(0.4)])
    scenes.pass_time(15, [Car(0.4)], seen=False)
    ((event, _),) = scenes.opened()
    assert [p.moment for p in event.evidence] == ["arrival", "alarm"]
    ((missing),) = event.missing
    assert (missing.number, missing.moment, missing.reason) == (
        2,
        "half-way",
        "it was not in full view in time",
    )


def test_what_stands_longest_keeps_its_pictures_when_there_is_no_room():
    scenes = Scenes(most=2)
    early, late, later = Car(0.15, look=1), Car(0.5, look=2), Car(0.85, look=3)
    scenes.pass_time(4, [early])
    scenes.pass_time(4, [early, late])
    scenes.pass_time(20, [early, late, later])
    figures = scenes.album.as_json()
    assert figures["held"] <= 2
    assert figures["dropped"] == 1
    assert figures["no_room"] > 0
    told = {e.measures["x1"]: [p.moment for p in e.evidence] for e, _ in scenes.opened()}
    assert told[min(told)] == list(MOMENTS)


def test_pictures_survive_an_orderly_end(tmp_path):
    scenes = Scenes(tmp_path)
    scenes.pass_time(6, [Car(0.4)])
    assert files(tmp_path) == []
    scenes.restart(2, tmp_path)
    assert len(files(tmp_path)) == 1
    assert scenes.album.as_json()["held"] == 1
    scenes.pass_time(15, [Car(0.4)])
    ((event, _),) = scenes.opened()
    assert [p.moment for p in event.evidence] == list(MOMENTS)
    assert (event.evidence[0].at - START).total_seconds() < 6
    drained(scenes.album)
    assert len(files(tmp_path)) == 2
    scenes.told[0].exhibit.stored()
    drained(scenes.album)
    assert files(tmp_path) == []


def test_from_half_way_on_pictures_survive_a_kill(tmp_path):
    scenes = Scenes(tmp_path)
    scenes.pass_time(12, [Car(0.4)])
    drained(scenes.album)
    scenes.restart(2, tmp_path, close=False)
    scenes.pass_time(10, [Car(0.4)])
    ((event, _),) = scenes.opened()
    assert [p.moment for p in event.evidence] == list(MOMENTS)
    assert [(p.at - START).total_seconds() for p in event.evidence][:2] == pytest.approx([3, 10], abs=0.6)


def test_what_a_kill_before_half_way_cost_is_taken_anew_or_told_as_missing(tmp_path):
    for second, wanted in ((6, list(MOMENTS)), (9.5, ["half-way", "alarm"])):
        scenes = Scenes(tmp_path)
        scenes.pass_time(second, [Car(0.4)])
        scenes.restart(2, tmp_path, close=False)
        scenes.pass_time(14, [Car(0.4)])
        ((event, _),) = scenes.opened()
        assert [p.moment for p in event.evidence] == wanted
        assert all(p.at >= START + timedelta(seconds=second) for p in event.evidence)
        assert [m.moment for m in event.missing] == (["arrival"] if len(wanted) == 2 else [])
        if event.missing:
            assert "the agent did not run then" in event.missing[0].reason
        scenes.told[0].exhibit.stored()
        drained(scenes.album)


def test_a_vehicle_that_left_during_the_restart_leaves_nothing(tmp_path):
    scenes = Scenes(tmp_path)
    scenes.pass_time(12, [Car(0.4)])
    scenes.restart(20, tmp_path)
    assert len(files(tmp_path)) == 2
    scenes.pass_time(10, [])
    drained(scenes.album)
    assert files(tmp_path) == []


def test_rubbish_in_the_folder_is_removed(tmp_path):
    for name in ("r=1=1000=arrival=1.jpg", "r=1=x=arrival=1.jpg", "notes.txt", "r=2=1000=arrival=1.new"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff half a picture")
    album = Album(EvidenceSettings(), "s", tmp_path)
    assert album.as_json()["held"] == 0
    assert list(tmp_path.iterdir()) == []


def test_more_files_than_there_is_room_for_are_removed_the_youngest_stays_first(tmp_path):
    for number in range(10):
        (tmp_path / f"r={number}={number}000=arrival=1.jpg").write_bytes(
            b"\xff\xd8\xff" + b"x" * 999 + b"\xff\xd9"
        )
    album = Album(EvidenceSettings(), "s", tmp_path, most=4)
    assert album.as_json()["held"] == 4
    assert files(tmp_path) == [f"r={number}={number}000=arrival=1.jpg" for number in range(4)]


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_restart(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    scenes = Scenes(blocked / "evidence")
    scenes.pass_time(30, [Car(0.4)])
    ((event, _),) = scenes.opened()
    assert [p.moment for p in event.evidence] == list(MOMENTS)
    drained(scenes.album)


def test_a_picture_that_cannot_be_drawn_is_told_as_missing():
    scenes = Scenes()
    scenes.album.settings = EvidenceSettings.model_construct(
        pictures=True, max_kb=60, max_width="wide", blur="none"
    )
    scenes.pass_time(30, [Car(0.4)])
    ((event, pictures),) = scenes.opened()
    assert (event.evidence, pictures) == ((), [])
    assert [m.number for m in event.missing] == [1, 2, 3]
    assert "could not be drawn" in event.missing[0].reason
    assert scenes.album.as_json()["failed"] == 3


def test_a_slow_drawer_is_not_buried_in_pictures():
    scenes = Scenes()
    hold = threading.Event()
    scenes.album._drawer.submit(hold.wait)
    cars = [
        Car(0.1 + 0.2 * (k % 5), y=0.2 + 0.2 * (k // 5), width=0.15, height=0.12, look=k + 1)
        for k in range(20)
    ]
    scenes.pass_time(8, cars)
    assert scenes.album.as_json()["taken"] == 16
    hold.set()
    drained(scenes.album)
    scenes.pass_time(2.5, cars)
    assert scenes.album.as_json()["held"] >= 20


def test_an_event_does_not_wait_for_ever_for_its_pictures():
    scenes = Scenes()
    hold = threading.Event()
    scenes.pass_time(19, [Car(0.4)])
    scenes.album._drawer.submit(hold.wait)
    scenes.pass_time(2, [Car(0.4)])
    (raised,) = scenes.told
    raised.exhibit.wait(0.05)
    event, pictures = raised.exhibit.complete(raised.event)
    assert [m.moment for m in event.missing] == ["alarm"]
    assert "not drawn in time" in event.missing[0].reason
    assert len(pictures) == 2
    hold.set()


def test_no_event_is_lost_to_a_rule_that_asks_for_nonsense():
    class Broken:
        def shots(self):
            raise RuntimeError("a bug in a rule of somebody")

        def pending(self):
            return ()

    scenes = Scenes()
    scene = scenes.watch.street.scene(0, [])
    event = Event("e", "k", Phase.OPEN, "r", START, START)
    assert list(scenes.album.look(scene, {"r": Broken()}, [Raised("r", event)])) == [Raised("r", event)]


def test_a_clock_that_is_set_moves_what_is_remembered(tmp_path):
    scenes = Scenes(tmp_path)
    scenes.pass_time(12, [Car(0.4)])
    drained(scenes.album)
    before = files(tmp_path)
    scenes.watch.state.shift(3600)
    scenes.album.shift(3600)
    drained(scenes.album)
    assert len(files(tmp_path)) == 2
    assert files(tmp_path) != before
    scenes.watch.now_s += 3600
    scenes.pass_time(10, [Car(0.4)])
    ((event, _),) = scenes.opened()
    assert [(p.at - START).total_seconds() for p in event.evidence] == pytest.approx(
        [3603, 3610, 3620], abs=0.6
    )


def test_rules_that_run_no_more_leave_no_pictures(tmp_path):
    scenes = Scenes(tmp_path)
    scenes.pass_time(12, [Car(0.4)])
    scenes.album.retain(["r"])
    assert scenes.album.as_json()["held"] == 2
    scenes.album.retain(["another"])
    drained(scenes.album)
    assert scenes.album.as_json()["held"] == 0
    assert files(tmp_path) == []


def test_without_pictures_nothing_is_taken_and_all_is_told():
    scenes = Scenes()
    scenes.album.settings = EvidenceSettings(pictures=False)
    scenes.pass_time(30, [Car(0.4)])
    assert [one.exhibit for one in scenes.told] == [None]
    assert scenes.album.as_json()["taken"] == 0


def test_the_next_vehicle_under_the_same_key_gets_pictures_of_its_own():
    album = Album(EvidenceSettings(), "s")
    street = Street()

    class Rule:
        wanted = ()

        def shots(self):
            return self.wanted

        def pending(self):
            return ("1",)

    rule = Rule()
    for second in (0, 60):
        scene = street.scene(second + 5, [])
        scene = replace(scene, image=cv2.cvtColor(scene.grey, cv2.COLOR_GRAY2BGR))
        rule.wanted = [Shot("1", "arrival", (0.4, 0.4, 0.5, 0.5), "all", START + timedelta(seconds=second))]
        album.look(scene, {"r": rule}, [])
        album.look(scene, {"r": rule}, [])
    assert album.as_json()["taken"] == 2
    assert album.as_json()["held"] == 1


@pytest.mark.parametrize(
    ("zone", "wanted"),
    [("UTC", "2026-01-05 12:00:46.5 UTC"), ("Asia/Shanghai", "2026-01-05 12:00:46.5 UTC (20:00:46 +0800)")],
)
def test_times_are_utc_and_local_where_that_is_another(monkeypatch, zone, wanted):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert clock(datetime(2026, 1, 5, 12, 0, 46, 512345, UTC)) == wanted
        assert clock(datetime(1970, 1, 1, 0, 3, tzinfo=UTC)) == "clock not set"
    finally:
        monkeypatch.undo()
        time.tzset()
