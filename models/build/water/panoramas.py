"""Write the panoramas that come with Blender as pictures: real lawns, paving and asphalt, all dry.

    python models/build/water/panoramas.py FOLDER

The panoramas are Greg Zaal's (Poly Haven), CC0, in the package bpy. FOLDER gets PANORAMA.png of each that
shows dry ground.
"""

from __future__ import annotations

import sys
from pathlib import Path

import bpy
import numpy as np

SHOWN = ("city", "courtyard", "forest", "night", "sunrise", "sunset")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    skies = Path(bpy.utils.resource_path("LOCAL")) / "datafiles/studiolights/world"
    for name in SHOWN:
        image = bpy.data.images.load(str(skies / f"{name}.exr"))
        width, height = image.size
        light = np.empty(width * height * 4, np.float32)
        image.pixels.foreach_get(light)
        light = light.reshape(height, width, 4)[::-1, :, :3]
        ground = light[height // 2 :].mean(2)
        exposed = np.clip(light * 0.18 / np.exp(np.log(ground + 1e-3).mean()), 0, None)
        shown = np.ones((height, width, 4), np.float32)
        shown[..., :3] = (exposed / (1 + 0.6 * exposed)) ** (1 / 2.2)
        picture = bpy.data.images.new(name, width, height)
        picture.colorspace_settings.name = "Non-Color"  # it is for the screen already
        picture.pixels.foreach_set(np.clip(shown[::-1], 0, 1).ravel())
        picture.filepath_raw, picture.file_format = str(folder / f"{name}.png"), "PNG"
        picture.save()


if __name__ == "__main__":
    main()
