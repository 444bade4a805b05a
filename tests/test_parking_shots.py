"""Which pictures a parking rule asks for, and of what: never of passing traffic, never of what is hidden."""

from __future__ import annotations

import pytest
from roads import START, Car, Street, Watch

from lamppost.agent.rules.api import Witness


class Asking(Watch):
    """A watch that notes the first time that each shot was asked for."""

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.asked = {}
        self.dropped = []

    def pass_time(self, seconds, cars, *, fps=2.0, **how):
        end = self.now_s + seconds
        while self.now_s < end - 1e-6:
            at_s = self.now_s
            super().pass_time(1 / fps, cars, fps=fps, **how)
            for shot in self.state.shots():
                self.asked.setdefault((shot.key, shot.since, shot.moment), (at_s, shot))

    def moments(self):
        return [(moment, at_s) for (_, _, moment), (at_s, _) in self.asked.items()]


def test_a_parking_rule_is_a_witness():
    assert isinstance(Watch(Street()).state, Witness)


def test_three_pictures_of_a_violation_and_the_last_names_the_event():
    watch = Asking(Street())
    watch.pass_time(5, [])
    watch.pass_time(40, [Car(0.4)])
    assert watch.moments() == [
        ("arrival", pytest.approx(8, abs=1)),
        ("half-way", pytest.approx(15, abs=1)),
        ("alarm", pytest.approx(25, abs=1)),
    ]
    (event,) = watch.events
    shots = [shot for _, shot in watch.asked.values()]
    assert [shot.event for shot in shots] == ["", "", event.id]
    assert len({(shot.key, shot.since) for shot in shots}) == 1
    assert shots[0].box == pytest.approx(tuple(Car(0.4).box), abs=0.02)


def test_passing_traffic_is_never_photographed():
    watch = Asking(Street(), dwell_s=20)
    watch.pass_time(120, lambda now: [Car((now * 0.3 + k * 0.5) % 2 - 0.5, look=k) for k in range(4)])
    assert watch.moments() == []


def test_what_stands_outside_the_zone_or_has_another_size_is_not_photographed():
    watch = Asking(Street(), zone="left", max_height=0.3)
    watch.pass_time(15, [Car(0.8), Car(0.3, y=0.95, height=0.5, look=5)])
    assert watch.moments() == []


def test_a_hidden_vehicle_is_photographed_when_it_is_seen_again():
    watch = Asking(Street())
    watch.pass_time(8, [Car(0.4)])
    watch.pass_time(6, [Car(0.4)], seen=False)
    watch.pass_time(4, [Car(0.4)])
    assert watch.moments() == [
        ("arrival", pytest.approx(3, abs=0.6)),
        ("half-way", pytest.approx(14, abs=0.6)),
    ]


def test_the_next_vehicle_in_the_place_has_pictures_of_its_own():
    watch = Asking(Street())
    watch.pass_time(8, [Car(0.4)])
    first = set(watch.state.pending())
    watch.pass_time(10, [])
    assert not first & set(watch.state.pending())
    watch.pass_time(8, [Car(0.4, look=77)])
    assert [moment for moment, _ in watch.moments()] == ["arrival", "arrival"]
    assert {since >= START for _, since, _ in watch.asked} == {True}


def test_what_was_reported_is_pending_no_more():
    watch = Asking(Street())
    watch.pass_time(19, [Car(0.4)])
    assert len(watch.state.pending()) == 1
    watch.pass_time(10, [Car(0.4)])
    assert not watch.state.pending()


def test_after_a_restart_the_same_key_goes_on():
    watch = Asking(Street(), dwell_s=40)
    watch.pass_time(8, [Car(0.4)])
    watch.restart(away_s=2)
    watch.pass_time(40, [Car(0.4)])
    assert [moment for moment, _ in watch.moments()] == ["arrival", "half-way", "alarm"]
    assert len({(key, since) for key, since, _ in watch.asked}) == 1


def test_an_alarm_waits_until_the_vehicle_is_seen():
    bus = Car(0.4, y=0.85, width=0.5, height=0.4, look=7, label="bus")
    watch = Asking(Street())
    watch.pass_time(17, [Car(0.4)])
    watch.pass_time(6, [Car(0.4), bus], seen=[False, True])
    assert "alarm" not in [name[2] for name in watch.asked]
    watch.pass_time(2, [Car(0.4)])
    shot = watch.asked[next(name for name in watch.asked if name[2] == "alarm")][1]
    assert not shot.hidden
