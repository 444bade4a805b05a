"""Meshes from points: single ones, and heaps of boxes and cylinders, one mesh for each material."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import bpy
import ground
import numpy as np

Point = Sequence[float]


def mesh(
    name: str,
    points: Iterable[Point],
    faces: Iterable[Sequence[int]],
    material: Any = None,
    *,
    smooth: bool = False,
    uv: Any = None,
) -> Any:
    """Add a mesh to the scene; ``uv`` has a pair for each point."""
    data = bpy.data.meshes.new(name)
    data.from_pydata([tuple(p) for p in points], [], [tuple(f) for f in faces])
    if uv is not None:
        layer = data.uv_layers.new(name="UVMap")
        corners = np.empty(len(data.loops), np.int32)
        data.loops.foreach_get("vertex_index", corners)
        layer.data.foreach_set("uv", np.asarray(uv, np.float32)[corners].ravel())
    if smooth:
        data.polygons.foreach_set("use_smooth", [True] * len(data.polygons))
    data.update()
    made = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(made)
    if material:
        data.materials.append(material)
    return made


def sheet(name: str, x: Any, y: Any, height: Any, material: Any, *, smooth: bool = False) -> Any:
    """Add a grid over ``x`` and ``y`` with ``height(x, y)``."""
    across, along = np.meshgrid(x, y)
    points = np.stack([across, along, height(across, along)], -1).reshape(-1, 3)
    n = len(x)
    faces = [
        (j * n + i, j * n + i + 1, (j + 1) * n + i + 1, (j + 1) * n + i)
        for j in range(len(y) - 1)
        for i in range(n - 1)
    ]
    return mesh(name, points, faces, material, smooth=smooth)


def paint(x0: float, x1: float, y0: float, y1: float, material: Any, above: float = 0.004) -> Any:
    """Add a rectangle that lies on the road."""
    across = np.linspace(x0, x1, max(2, int((x1 - x0) / 0.4) + 2))
    along = np.linspace(y0, y1, max(2, int((y1 - y0) / 0.8) + 1))
    return sheet("paint", across, along, lambda x, y: ground.road(x, y) + above, material)


class Heap:
    """Collects shapes by material; `emit` adds them to the scene."""

    def __init__(self) -> None:
        self._parts: dict[Any, tuple[list[Point], list[list[int]]]] = {}

    def add(self, material: Any, points: Sequence[Point], faces: Iterable[Sequence[int]]) -> None:
        all_points, all_faces = self._parts.setdefault(material, ([], []))
        first = len(all_points)
        all_points.extend(points)
        all_faces.extend([first + i for i in face] for face in faces)

    def box(self, material: Any, centre: Point, size: Point) -> None:
        signs = [(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)]
        points = [tuple(c + s * d / 2 for c, s, d in zip(centre, sign, size, strict=True)) for sign in signs]
        faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
        self.add(material, points, faces)

    def plate(self, material: Any, *corners: Point) -> None:
        self.add(material, list(corners), [range(len(corners))])

    def pole(
        self,
        material: Any,
        foot: Point,
        radius: float,
        height: float,
        *,
        top: float | None = None,
        sides: int = 12,
    ) -> None:
        """Add an upright cylinder, narrower at its ``top`` if given."""
        points = []
        for up, r in ((0.0, radius), (height, radius if top is None else top)):
            for angle in np.linspace(0.0, 2 * math.pi, sides, endpoint=False):
                points.append((foot[0] + r * math.cos(angle), foot[1] + r * math.sin(angle), foot[2] + up))
        mantle = [(i, (i + 1) % sides, sides + (i + 1) % sides, sides + i) for i in range(sides)]
        self.add(material, points, [*mantle, range(sides, 2 * sides)])

    def emit(self, name: str, parent: Any = None) -> None:
        for material, (points, faces) in self._parts.items():
            made = mesh(f"{name}-{material.name}", points, faces, material)
            if parent is not None:
                made.parent = parent
        self._parts.clear()
