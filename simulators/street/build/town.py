"""The street without vehicles: carriageway, bus stop, pavements, houses, trees and what stands about."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import bpy
import ground
import materials
import numpy as np
from ground import FAR, LEFT_KERB, NEAR, PAVEMENT, RIGHT_KERB
from materials import Wet, plain
from nodes import Colour
from shapes import Heap, mesh, paint, sheet

#: The bus stop is where nobody may park: x from and to, y from and to. The run-time code has the same.
BUS_STOP = (-3.25, -0.75, 9.0, 23.0)
_STROKES = {  # of letters, each as x0, y0, x1, y1 in a unit square
    "B": [(0, 0, .18, 1), (0, 0, .8, .16), (0, .42, .8, .58), (0, .84, .8, 1), (.66, .08, .84, .46),
          (.66, .54, .84, .92)],
    "U": [(0, 0, .18, 1), (.66, 0, .84, 1), (0, 0, .84, .16)],
    "S": [(0, 0, .84, .16), (0, .42, .84, .58), (0, .84, .84, 1), (.66, .08, .84, .5), (0, .5, .18, .92)],
}  # fmt: skip
_TREES = {-1: (27.0, 38.0, 49.0, 60.0, 71.0), 1: (24.0, 37.0, 50.0)}
_LAMPS = ((-1, 31.0), (-1, 58.0), (1, 18.0), (1, 44.0))
_MANHOLES = ((-1.5, 7.0), (1.9, 17.0), (-0.4, 27.0))
_GRATES = ((LEFT_KERB + 0.2, 25.0), (RIGHT_KERB - 0.2, 9.0), (LEFT_KERB + 0.2, 37.0))
_WALLS = (
    (.36, .29, .2), (.42, .4, .36), (.3, .2, .14), (.34, .33, .32), (.45, .37, .25), (.24, .26, .27)
)  # fmt: skip
_SIGNS = ((.25, .03, .03), (.03, .12, .08), (.04, .06, .18), (.05, .05, .05))  # fmt: skip
_DOORS = ((.12, .05, .02), (.02, .06, .04), (.03, .04, .1))  # fmt: skip


class Stuff(NamedTuple):
    """The materials of houses and furniture."""

    walls: list[Any]
    panes: list[Any]
    frames: list[Any]
    signs: list[Any]
    doors: list[Any]
    sill: Any
    plinth: Any
    iron: Any
    zinc: Any


def build(
    wet: Wet, *, lit: bool, sign_y: float, seed: int = 1, stone: Colour = materials.ASPHALT
) -> None:
    """Build it all; with ``lit`` the street lamps and some windows are on. ``stone`` colours the asphalt."""
    chance = np.random.RandomState(seed)
    _carriageway(wet, stone)
    for side in (-1, 1):
        _pavement(side, wet)
    stuff, heap = _stuff(lit), Heap()
    for side in (-1, 1):
        _row_of_houses(heap, stuff, side, chance)
    heap.box(stuff.walls[3], (1.0, 118.0, 7.0), (34.0, 6.0, 16.0))
    _trees(heap, stuff)
    _furniture(heap, stuff, sign_y)
    heap.emit("street")
    if lit:
        _light_lamps()


def add_water(height: float, mud: Colour = materials.MUD, ripple: float = 0.25) -> Any:
    """Add a flat sheet of opaque water at a height."""
    x = np.linspace(LEFT_KERB - PAVEMENT + 0.05, RIGHT_KERB + PAVEMENT - 0.05, 60)
    y = np.concatenate([np.arange(NEAR, 45, 0.8), np.arange(45, FAR, 2.0)])
    return sheet("water", x, y, lambda across, _: np.full_like(across, height), materials.muddy_water(mud, ripple))


def _carriageway(wet: Wet, stone: Colour) -> None:
    y = np.concatenate([np.arange(NEAR, 45, 0.5), np.arange(45, FAR + 0.1, 2.0)])
    x = np.concatenate([
        np.linspace(LEFT_KERB, LEFT_KERB + 1.5, 9),
        np.linspace(LEFT_KERB + 1.9, RIGHT_KERB - 1.9, 14),
        np.linspace(RIGHT_KERB - 1.5, RIGHT_KERB, 9),
    ])  # fmt: skip
    sheet("road", x, y, ground.road, materials.asphalt(wet, stone), smooth=True)
    white = materials.road_paint("white", (0.55, 0.55, 0.53), wet)
    yellow = materials.road_paint("yellow", (0.55, 0.36, 0.03), wet)
    for begin in np.arange(-2.0, 90.0, 6.0):
        paint(-0.06, 0.06, begin, begin + 3.0, white)
    paint(3.3, 3.4, NEAR, FAR, white)
    for begin in np.arange(1.0, 60.0, 5.6):
        paint(3.3, 5.4, begin, begin + 0.1, white)
    _bus_stop(yellow)
    iron = plain("manhole", (0.03, 0.03, 0.03), 0.6, 0.4, spots=0.3)
    for at_x, at_y in _MANHOLES:
        turns = np.linspace(0, 2 * math.pi, 24, endpoint=False)
        above = float(ground.road(at_x, at_y)) + 0.006
        rim = [(at_x + 0.31 * math.cos(a), at_y + 0.31 * math.sin(a), above) for a in turns]
        mesh("manhole", rim, [range(24)], iron)
    for at_x, at_y in _GRATES:
        paint(at_x - 0.17, at_x + 0.17, at_y - 0.25, at_y + 0.25, iron, above=0.012)


def _bus_stop(yellow: Any) -> None:
    x0, x1, y0, y1 = BUS_STOP
    paint(x0, x0 + 0.15, y0, y1, yellow)
    paint(x1 - 0.12, x1, y0, y1, yellow)
    paint(x0, x1, y0, y0 + 0.15, yellow)
    paint(x0, x1, y1, y1 + 0.15, yellow)
    for nth, letter in enumerate("BUS"):
        at = x0 + 0.35 + nth * 0.65
        for left, low, right, high in _STROKES[letter]:
            paint(at + left * 0.6, at + right * 0.6, 14.5 + low * 2.2, 14.5 + high * 2.2, yellow)


def _pavement(side: int, wet: Wet) -> None:
    kerb = LEFT_KERB if side < 0 else RIGHT_KERB
    y = np.concatenate([np.arange(NEAR, 45, 0.5), np.arange(45, FAR + 0.1, 2.0)])
    stone = materials.slabs(f"kerb{side}", (0.3, 0.29, 0.27), 0.15, 1.0, 0.01, wet)
    flags = materials.slabs(f"flags{side}", (0.2, 0.19, 0.175), 0.6, 0.4, 0.012, wet)
    gutter = materials.slabs(f"gutter{side}", (0.13, 0.125, 0.12), 0.3, 0.5, 0.008, wet)
    profile = [(0.0, -0.5), (0.015, -0.01), (0.03, 0.0), (0.16, 0.0)]
    points = [
        (kerb + side * out, along, float(ground.pavement(along, side)) + up)
        for along in y
        for out, up in profile
    ]
    faces = [
        (4 * j + i, 4 * j + i + 1, 4 * j + i + 5, 4 * j + i + 4) for j in range(len(y) - 1) for i in range(3)
    ]
    mesh("kerb", points, faces, stone)
    edges = sorted([kerb + side * 0.16, kerb + side * PAVEMENT])
    sheet("flags", edges, y, lambda _, along: ground.pavement(along, side) + 0.01, flags)
    inner = sorted([kerb, kerb - side * 0.3])
    sheet("gutter", inner, y, lambda across, along: ground.road(across, along) + 0.003, gutter)


def _stuff(lit: bool) -> Stuff:
    walls = [materials.wall(f"wall{n}", colour) for n, colour in enumerate(_WALLS)]
    walls += [materials.wall("brick", (0.22, 0.09, 0.06), brick=True)]
    walls += [materials.wall("brick2", (0.26, 0.16, 0.1), brick=True)]
    panes = [plain(f"pane{n}", (shade, shade, shade), 0.04) for n, shade in enumerate((0.018, 0.035, 0.05))]
    if lit:
        panes[2] = plain("lit-pane", (1.0, 0.62, 0.25), 0.04, glow=1.2)
    return Stuff(
        walls,
        panes,
        [plain(f"frame{n}", (c, c, c), 0.5) for n, c in enumerate((0.6, 0.12, 0.3, 0.05))],
        [plain(f"sign{n}", c, 0.5) for n, c in enumerate(_SIGNS)],
        [plain(f"door{n}", c, 0.5) for n, c in enumerate(_DOORS)],
        plain("sill", (0.36, 0.35, 0.33), 0.8, spots=0.15),
        plain("plinth", (0.14, 0.135, 0.13), 0.8, spots=0.2),
        plain("iron", (0.025, 0.028, 0.03), 0.5),
        plain("zinc", (0.3, 0.3, 0.3), 0.45, 0.6),
    )  # fmt: skip


def _row_of_houses(heap: Heap, stuff: Stuff, side: int, chance: Any) -> None:
    y = -30.0
    while y < 105.0:
        wide = chance.uniform(8.0, 14.0)
        _house(heap, stuff, side, y, y + wide - 0.02, chance)
        y += wide


def _house(heap: Heap, stuff: Stuff, side: int, y0: float, y1: float, chance: Any) -> None:
    front = LEFT_KERB - PAVEMENT if side < 0 else RIGHT_KERB + PAVEMENT
    floors = chance.randint(2, 5)
    foot = float(ground.pavement((y0 + y1) / 2, side))
    high = 3.6 + floors * 3.2
    middle, wide = (y0 + y1) / 2, y1 - y0
    wall = stuff.walls[chance.randint(len(stuff.walls))]
    heap.box(wall, (front + side * 4.5, middle, foot + high / 2 - 0.5), (9.0, wide, high + 1.0))
    frame = stuff.frames[chance.randint(4)]

    def box(material: Any, out: float, at: float, up: float, thick: float, long: float, tall: float) -> None:
        heap.box(material, (front - side * out, at, foot + up), (thick, long, tall))

    def window(at: float, up: float, long: float, tall: float, border: Any, pane: Any) -> None:
        box(border, 0.03, at, up, 0.06, long + 0.16, tall + 0.16)
        box(pane, 0.06, at, up, 0.04, long, tall)
        box(border, 0.08, at, up, 0.03, 0.06, tall)
        box(stuff.sill, 0.1, at, up - tall / 2 - 0.1, 0.24, long + 0.3, 0.07)

    number = max(2, int(wide / 2.4))
    step, door, shop = wide / number, chance.randint(number), chance.rand() < 0.6
    for nth in range(number):
        at = y0 + step * (nth + 0.5)
        for floor in range(floors):
            window(at, 5.2 + floor * 3.2, 1.1, 1.55, frame, stuff.panes[chance.randint(3)])
        if nth == door:
            box(stuff.doors[chance.randint(3)], 0.04, at, 1.08, 0.1, 1.0, 2.15)
            box(stuff.sill, 0.25, at, 0.04, 0.5, 1.3, 0.14)
        elif shop:
            window(at, 1.6, step * 0.84, 2.05, stuff.frames[3], stuff.panes[0])
        else:
            window(at, 1.75, 1.1, 1.55, frame, stuff.panes[chance.randint(3)])
    if shop:
        box(stuff.signs[chance.randint(4)], 0.12, middle, 3.05, 0.24, wide - 0.8, 0.5)
    box(stuff.plinth, 0.05, middle, 0.2, 0.12, wide, 0.45)
    box(stuff.sill, 0.12, middle, 3.45, 0.3, wide, 0.14)
    box(stuff.sill, 0.2, middle, high, 0.5, wide, 0.3)


def _trees(heap: Heap, stuff: Stuff) -> None:
    bark, green = plain("bark", (0.09, 0.065, 0.045), 0.9, spots=0.3), materials.leaves((0.07, 0.12, 0.03))
    for side, places in _TREES.items():
        x = LEFT_KERB - 1.1 if side < 0 else RIGHT_KERB + 1.3
        for nth, y in enumerate(places):
            foot = float(ground.pavement(y, side))
            heap.pole(bark, (x, y, foot), 0.16, 3.0, top=0.09)
            heap.box(stuff.plinth, (x, y, foot + 0.01), (1.2, 1.2, 0.05))
            _crown(heap, green, (x, y, foot + 4.3), 1.65, np.random.RandomState(nth + 50 * side + 100))


def _crown(heap: Heap, green: Any, centre: tuple[float, float, float], radius: float, chance: Any) -> None:
    clumps = chance.randn(14, 3) * (radius * 0.42, radius * 0.42, radius * 0.36) + centre
    points: list[Any] = []
    leaves = 1800
    for _ in range(leaves):
        at = clumps[chance.randint(14)] + chance.randn(3) * radius * 0.24
        one = chance.randn(3)
        one /= np.linalg.norm(one)
        other = np.cross(one, chance.randn(3))
        other /= np.linalg.norm(other)
        size = 0.07 + 0.06 * chance.rand()
        points += [at + size * one, at + size * 0.7 * other, at - size * one, at - size * 0.7 * other]
    heap.add(green, [tuple(p) for p in points], [range(4 * n, 4 * n + 4) for n in range(leaves)])


def _furniture(heap: Heap, stuff: Stuff, sign_y: float) -> None:
    for side, y in _LAMPS:
        x = LEFT_KERB - 0.5 if side < 0 else RIGHT_KERB + 0.5
        foot = float(ground.pavement(y, side))
        heap.pole(stuff.zinc, (x, y, foot), 0.07, 7.0, top=0.05)
        heap.box(stuff.zinc, (x - side * 0.8, y, foot + 7.0), (1.6, 0.06, 0.06))
        heap.box(stuff.iron, (x - side * 1.6, y, foot + 6.95), (0.6, 0.22, 0.1))
    _shelter(heap, stuff, 16.0)
    sign_x, foot = LEFT_KERB - 0.45, float(ground.pavement(sign_y, -1))
    heap.pole(stuff.zinc, (sign_x, sign_y, foot), 0.04, 2.7)
    heap.box(stuff.signs[2], (sign_x, sign_y, foot + 2.55), (0.5, 0.05, 0.5))
    heap.box(stuff.frames[0], (sign_x, sign_y, foot + 1.6), (0.36, 0.05, 0.6))
    bin_green = plain("bin", (0.03, 0.07, 0.045), 0.6)
    for side, x, y in ((1, RIGHT_KERB + 0.6, 21.0), (-1, LEFT_KERB - 0.6, 25.0)):
        heap.pole(bin_green, (x, y, float(ground.pavement(y, side))), 0.24, 0.9, top=0.26)
    for y in (28.0, 29.6, 31.2):
        heap.pole(stuff.iron, (RIGHT_KERB + 0.4, y, float(ground.pavement(y, 1))), 0.06, 0.95)


def _shelter(heap: Heap, stuff: Stuff, y: float) -> None:
    foot = float(ground.pavement(y, -1))
    glass = plain("shelter-glass", (0.05, 0.06, 0.06), 0.05)
    heap.box(stuff.iron, (LEFT_KERB - 2.0, y, foot + 2.35), (1.3, 3.6, 0.08))
    for at in (y - 1.7, y + 1.7):
        heap.box(stuff.iron, (LEFT_KERB - 2.6, at, foot + 1.15), (0.07, 0.07, 2.3))
        heap.box(stuff.iron, (LEFT_KERB - 1.5, at, foot + 1.15), (0.05, 0.05, 2.3))
    heap.box(glass, (LEFT_KERB - 2.62, y, foot + 1.2), (0.02, 3.4, 1.7))
    heap.box(stuff.doors[0], (LEFT_KERB - 2.3, y, foot + 0.45), (0.35, 2.4, 0.06))


def _light_lamps() -> None:
    for side, y in (*_LAMPS, (1, 4.0)):
        x = LEFT_KERB + 1.1 if side < 0 else RIGHT_KERB - 1.1
        lamp = bpy.data.lights.new("lamp", "AREA")
        lamp.energy, lamp.size, lamp.color = 220.0, 0.6, (1.0, 0.74, 0.45)
        made = bpy.data.objects.new("lamp", lamp)
        made.location = (x, y, float(ground.road(x, y)) + 6.8)
        bpy.context.scene.collection.objects.link(made)
