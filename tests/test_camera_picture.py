"""What is said of pictures: each fault in its own word, after seconds, and no word for what is normal."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from lamppost.drivers.camera.picture import PictureWatch, signs, small_grey
from lamppost.drivers.camera.recording import open_recording

CLIPS = Path(__file__).parent.parent.parent / "shared" / "clips"
RNG = np.random.default_rng(5)


def _street():
    """Return a still street: blocks, lines and texture, wider than any view of it."""
    image = cv2.resize(RNG.integers(30, 200, (24, 48), np.uint8), (960, 480), interpolation=cv2.INTER_NEAREST)
    for x in range(0, 960, 70):
        cv2.line(image, (x, 0), (x + RNG.integers(-200, 200), 480), int(RNG.integers(0, 255)), 3)
    return cv2.add(image, RNG.integers(0, 25, image.shape, np.uint8))


STREET = _street()


class Scene:
    """A camera at a street, looked at twice a second, with noise and a passing car."""

    def __init__(self, watch=None, per_s=2.0):
        self.watch = watch or PictureWatch()
        self.per_s = per_s
        self.now = 100.0
        self.states = []

    def view(self, dx=0, dy=0):
        image = STREET[100 + dy : 280 + dy, 200 + dx : 520 + dx].copy()
        x = int(self.now * 40) % 300
        image[120:150, x : x + 50] = 220
        return cv2.add(image, RNG.integers(0, 5, image.shape, np.uint8))

    def show(self, seconds, make=None):
        """Show what ``make`` returns for so many seconds; return the state at the end."""
        end = self.now + seconds
        while self.now < end - 1e-9:
            self.now += 1 / self.per_s
            self.states.append(self.watch.look((make or self.view)(), self.now))
        return self.states[-1]


def dark(scene):
    return lambda: RNG.integers(0, 8, (180, 320), np.uint8)


def glare(scene):
    return lambda: cv2.add(scene.view(), 190)


def smeared(scene):
    return lambda: cv2.GaussianBlur(scene.view(), (0, 0), 6)


def nudged(scene):
    return lambda: scene.view(14, 6)


def turned(scene):
    return lambda: scene.view(413, -87)


def held(scene):
    image = scene.view()
    return lambda: image


CASES = [
    ("black", dark, 4, 8),
    ("blinded", glare, 8, 14),
    ("blurred", smeared, 12, 22),
    ("frozen", held, 28, 34),
    ("moved", nudged, 15, 60),
    ("moved", turned, 15, 90),
]


@pytest.mark.parametrize(("state", "fault", "not_before_s", "at_last_s"), CASES)
@pytest.mark.parametrize("per_s", [0.5, 2.0, 10.0])
def test_each_fault_has_its_word_after_seconds_and_goes_again(state, fault, not_before_s, at_last_s, per_s):
    scene = Scene(per_s=per_s)
    assert scene.show(150) == "ok"
    shown = fault(scene)
    assert scene.show(not_before_s, shown) == "ok"
    assert scene.show(at_last_s - not_before_s, shown) == state
    assert state in scene.watch.why
    assert scene.show(60) == "ok"
    assert set(scene.states) == {"ok", state}


def test_a_moved_camera_stays_moved_until_it_looks_there_again():
    scene = Scene(per_s=0.5)
    scene.show(120)
    assert scene.show(3600, nudged(scene)) == "moved"
    assert 0.35 < scene.watch.sure <= 1
    assert scene.show(60) == "ok"


def test_a_short_fault_is_none():
    scene = Scene()
    scene.show(120)
    for fault in (dark, glare, smeared, held, turned):
        scene.show(3, fault(scene))
        scene.show(15)
    assert set(scene.states) == {"ok"}


def test_a_frozen_picture_that_is_encoded_anew_is_found_later():
    scene = Scene()
    scene.show(60)
    image = cv2.add(scene.view(), 1)

    def encoded():
        again = image.copy()
        again[RNG.integers(0, 180, 20), RNG.integers(0, 320, 20)] -= 1
        return again

    assert scene.show(60, encoded) == "ok"
    assert scene.show(300, encoded) == "frozen"
    assert scene.show(3) == "ok"


def test_frozen_can_be_switched_off():
    scene = Scene(PictureWatch(frozen_s=0.0))
    assert scene.show(900, held(scene)) == "ok"


def test_dusk_night_and_dawn_are_normal():
    scene = Scene(per_s=0.5)
    scene.show(120)
    hour = 3600.0
    begun = scene.now

    def light():
        share = abs(1 - (scene.now - begun) / hour)
        image = (scene.view() * (0.15 + 0.85 * share)).astype(np.uint8)
        return cv2.add(image, RNG.integers(0, 6, image.shape, np.uint8))

    scene.show(2 * hour, light)
    assert set(scene.states) == {"ok"}


def test_shaking_is_no_movement():
    scene = Scene()
    scene.show(120)
    scene.show(300, lambda: scene.view(int(RNG.integers(-3, 4)), int(RNG.integers(-3, 4))))
    assert set(scene.states) == {"ok"}


@pytest.mark.parametrize("fault", [nudged, smeared])
def test_what_is_normal_outlives_the_reader(fault):
    scene = Scene()
    scene.show(150)
    later = Scene(PictureWatch(memory=scene.watch.remember()))
    assert later.show(60, fault(later)) == {nudged: "moved", smeared: "blurred"}[fault]
    third = Scene(PictureWatch(memory=later.watch.remember()))
    assert third.watch.state == later.watch.state
    assert third.show(60) == "ok"


def test_a_frozen_camera_is_still_frozen_for_the_next_reader():
    scene = Scene()
    scene.show(60)
    still = held(scene)
    assert scene.show(40, still) == "frozen"
    later = Scene(PictureWatch(memory=scene.watch.remember()))
    assert {later.show(10, still), *later.states} == {"frozen"}
    assert later.watch.sure == 1
    assert later.show(3) == "ok"


@pytest.mark.parametrize("memory", [b"", b"x", b"{}\n", b'{"holds": [], "sharpness": {}, "view": {}}\nabc'])
def test_a_memory_that_cannot_be_read_is_forgotten(memory):
    assert Scene(PictureWatch(memory=memory)).show(10) == "ok"


def test_signs_are_those_of_the_picture():
    found = signs(small_grey(np.full((360, 640, 3), 255, np.uint8)))
    assert (found.brightness, found.glare, found.sharpness) == (255.0, 1.0, 0.0)


@pytest.mark.skipif(not CLIPS.is_dir(), reason="the shared clips are not here")
@pytest.mark.parametrize("name", [path.name for path in sorted(CLIPS.glob("real_*.[am][vp][i4]"))])
def test_real_streets_are_ok(name):
    watch, states, newest = PictureWatch(), set(), -1.0
    for at_s, image in open_recording(CLIPS / name, on_break=lambda _error: None):
        if at_s - newest >= 0.5:
            newest = at_s
            states.add(watch.look(small_grey(image), at_s))
    assert states == {"ok"}
