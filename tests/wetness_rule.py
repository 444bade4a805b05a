"""A rule for tests, installed as a third party's: tells the share of the picture that is newly wet."""

from __future__ import annotations

from lamppost.agent.event import Event, Phase, new_id
from lamppost.agent.rules.api import Rule, Shot
from lamppost.drivers.api import Reading


class Wetness(Rule):
    camera: str
    zone: str

    def watches(self):
        return [(self.camera, "")]

    def zones(self):
        return [(self.camera, self.zone)]

    def wants(self):
        return [(self.camera, "water")]

    def start(self, _saved):
        return State(self)


class State:
    """Opens one event at the first look with new water, and asks for its picture."""

    def __init__(self, rule):
        self.rule = rule
        self.told = None
        self.asked = ()

    def step(self, sample, now):
        self.asked = ()
        water = getattr(sample, "water", None)
        if water is None:
            return []
        new = water.wet >= water.threshold
        if water.dry is not None:
            new &= water.dry < water.threshold
        share = float(new.mean())
        reading = Reading(self.rule.camera, "wet", share, "ratio", now)
        if share < 0.05 or self.told:
            return [reading]
        self.told = new_id()
        box = (0.25, 0.5, 0.75, 1.0)
        self.asked = (
            Shot("water", "alarm", box, self.rule.zone, now, self.told, outline=[[box[:2], box[2:]]]),
        )
        measures = {"share": share, "state": "seen", "level": "attention"}
        event = Event(self.told, "road.waterlogging", Phase.OPEN, self.rule.name, now, now)
        event.measures.update(measures)
        return [reading, event]

    def shots(self):
        return self.asked

    def pending(self):
        return ()

    def tick(self, _now):
        return []

    def save(self):
        return {}

    def shift(self, seconds):
        pass
