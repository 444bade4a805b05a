"""Render streets that differ: each seen by cameras on poles, dry, wet, and under opaque water.

    python models/build/water/streets.py FOLDER COUNT [FIRST]

FOLDER gets, for each view, three pictures and a map of heights; what is there already is left alone, so
that an interrupted run goes on. Water of any level, colour and depth is mixed from them while training,
with its exact mask (`ponds.py`). Needs bpy (see requirements-render.txt); scenes, materials and vehicles
are those of the simulated street, with another ground, sky, asphalt, camera and traffic each time.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[3] / "simulators/street/build"))

import bpy  # noqa: E402
import ground  # noqa: E402
import studio  # noqa: E402
import town  # noqa: E402
import vehicles  # noqa: E402
from materials import Wet  # noqa: E402
from nodes import material  # noqa: E402
from plan import Light, Pose, View  # noqa: E402

SIZE = (384, 216)
VIEWS = 2
SAMPLES, THREADS = 8, 2
#: Height of the rendered water above the lowest gutter; lower levels show part of it.
WATER_M = 0.28
#: Strength of each sky that comes with Blender at which a street is well exposed.
SKIES = {"city": 1.4, "sunset": 2.2, "sunrise": 1.6, "forest": 1.4, "courtyard": 1.4}
NIGHT_SHARE = 0.25
LANES = ((4.45, 0.0), (4.45, 180.0), (1.6, 0.0), (-1.7, 180.0))
PAINTS = ((0.7, 0.7, 0.7), (0.05, 0.05, 0.05), (0.25, 0.27, 0.3), (0.4, 0.04, 0.03), (0.04, 0.08, 0.25))


class Street:
    """One street, decided by its number."""

    def __init__(self, number: int) -> None:
        chance = self.chance = np.random.RandomState(number)
        self.number = number
        self.night = chance.rand() < NIGHT_SHARE
        ground.shape = ground.Shape(
            camber=chance.uniform(0.008, 0.03),
            sag=chance.uniform(0.0001, 0.0005),
            sag_at=chance.uniform(6, 26),
            dips=tuple(_dip(chance) for _ in range(chance.randint(1, 6))),
            bumps=tuple(_bump(chance) for _ in range(5)),
        )
        self.stone = tuple(0.055 * chance.uniform(0.3, 3.2) * chance.uniform(0.92, 1.08, 3))
        self.mud = tuple(np.array((0.08, 0.07, 0.055)) * chance.uniform(0.3, 2.2) * (1, *chance.uniform(0.75, 1.03, 2)))
        self.ripple = chance.uniform(0.02, 0.45)
        self.traffic = [self._vehicle() for _ in range(chance.randint(0, 6))]
        self.light = self._light()
        self.views = [_view(chance) for _ in range(VIEWS)]

    def _vehicle(self) -> tuple[str, Pose]:
        chance = self.chance
        kind = str(chance.choice(["hatch", "sedan", "suv", "van", "bus"], p=[0.3, 0.3, 0.2, 0.14, 0.06]))
        x, heading = LANES[chance.randint(len(LANES))]
        return kind, Pose("", x + chance.uniform(-0.2, 0.2), chance.uniform(8, 45), heading + chance.uniform(-4, 4))

    def _light(self) -> Light:
        chance = self.chance
        sky = str(chance.choice(list(SKIES)))
        turn, strength = chance.uniform(0, 360), SKIES[sky] * chance.uniform(0.6, 1.4)
        if self.night:
            return Light(sky, turn, strength * chance.uniform(0.03, 0.2), (0.6, 0.72, 1.0), chance.uniform(1.2, 2.4), lamps=True)
        tint = chance.uniform(0.85, 1.0)
        return Light(sky, turn, strength, (tint, chance.uniform(tint, 1.0), 1.0), chance.uniform(-0.4, 0.4), lamps=False)

    def render(self, folder: Path) -> None:
        names = [folder / f"{self.number:04d}-{nth}" for nth in range(VIEWS)]
        level = ground.lowest() + WATER_M
        self._scene(Wet())
        for view, name in zip(self.views, names, strict=True):
            _look(view)
            _picture(name, "dry")
            made, nodes = material("height")
            height = nodes.add("ShaderNodeCombineXYZ", {0: nodes.parts(nodes.position())[2]}).outputs[0]
            nodes.surface(nodes.add("ShaderNodeEmission", {0: height, 1: 1.0}).outputs[0])
            seen = studio.numbers(name, made, 1)
            above = np.where(seen[..., 3] > 0.5, seen[..., 0] - ground.lowest(), 9.0)
            np.save(f"{name}-height.npy", np.clip(above, -1, 9).astype(np.float16))
        self._scene(Wet(self.chance.uniform(0.6, 1.0)))
        for view, name in zip(self.views, names, strict=True):
            _look(view)
            _picture(name, "wet")
        town.add_water(level, self.mud, self.ripple)
        for view, name in zip(self.views, names, strict=True):
            _look(view)
            _picture(name, "water")

    def _scene(self, wet: Wet) -> None:
        studio.empty_scene(self.views[0], self.light, THREADS, SIZE)
        town.build(wet, lit=self.night, sign_y=10.5, seed=self.number, stone=self.stone)
        for kind, pose in self.traffic:
            vehicles.place(vehicles.vehicle(kind, lamps=self.night), pose)


def _dip(chance: np.random.RandomState) -> tuple[float, ...]:
    x = (ground.LEFT_KERB, ground.RIGHT_KERB, chance.uniform(-3, 5))[chance.randint(3)]
    return x, chance.uniform(5, 30), chance.uniform(0.6, 2.5), chance.uniform(1.5, 8), chance.uniform(0.02, 0.1)


def _bump(chance: np.random.RandomState) -> tuple[float, ...]:
    turn, waves = chance.uniform(0, math.pi), 2 * math.pi / chance.uniform(1.6, 7)
    return waves * math.cos(turn), waves * math.sin(turn), chance.uniform(0, 2 * math.pi), chance.uniform(0.001, 0.008)


def _view(chance: np.random.RandomState) -> View:
    x = chance.uniform(-6.5, 8)
    yaw = np.clip((x - ground.CROWN) * 2.6 + chance.uniform(-14, 14), -34, 34)
    z = chance.uniform(3.2, 9)
    pitch = chance.uniform(6, 24) + 1.4 * z
    return View(x, chance.uniform(-6, 3), z, pitch, float(yaw), chance.uniform(50, 92))


def _look(view: View) -> None:
    camera = bpy.context.scene.camera
    camera.location = (view.x, view.y, view.z)
    camera.rotation_euler = (math.radians(90 - view.pitch), 0, math.radians(view.yaw))
    camera.data.angle = math.radians(view.hfov)


def _picture(name: Path, what: str) -> None:
    studio.picture(Path(f"{name}-{what}.png"), SAMPLES)


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        if (folder / f"{number:04d}-{VIEWS - 1}-water.png").exists():
            continue
        began = time.monotonic()
        Street(number).render(folder)
        print(number, f"{time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
