"""Vehicles in the scene: shell with its livery, wheels, mirrors."""

from __future__ import annotations

import math
from typing import Any

import bodies
import bpy
import ground
import numpy as np
from bodies import BODIES, Body
from livery import livery
from materials import plain
from nodes import material
from plan import Pose
from shapes import Heap, mesh

_PAINT_TEXTURE = "paint"
_RIM_STEPS = 28


def vehicle(kind: str, *, lamps: bool) -> Any:
    """Add a vehicle; return the object that moves all of it: nose to +y, the ground at 0."""
    body = BODIES[kind]
    root = bpy.data.objects.new(f"vehicle-{kind}", None)
    bpy.context.scene.collection.objects.link(root)
    _shell(root, body, _paint_material(kind, lamps=lamps))
    heap = Heap()
    tyre, rim = plain("tyre", (0.018,) * 3, 0.8), plain("rim", (0.6,) * 3, 0.35, 0.7)
    dark, black = plain("underside", (0.006,) * 3, 0.9), plain("plastic", (0.015,) * 3, 0.3)
    for axle in body.axles:
        for side in (1, -1):
            _wheel(heap, side, body.width / 2 - 0.03, axle, body.wheel, (tyre, rim, dark))
    heap.box(dark, (0, 0, 0.5), (body.width - 0.5, body.length - 0.5, 0.5))
    between = body.axles[1] - body.axles[0] - 2 * body.wheel - 0.2
    heap.box(dark, (0, sum(body.axles) / 2, 0.52), (body.width - 0.08, between, 0.4))
    for side in (1, -1):
        if kind == "bus":
            heap.box(black, (side * (body.width / 2 + 0.12), 5.65, 2.3), (0.22, 0.12, 0.42))
        else:
            at = (side * (body.width / 2 + 0.07), body.side_windows[1] - 0.12, body.belt[1] + 0.12)
            heap.box(black, at, (0.2, 0.12, 0.13))
    if kind == "bus":
        white = plain("roof-box", (0.7, 0.7, 0.68), 0.45)
        heap.box(white, (0, -2.5, 3.07), (1.6, 2.4, 0.22))
        heap.box(white, (0, 2.6, 3.05), (1.4, 1.6, 0.16))
    heap.emit("part", root)
    root["length"] = body.length
    return root


def place(root: Any, pose: Pose) -> None:
    """Stand a vehicle on the road."""
    reach = root["length"] * 0.3
    wheels = ground.road(np.array([pose.x - 0.7, pose.x + 0.7]), np.array([pose.y - reach, pose.y + reach]))
    root.location = (pose.x, pose.y, float(wheels.mean()))
    root.rotation_euler = (0, 0, math.radians(pose.heading))


def parts(root: Any) -> list[Any]:
    return list(root.children_recursive)


def marks() -> Any:
    """Return a material that shows, as colours, height in metres and whether there is paint."""
    made, nodes = material("marks")
    height = nodes.parts(nodes.position())[2]
    picture = bpy.data.images.get(_PAINT_TEXTURE)
    paint = nodes.image(picture)
    inputs = {0: nodes.add("ShaderNodeCombineXYZ", {0: height, 1: paint}).outputs[0], 1: 1.0}
    nodes.surface(nodes.add("ShaderNodeEmission", inputs).outputs[0])
    return made


def _shell(root: Any, body: Body, paint: Any) -> None:
    rail = bodies.rails(body)
    t = np.concatenate([np.linspace(0, 0.6, 22)[:-1], 0.6 + 0.4 * np.linspace(0, 1, 19)])
    out, up = bodies.surface(body, rail, t)
    stations, rows = out.shape
    along = np.repeat(rail.along[:, None], rows, 1)
    u = np.repeat(np.linspace(0, 1, stations)[:, None], rows, 1)
    uv = np.stack([u, np.repeat(t[None], stations, 0)], -1).reshape(-1, 2)
    points, faces = [], []
    for side in (1, -1):
        first = len(points)
        points.extend(np.stack([side * out, along, up], -1).reshape(-1, 3))
        for i in range(stations - 1):
            for j in range(rows - 1):
                a = first + i * rows + j
                faces.append([a, a + rows, a + rows + 1, a + 1][::side])
    made = mesh("shell", points, faces, paint, smooth=True, uv=np.concatenate([uv, uv]))
    made.parent = root


def _paint_material(kind: str, *, lamps: bool) -> Any:
    look = livery(kind, lamps=lamps)
    made, nodes = material(f"paint-{kind}")
    colour = nodes.image(_image("colour", _srgb(look.colour), "sRGB"))
    finish = nodes.add("ShaderNodeSeparateColor", {0: nodes.image(_image("finish", look.finish))}).outputs
    where = nodes.add("ShaderNodeTexCoord").outputs["Object"]
    dust = nodes.ramp(nodes.noise(where, 2.5, 4.0), 0.35, 0.75, 0.0, 0.12)
    opaque = nodes.math("GREATER_THAN", finish[2], 0.5)
    node = nodes.principled(
        Base_Color=nodes.mix(dust, colour, (0.25, 0.22, 0.18)),
        Roughness=finish[0], Metallic=finish[1], Alpha=opaque, Coat_Weight=0.6, Coat_Roughness=0.05,
    )  # fmt: skip
    brightest = float(look.glow.max())
    if brightest > 0:
        nodes.join(nodes.image(_image("glow", look.glow / brightest)), node.inputs["Emission Color"])
        node.inputs["Emission Strength"].default_value = brightest
    _image(_PAINT_TEXTURE, np.repeat(look.paint[..., None], 3, 2))
    return made


def _srgb(linear: Any) -> Any:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.clip(linear, 0, 1) ** (1 / 2.4) - 0.055)


def _image(name: str, values: Any, space: str = "Non-Color") -> Any:
    high, wide = values.shape[:2]
    made = bpy.data.images.new(name, wide, high, alpha=True)
    made.colorspace_settings.name = space
    pixels = np.ones((high, wide, 4), np.float32)
    pixels[..., :3] = values
    made.pixels.foreach_set(pixels.ravel())
    made.update()
    made.pack()
    return made


def _wheel(
    heap: Heap, side: int, out: float, along: float, radius: float, stuff: tuple[Any, Any, Any]
) -> None:
    tyre, rim, dark = stuff
    turns = np.linspace(0, 2 * math.pi, _RIM_STEPS, endpoint=False)

    def ring(depth: float, share: float) -> list[tuple[float, float, float]]:
        r = radius * share
        return [(side * (out - depth), along + r * math.cos(a), radius + r * math.sin(a)) for a in turns]

    n = _RIM_STEPS
    profile = [(0.0, 0.68), (0.01, 0.72), (0.0, 0.96), (0.03, 1.0), (0.19, 1.0), (0.21, 0.9)]
    points = [point for depth, share in profile for point in ring(depth, share)]
    faces = [
        (j * n + i, j * n + (i + 1) % n, (j + 1) * n + (i + 1) % n, (j + 1) * n + i)
        for j in range(len(profile) - 1)
        for i in range(n)
    ]
    heap.add(tyre, points, faces)
    heap.add(dark, ring(0.065, 0.69), [range(n)])
    outer, inner = ring(0.035, 0.7), ring(0.035, 0.58)
    heap.add(rim, outer + inner, [(i, (i + 1) % n, n + (i + 1) % n, n + i) for i in range(n)])
    for nth in range(5):
        a = 2 * math.pi * nth / 5 + 0.3
        spoke = [(0.1, a - 1.2, 0.025), (0.69, a - 0.3, 0.045), (0.69, a + 0.3, 0.045), (0.1, a + 1.2, 0.025)]
        corners = [
            (side * (out - depth), along + radius * r * math.cos(b), radius + radius * r * math.sin(b))
            for r, b, depth in spoke
        ]
        heap.plate(rim, *corners)
