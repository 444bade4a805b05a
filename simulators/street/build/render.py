"""Render what the plan says into a folder of raw pictures; what is there already is left alone.

python simulators/street/build/render.py FOLDER [VIEW-LIGHT ...]
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import bpy
import ground
import numpy as np
import studio
import town
import vehicles
from materials import Wet
from nodes import material
from plan import KINDS, LIGHTS, SIGN_Y, VIEWS, WATER_MM, poses

#: The first has all poses, the others two of three.
SETS = [(view, light) for view in VIEWS for light in LIGHTS]
#: Samples per pixel; the denoiser does the rest.
_BACKGROUND, _WATER, _VEHICLE, _MASK = 14, 10, 10, 6
#: Room for the shadow beside a vehicle, in widths of it.
_SHADOW_MARGIN = 0.3
_THREADS = 2


class Set:
    """The pictures of one view in one light."""

    def __init__(self, folder: Path, view: str, light: str) -> None:
        self.view, self.light = view, light
        self.folder = folder / f"{view}-{light}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def scene(self, wet: Wet) -> Any:
        camera = studio.empty_scene(VIEWS[self.view], LIGHTS[self.light], _THREADS)
        town.build(wet, lit=LIGHTS[self.light].lamps, sign_y=SIGN_Y[self.view])
        return camera

    def backgrounds(self) -> None:
        """Render the empty street dry, wet and under water, and how high each pixel lies."""
        for name, wet in (("dry", Wet()), ("wet", Wet(0.9))):
            target = self.folder / f"{name}.png"
            if not target.exists():
                self.scene(wet)
                studio.picture(target, _BACKGROUND)
                print(target, flush=True)
        if not (self.folder / "height.npy").exists() and not self._take_height():
            self.scene(Wet())
            made, nodes = material("height")
            height = nodes.add("ShaderNodeCombineXYZ", {0: nodes.parts(nodes.position())[2]}).outputs[0]
            nodes.surface(nodes.add("ShaderNodeEmission", {0: height, 1: 1.0}).outputs[0])
            seen = studio.numbers(self.folder / "height", made, 1)
            above = np.where(seen[..., 3] > 0.5, seen[..., 0] - ground.lowest(), 9.0)
            np.save(self.folder / "height.npy", above.astype(np.float32))
        for level in WATER_MM[self.view]:
            target = self.folder / f"water-{level}.png"
            if not target.exists():
                surface = ground.lowest() + level / 1000
                self.scene(Wet(0.9, surface))
                town.add_water(surface)
                studio.picture(target, _WATER)
                print(target, flush=True)

    def vehicles(self, *, few: bool) -> None:
        """Render every kind in every pose: how it looks, and height, paint and cover of its pixels."""
        for kind in KINDS:
            if not (self.folder / f"{kind}.json").exists():
                started = time.monotonic()
                number = self._kind(kind, few=few)
                print(self.folder.name, kind, number, f"{time.monotonic() - started:.0f} s", flush=True)

    def _kind(self, kind: str, *, few: bool) -> int:
        camera = self.scene(Wet())
        street = [o for o in bpy.context.scene.objects if o.type == "MESH"]
        root = vehicles.vehicle(kind, lamps=LIGHTS[self.light].lamps)
        marks = vehicles.marks()
        records = []
        for pose in poses(kind, few=few):
            vehicles.place(root, pose)
            box = studio.around(camera, vehicles.parts(root), _SHADOW_MARGIN)
            if box is None:
                continue
            name = f"{kind}-{pose.lane}-{len(records)}"
            studio.picture(self.folder / f"{name}.png", _VEHICLE, box)
            foot = float(root.location.z) - ground.lowest()
            where = {"lane": pose.lane, "x": pose.x, "y": pose.y, "foot": foot, "box": list(box)}
            record = {"name": name, **where}
            if not self._take_marks(kind, record):
                for thing in street:
                    thing.is_holdout = True
                seen = studio.numbers(self.folder / name, marks, _MASK, box)
                for thing in street:
                    thing.is_holdout = False
                np.save(self.folder / f"{name}.npy", seen[..., [3, 0, 1]].astype(np.float16))
            records.append(record)
        (self.folder / f"{kind}.json").write_text(json.dumps(records))
        return len(records)

    def _take_height(self) -> bool:
        """Take the heights, which no light changes, from another light of the view; return if there are."""
        known = next(self.folder.parent.glob(f"{self.view}-*/height.npy"), None)
        if known is not None:
            shutil.copy(known, self.folder)
        return known is not None

    def _take_marks(self, kind: str, record: dict[str, Any]) -> bool:
        """Do the same with the marks of a vehicle, if it was rendered in exactly this pose."""
        for told in self.folder.parent.glob(f"{self.view}-*/{kind}.json"):
            if record in json.loads(told.read_text()):
                shutil.copy(told.parent / f"{record['name']}.npy", self.folder)
                return True
        return False


def main() -> None:
    folder = Path(sys.argv[1])
    wanted = sys.argv[2:] or [f"{view}-{light}" for view, light in SETS]
    chosen = [(view, light) for view, light in SETS if f"{view}-{light}" in wanted]
    for view, light in chosen:
        made = Set(folder, view, light)
        made.backgrounds()
        made.vehicles(few=(view, light) != SETS[0])


if __name__ == "__main__":
    main()
