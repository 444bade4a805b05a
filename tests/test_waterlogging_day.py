"""A day of everything that is no flood, through the shipped net and the rule: not one alarm."""

from __future__ import annotations

import dataclasses
import random
from datetime import timedelta

import cv2
import numpy as np
import pytest
from flooding import GAUGE, T0, brief, rule

from lamppost.agent.sight.commission import BY
from lamppost.agent.sight.dry import reference
from lamppost.agent.sight.scene import Eye
from lamppost.agent.sight.water_turns import WaterTurns
from lamppost.drivers.api import Frame, Reading
from lamppost.models.detections import Detections
from lamppost.models.segmenter import load_segmenter
from lamppost.simulators.street.compose import Street
from lamppost.simulators.street.projection import zone
from lamppost.simulators.street.traffic import Traffic

EVERY_S = 10
MORNING = T0.replace(hour=0)
HEIGHT, WIDTH = 360, 640


def boxes(picture) -> Detections:
    """What a detector would find: the simulator's own truth."""
    seen = [one for one in picture.vehicles if one.visible > 0.2]
    found = [np.array(one.box) / (WIDTH, HEIGHT, WIDTH, HEIGHT) for one in seen]
    scores = np.full(len(seen), 0.8, np.float32)
    return Detections(np.array(found, np.float32).reshape(-1, 4), scores, ("car",) * len(seen))


def shaded(image, hour: float):
    """Houses and trees throw shadows that wander over the road."""
    shade = np.zeros((HEIGHT, WIDTH), np.float32)
    left = (hour - 7) / 11 * 1.6 * WIDTH - 0.3 * WIDTH
    cv2.fillPoly(
        shade, [np.array([(left, 120), (left + 260, 90), (left + 420, 360), (left - 80, 360)], np.int32)], 1.0
    )
    for n in range(5):
        middle = (int(left * 0.8 + 90 * n) % WIDTH, 200 + 30 * n)
        cv2.ellipse(shade, middle, (46, 17), 10 * n, 0, 360, 1.0, -1)
    shade = cv2.GaussianBlur(shade, (0, 0), 2.5)[..., None]
    return (image * (1 - 0.5 * shade) * (1 + 0.12 * (1 - shade))).clip(0, 255).astype(np.uint8)


def snowed(image, lies: float):
    """Snow comes to lie, but for the tracks."""
    chance = np.random.default_rng(4)
    rough = cv2.resize(chance.standard_normal((24, 40)).astype(np.float32), (WIDTH, HEIGHT))
    cover = np.clip((rough + 2.6 * lies - 0.8) * 2, 0, 0.92)
    cover[:130] *= 0.3
    for x in (300, 420):
        cv2.line(track := np.zeros((HEIGHT, WIDTH), np.float32), (x, HEIGHT), (320, 110), 1.0, 26)
        cover = cover * (1 - 0.8 * cv2.GaussianBlur(track, (0, 0), 5))
    white = 205 + 8 * cv2.resize(chance.standard_normal((90, 160)).astype(np.float32), (WIDTH, HEIGHT))
    return (image + (white[..., None] - image) * cover[..., None]).clip(0, 255).astype(np.uint8)


def lit(image, chance: random.Random):
    """Head lamps outside the picture glare and lie as streaks on a wet road."""
    x, y = chance.uniform(120, 520), chance.uniform(150, 330)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    spot = np.exp(-(((columns - x) / 60) ** 2) - ((rows - y) / 18) ** 2)
    streak = np.exp(-(((columns - x) / 9) ** 2) - ((rows - y - 50) / 60) ** 2)
    return (image + 170 * spot[..., None] + 150 * streak[..., None]).clip(0, 255).astype(np.uint8)


@dataclasses.dataclass
class Weather:
    """What a time of the day looks like."""

    light: str = "day"
    wet: float = 0.0
    rain: bool = False

    @classmethod
    def at(cls, hour: float) -> Weather:
        light = "day" if 6 <= hour < 18.5 else "dusk"
        if 10 <= hour < 13 or hour >= 21:
            return cls(light, min(0.9, 0.3 + (hour % 10) * 3), rain=True)
        if 13 <= hour < 16:
            return cls(light, max(0.0, 0.9 - 0.3 * (hour - 13)))
        return cls(light)


def told_in(view: str, begin_h: float, end_h: float, *, snow: bool):
    """Return what is told in these hours, but for the gauge's own faults, and the worst shares."""
    streets = {light: Street(view, light) for light in ("day", "dusk")}
    segment = load_segmenter("water", folders=())
    turns = WaterTurns(lambda: segment, None, every_s=1.0)
    turns.wanted = ["cam"]
    found = [Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())]
    eye = Eye(lambda _: found[0], {"road": zone(view, "road")})
    watch = rule(persist_s=30, clear_s=300, gauge=GAUGE | {"at": (0.5, 0.7)})
    state = watch.start(None)
    traffic, chance = Traffic(3), random.Random(5)
    traffic.flow(6)
    told, shares = [], []

    def look(street, hour, at, number):
        how = Weather.at(hour)
        picture = street.frame(
            traffic.vehicles(), wet=round(how.wet / 0.05) * 0.05, rain=how.rain, tick=number
        )
        image = picture.image
        if how.light == "day" and not how.rain:
            image = shaded(image, hour)
        if snow and 16 <= hour < 18.5:
            image = snowed(image, (hour - 16) / 2.5)
        if how.light == "dusk" and number % 3 == 0:
            image = lit(image, chance)
        found[0] = boxes(picture)
        return eye.look(Frame("cam", image, at, number), turns.turn("cam", at.timestamp()))

    # Commissioning: a few looks at the dry road of each light.
    for light, hour in (("dusk", 1.0), ("day", 8.0)):
        maps = []
        for n in range(5):
            at = MORNING - timedelta(days=1) + timedelta(hours=hour, seconds=40 * n)
            picture = streets[light].frame(tick=n)
            found[0] = boxes(picture)
            turn = turns.turn("cam", at.timestamp())
            scene = eye.look(Frame("cam", picture.image, at, n), turn)
            maps.append(scene.water.wet)
        turn.fit.use(scene.water.light, reference(maps, scene, BY, turn.model))
    for number in range(round(begin_h * 3600 / EVERY_S), round(end_h * 3600 / EVERY_S)):
        at = MORNING + timedelta(seconds=EVERY_S * number)
        hour = number * EVERY_S / 3600
        traffic.advance(EVERY_S)
        noisy = 2500 + chance.choice((-2, -1, 0, 1, 2))
        distance = noisy if hour < 12 else 2499  # it sticks at noon, in the rain
        told += state.step(Reading("gutter", "distance", distance, "mm", at), at)
        scene = look(streets[Weather.at(hour).light], hour, at, number)
        told += state.step(scene, at)
        told += state.tick(at)
        shares.append((round(hour, 2), state._view.share))
    worst = sorted(shares, key=lambda pair: -pair[1])[:5]
    return [line for line in brief(told) if line[0] != "gauge.fault"], worst


@pytest.mark.soak
@pytest.mark.parametrize("view", ["kerb", "stop"])
def test_a_day_without_a_flood_gives_no_alarm(view):
    told, worst = told_in(view, 0, 24, snow=False)
    assert told == [], worst


@pytest.mark.soak
@pytest.mark.xfail(strict=True, reason="snow that lies in grey patches is taken for water: docs/models.md")
@pytest.mark.parametrize("view", ["kerb", "stop"])
def test_snow_over_a_stuck_gauge_gives_no_alarm(view):
    told, worst = told_in(view, 14, 19, snow=True)
    assert told == [], worst
