"""Materials as code: a node tree of Blender whose nodes are made by calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

Colour = Sequence[float]


class Nodes:
    """Builds one node tree. A value is a number, a colour, or the output of another node."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        tree.nodes.clear()

    def add(self, kind: str, inputs: dict[Any, Any] | None = None, **settings: Any) -> Any:
        """Add a node; ``inputs`` by name or number."""
        node = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        for name, value in (inputs or {}).items():
            self.join(value, node.inputs[name])
        return node

    def join(self, value: Any, socket: Any) -> None:
        """Let a socket have a value."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif isinstance(value, (tuple, list)) and socket.type == "RGBA":
            socket.default_value = (*value[:3], 1.0)
        else:
            socket.default_value = value

    def math(self, operation: str, *values: Any, clamp: bool = False) -> Any:
        node = self.add("ShaderNodeMath", operation=operation, use_clamp=clamp)
        for value, socket in zip(values, node.inputs, strict=False):
            self.join(value, socket)
        return node.outputs[0]

    def mix(self, share: Any, a: Any, b: Any) -> Any:
        """Mix two colours."""
        return self.add("ShaderNodeMix", {0: share, 6: a, 7: b}, data_type="RGBA").outputs[2]

    def multiply(self, share: Any, a: Any, b: Any) -> Any:
        """Multiply a colour by another."""
        node = self.add("ShaderNodeMix", {0: share, 6: a, 7: b}, data_type="RGBA", blend_type="MULTIPLY")
        return node.outputs[2]

    def between(self, share: Any, a: Any, b: Any) -> Any:
        """Mix two numbers."""
        return self.add("ShaderNodeMix", {0: share, 2: a, 3: b}, data_type="FLOAT").outputs[0]

    def noise(self, where: Any, scale: float, detail: float = 3.0, rough: float = 0.55) -> Any:
        inputs = {"Vector": where, "Scale": scale, "Detail": detail, "Roughness": rough}
        return self.add("ShaderNodeTexNoise", inputs).outputs[0]

    def ramp(self, value: Any, low: Any, high: Any, at_low: float = 0.0, at_high: float = 1.0) -> Any:
        """Go smoothly from one number to another while ``value`` goes from ``low`` to ``high``."""
        inputs = {0: value, 1: low, 2: high, 3: at_low, 4: at_high}
        return self.add("ShaderNodeMapRange", inputs, interpolation_type="SMOOTHSTEP").outputs[0]

    def position(self) -> Any:
        return self.add("ShaderNodeNewGeometry").outputs["Position"]

    def parts(self, vector: Any) -> Any:
        return self.add("ShaderNodeSeparateXYZ", {0: vector}).outputs

    def stretched(self, vector: Any, scale: Sequence[float]) -> Any:
        node = self.add("ShaderNodeMapping", {"Vector": vector})
        node.inputs["Scale"].default_value = scale
        return node.outputs[0]

    def bump(self, height: Any, strength: Any, distance: float = 0.01) -> Any:
        inputs = {"Strength": strength, "Distance": distance, "Height": height}
        return self.add("ShaderNodeBump", inputs).outputs[0]

    def image(self, picture: Any) -> Any:
        return self.add("ShaderNodeTexImage", image=picture, extension="EXTEND").outputs[0]

    def principled(self, **inputs: Any) -> Any:
        """Add a Principled BSDF, an input by its name with _ for blanks, and make it the surface."""
        named = {name.replace("_", " "): value for name, value in inputs.items()}
        node = self.add("ShaderNodeBsdfPrincipled", named)
        self.surface(node.outputs[0])
        return node

    def surface(self, shader: Any) -> None:
        self.tree.links.new(shader, self.add("ShaderNodeOutputMaterial").inputs[0])


def material(name: str) -> tuple[Any, Nodes]:
    """Return a new material and its nodes."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    return made, Nodes(made.node_tree)


def times(colour: Colour, factor: float) -> tuple[float, ...]:
    """Return a colour made lighter or darker."""
    return tuple(min(1.0, part * factor) for part in colour)
