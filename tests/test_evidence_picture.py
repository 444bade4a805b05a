"""Pictures of evidence: drawn where things are, within their size, and without what is to be concealed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lamppost.agent.evidence.blur import BLOCK, Found, Region, conceal, pixelate
from lamppost.agent.evidence.drawing import BOX, ZONE, Caption, Subject, draw
from lamppost.agent.evidence.jpeg import encode
from lamppost.models.detections import Detections

NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), ())
CAPTIONS = (
    Caption("2026-01-05 12:00:46.5 UTC (20:00:46 +0800)", "3/3 alarm, after 180 s"),
    Caption("longgang-07 / pole-0017 / kerb-cam / zone bus-stop", "since 01-05 11:57:46 UTC"),
)
CAR = (0.4, 0.3, 0.6, 0.5)
STOP = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]


def noise(width=640, height=360, seed=1):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def grey(width=640, height=360):
    return np.full((height, width, 3), 90, np.uint8)


def subject(image, shift=(0.0, 0.0), found=NOTHING):
    return Subject(image, shift, CAR, STOP, found, CAPTIONS)


def near(image, colour, x, y, reach=4):
    """Whether a pixel close to (x, y) has about that colour."""
    part = image[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1].astype(int)
    return bool((np.abs(part - colour).max(axis=2) < 40).any())


@pytest.mark.parametrize("width", [320, 640, 1280])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.05, -0.04)])
def test_zone_and_box_sit_on_the_picture_as_it_is(width, shift):
    image = draw(subject(grey(), shift), width)
    height = width * 360 // 640

    def pixel(x, y):
        return round((x + shift[0]) * width), round((y + shift[1]) * height)

    for x, y in STOP:
        assert near(image, ZONE, *pixel(x, y))
    for x, y in [(0.5, 0.2), (0.8, 0.5), (0.5, 0.8), (0.2, 0.5)]:
        assert near(image, ZONE, *pixel(x, y))
    x1, y1, x2, y2 = CAR
    for x, y in [(x1, 0.4), (x2, 0.4), (0.5, y1), (0.5, y2)]:
        assert near(image, BOX, *pixel(x, y), reach=6)
    # A place where there would be a line if the shift were forgotten, and the middle of the car.
    assert near(image, ZONE, round(0.2 * width), round(0.3 * height), reach=2) == (shift == (0.0, 0.0))
    assert (image[pixel(0.5, 0.4)[::-1]] == 90).all()


def test_the_box_covers_nothing_of_the_vehicle_and_the_text_nothing_of_the_picture():
    given = noise()
    shown = draw(subject(given)._replace(zone=()), 640)
    assert shown.shape[0] > 360
    rows, columns = Region(0.4 * 640, 0.3 * 360, 0.6 * 640, 0.5 * 360).within(given)
    assert (shown[rows, columns] == given[rows, columns]).all()
    changed = (shown[:360] != given).any(axis=2)
    around = np.zeros((360, 640), bool)
    around[rows.start - 6 : rows.stop + 6, columns.start - 6 : columns.stop + 6] = True
    assert not changed[~around].any()
    text = shown[360:]
    assert (text.max(axis=2) > 150).sum() > 300


def test_names_in_any_script_stand_below_the_picture():
    plain = draw(subject(grey())._replace(captions=[Caption("", "")]), 640)
    for name in ("bus-stop", "公交站", "Bushaltestelle Süd", "\ud800", "a\0b\n\t", "\U0001f68f", "موقف"):
        shown = draw(subject(grey())._replace(captions=[Caption(name, "")]), 640)
        assert shown.shape == plain.shape
        assert (shown[360:, :300] != plain[360:, :300]).sum() > 30


def test_a_box_that_reaches_beyond_the_picture_is_no_problem():
    for box in [(-0.2, -0.1, 0.3, 0.4), (0.8, 0.9, 1.4, 1.2), (1.2, 1.2, 1.4, 1.4)]:
        for blur in ("none", "found", "outside"):
            draw(subject(grey())._replace(box=box), 640, blur)


@pytest.mark.parametrize("limit", [10_000, 60_000])
@pytest.mark.parametrize("size", [(1920, 1080), (640, 360), (177, 1000), (200, 6000)])
def test_the_worst_of_pictures_fits(size, limit):
    image = noise(*size)
    data, _ = encode(lambda width: draw(subject(image), width), min(1280, size[0]), limit)
    assert len(data) <= limit
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape[1] >= (200 if size[0] > size[1] else 32)


def test_a_quiet_picture_keeps_its_width_and_quality():
    image = cv2.GaussianBlur(noise(1280, 720), (0, 0), 9)
    data, _ = encode(lambda width: draw(subject(image), width), 1280, 60_000)
    shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape[1] == 1280
    assert len(data) <= 60_000
    assert np.abs(shown[:200, :200].astype(int) - image[:200, :200]).mean() < 3


def test_pictures_of_one_camera_are_drawn_once_each_after_the_first():
    image = np.clip(cv2.GaussianBlur(noise(1920, 1080), (0, 0), 1.2).astype(float) * 2 - 128, 0, 255)
    image = image.astype(np.uint8)
    drawn = []

    def drawing(width):
        drawn.append(width)
        return draw(subject(image), width)

    _, fit = encode(drawing, 1280, 60_000)
    assert len(drawn) > 1
    for _ in range(5):
        drawn.clear()
        data, fit = encode(drawing, 1280, 60_000, fit)
        assert len(data) <= 60_000
        assert len(drawn) == 1


def test_a_camera_that_sees_less_detail_gets_its_width_back():
    fit = encode(lambda width: draw(subject(noise(1280, 720)), width), 1280, 60_000)[1]
    assert fit.width < 1280
    quiet = cv2.GaussianBlur(noise(1280, 720), (0, 0), 25)
    for _ in range(12):
        _, fit = encode(lambda width: draw(subject(quiet), width), 1280, 60_000, fit)
    assert fit.width >= 1280
    assert fit.quality == 0


def detail(image, x1, y1, x2, y2, block=BLOCK):
    """The greatest standard deviation within squares of ``block`` pixels that lie wholly inside."""
    part = image[y1:y2, x1:x2].astype(float)
    tall, wide = part.shape[0] // block, part.shape[1] // block
    squares = part[: tall * block, : wide * block].reshape(tall, block, wide, block, 3)
    return squares.std(axis=(1, 3)).mean()


def test_heads_and_plates_outside_the_box_are_gone_and_nothing_else():
    image = noise(1280, 720)
    keep = Region(400, 200, 700, 420)
    person, car = Region(100, 100, 180, 340), Region(800, 300, 1100, 480)
    found = [
        Found("person", 0.9, person),
        Found("car", 0.5, car),
        Found("car", 0.8, Region(405, 205, 705, 418)),
    ]
    shown = conceal(image, keep, found, "found")
    sharp = detail(image, 0, 0, 200, 200)
    assert detail(shown, 104, 104, 176, 150) < 0.15 * sharp
    assert len(np.unique(shown[92:158, 98:182].reshape(-1, 3), axis=0)) <= 16
    assert detail(shown, 805, 385, 1095, 478) < 0.15 * sharp
    rows, columns = keep.within(image)
    assert (shown[rows, columns] == image[rows, columns]).all()
    changed = (shown != image).any(axis=2)
    assert not changed[200:, :250].any()
    assert not changed[:370, 720:].any()
    assert not changed[420:, 400:700].any()


def test_what_is_in_the_box_stays_even_where_others_overlap_it():
    image = noise(1280, 720)
    keep = Region(400.4, 200.4, 700.6, 420.6)
    shown = conceal(
        image,
        keep,
        [Found("person", 0.9, Region(380, 180, 420, 300)), Found("bus", 0.9, Region(600, 100, 1200, 500))],
        "found",
    )
    rows, columns = keep.within(image)
    assert (shown[rows, columns] == image[rows, columns]).all()
    assert (shown[450:490, 610:1190] != image[450:490, 610:1190]).any()


def test_outside_leaves_nothing_but_the_box():
    image = noise(1280, 720)
    keep = Region(400, 200, 700, 420)
    shown = conceal(image, keep, [], "outside")
    for area in [(0, 0, 400, 720), (700, 0, 1280, 720), (400, 0, 700, 200), (400, 420, 700, 720)]:
        assert detail(shown, *area, block=16) < 0.4 * detail(image, *area, block=16)
        assert len(np.unique(shown[area[1] : area[3], area[0] : area[2]].reshape(-1, 3), axis=0)) < 400
    rows, columns = keep.within(image)
    assert (shown[rows, columns] == image[rows, columns]).all()


def test_letters_the_size_of_a_plate_cannot_be_told_apart_any_more():
    """Two plates of one length differ as little after pixelation as the mean of their ink does."""
    shown = []
    for text in ("B-8C 9O6E", "E-3H 5Q8B"):
        car = np.full((180, 300, 3), 120, np.uint8)
        cv2.rectangle(car, (110, 130), (190, 150), (255, 255, 255), -1)
        cv2.putText(car, text, (113, 146), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1)
        shown.append(conceal(car, Region(0, 0, 0, 0), [Found("car", 0.9, Region(0, 0, 300, 180))], "found"))
    part = [one[130:150, 110:190].astype(int) for one in shown]
    assert np.abs(part[0] - part[1]).max() < 40
    assert len(np.unique(part[0].reshape(-1, 3), axis=0)) <= 8


def test_phantoms_and_things_without_plates_conceal_nothing():
    image = noise(1280, 720)
    keep = Region(400, 200, 700, 420)
    phantoms = [
        Found("car", 0.25, Region(300, 20, 1270, 700)),
        Found("truck", 0.25, Region(600, 20, 1270, 700)),
        Found("car", 0.9, Region(380, 150, 800, 500)),
        Found("bird", 0.9, Region(20, 20, 90, 90)),
    ]
    assert (conceal(image, keep, phantoms, "found") == image).all()


def test_a_region_of_no_size_or_outside_the_picture_changes_nothing():
    image = noise(64, 64)
    before = image.copy()
    pixelate(image, Region(10, 10, 10, 40), 8)
    pixelate(image, Region(100, 10, 200, 40), 8)
    assert (image == before).all()


def test_a_shifted_view_conceals_where_the_picture_is():
    people = Detections(
        np.array([[0.1, 0.1, 0.15, 0.5]], np.float32), np.array([0.9], np.float32), ("person",)
    )
    image = noise()
    shown = draw(subject(image, (0.1, 0.1), people)._replace(zone=()), 640, "found")
    changed = (shown[:360] != image).any(axis=2)
    assert changed[75:95, 130:155].mean() > 0.9
    assert not changed[36:50, 64:90].any()
