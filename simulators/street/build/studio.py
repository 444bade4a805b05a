"""The renderer: settings, sky, camera; pictures, and what a pixel sees as numbers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray
from plan import HEIGHT, WIDTH, Light, View

#: Skies that come with Blender, CC0.
_SKIES = Path(bpy.utils.resource_path("LOCAL")) / "datafiles/studiolights/world"

Box = tuple[int, int, int, int]


def empty_scene(view: View, light: Light, threads: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Any:
    """Begin a new scene with camera and sky, for pictures of ``size``; return the camera."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = light.exposure
    cycles = scene.cycles
    cycles.device = "CPU"
    cycles.adaptive_threshold = 0.03
    cycles.denoiser, cycles.denoising_prefilter = "OPENIMAGEDENOISE", "FAST"
    cycles.denoising_quality = "BALANCED"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 2, 2
    cycles.transmission_bounces, cycles.transparent_max_bounces = 2, 12
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0
    _sky(light)
    return _camera(view)


def _sky(light: Light) -> None:
    from nodes import Nodes  # noqa: PLC0415 - needs the scene

    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.use_nodes = True
    nodes = Nodes(world.node_tree)
    where = nodes.add("ShaderNodeMapping", {"Vector": nodes.add("ShaderNodeTexCoord").outputs["Generated"]})
    where.inputs["Rotation"].default_value = (0, 0, math.radians(light.turn))
    sky = nodes.add("ShaderNodeTexEnvironment", {"Vector": where.outputs[0]})
    sky.image = bpy.data.images.load(str(_SKIES / f"{light.sky}.exr"))
    tinted = nodes.multiply(1.0, sky.outputs[0], light.tint)
    background = nodes.add("ShaderNodeBackground", {"Color": tinted, "Strength": light.strength})
    world.node_tree.links.new(background.outputs[0], nodes.add("ShaderNodeOutputWorld").inputs[0])


def _camera(view: View) -> Any:
    data = bpy.data.cameras.new("camera")
    data.angle, data.clip_end = math.radians(view.hfov), 400.0
    made = bpy.data.objects.new("camera", data)
    made.location = (view.x, view.y, view.z)
    made.rotation_euler = (math.radians(90 - view.pitch), 0, math.radians(view.yaw))
    bpy.context.scene.collection.objects.link(made)
    bpy.context.scene.camera = made
    return made


def around(camera: Any, objects: list[Any], margin: float) -> Box | None:
    """Return the part of the picture that holds objects and their shadows; None where that is tiny."""
    bpy.context.view_layer.update()
    corners = np.concatenate(
        [
            np.array(o.bound_box) @ np.array(o.matrix_world)[:3, :3].T + np.array(o.matrix_world)[:3, 3]
            for o in objects
        ]
    )
    inverse = np.array(camera.matrix_world.inverted())
    seen = corners @ inverse[:3, :3].T + inverse[:3, 3]
    focal = WIDTH / 2 / math.tan(camera.data.angle / 2)
    depth = np.maximum(-seen[:, 2], 0.5)
    x, y = WIDTH / 2 + focal * seen[:, 0] / depth, HEIGHT / 2 - focal * seen[:, 1] / depth
    wide, high = x.max() - x.min(), y.max() - y.min()
    box = (
        int(max(0, x.min() - margin * wide - 4)), int(max(0, y.min() - 0.1 * high - 4)),
        int(min(WIDTH, x.max() + margin * wide + 4)), int(min(HEIGHT, y.max() + 0.15 * high + 4)),
    )  # fmt: skip
    return box if box[2] - box[0] >= 12 and box[3] - box[1] >= 8 else None


def picture(path: Path, samples: int, box: Box | None = None) -> None:
    """Render what the camera sees, or a part of it, as PNG."""
    scene = bpy.context.scene
    scene.cycles.samples = samples
    scene.cycles.use_adaptive_sampling = scene.cycles.use_denoising = True
    scene.cycles.pixel_filter_type = "BLACKMAN_HARRIS"
    scene.render.film_transparent = False
    settings = scene.render.image_settings
    settings.file_format, settings.color_depth, settings.color_mode = "PNG", "8", "RGB"
    _render(path, box)


def numbers(path: Path, material: Any, samples: int, box: Box | None = None) -> NDArray[np.float32]:
    """Render with ``material`` on everything and return HxWx4 values, averaged over ``samples``.

    One sample is taken in the middle of the pixel; alpha is how much of it is not sky or cut out.
    """
    scene, layer = bpy.context.scene, bpy.context.view_layer
    layer.material_override = material
    scene.cycles.samples = samples
    scene.cycles.use_adaptive_sampling = scene.cycles.use_denoising = False
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01 if samples == 1 else 1.0
    scene.render.film_transparent = True
    settings = scene.render.image_settings
    settings.file_format, settings.color_depth, settings.color_mode = "OPEN_EXR", "32", "RGBA"
    exr = path.with_suffix(".exr")
    _render(exr, box)
    layer.material_override = None
    scene.cycles.filter_width = 1.5
    read = bpy.data.images.load(str(exr), check_existing=False)
    wide, high = read.size
    values = np.empty(wide * high * 4, np.float32)
    read.pixels.foreach_get(values)
    bpy.data.images.remove(read)
    exr.unlink()
    return values.reshape(high, wide, 4)[::-1]


def _render(path: Path, box: Box | None) -> None:
    render = bpy.context.scene.render
    render.use_border = render.use_crop_to_border = box is not None
    if box is not None:
        x0, y0, x1, y1 = box
        render.border_min_x, render.border_max_x = x0 / WIDTH, x1 / WIDTH
        render.border_min_y, render.border_max_y = 1 - y1 / HEIGHT, 1 - y0 / HEIGHT
    render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
