"""What the street is made of, dry and wet."""

from __future__ import annotations

from typing import Any, NamedTuple

from nodes import Colour, Nodes, material, times

#: How far above standing water the ground is wet.
_MARGIN_M = 0.045
ASPHALT: Colour = (0.055, 0.054, 0.052)
MUD: Colour = (0.085, 0.07, 0.05)


class Wet(NamedTuple):
    """How wet the ground is: everywhere (0..1), and below a height."""

    all: float = 0.0
    below: float | None = None

    def share(self, nodes: Nodes, raggedness: Any = 0.5) -> Any:
        """Return how wet the place is, 0..1, as a number or a node's output."""
        if self.below is None:
            return self.all
        ragged = nodes.math("MULTIPLY", nodes.math("SUBTRACT", raggedness, 0.5), _MARGIN_M * 0.9)
        edge = nodes.math("ADD", self.below + _MARGIN_M, ragged)
        above = nodes.math("SUBTRACT", nodes.parts(nodes.position())[2], edge)
        return nodes.math("MAXIMUM", nodes.ramp(above, -0.012, 0.012, 1.0, 0.0), self.all)


def plain(
    name: str,
    colour: Colour,
    rough: float = 0.6,
    metal: float = 0.0,
    *,
    glow: float = 0.0,
    spots: float = 0.0,
) -> Any:
    """Return one colour all over; ``spots`` makes it uneven."""
    made, nodes = material(name)
    base: Any = colour
    if spots:
        uneven = nodes.ramp(nodes.noise(nodes.position(), 6.0, 5.0), 0.3, 0.7)
        base = nodes.mix(uneven, times(colour, 1 - spots), times(colour, 1 + spots))
    node = nodes.principled(Base_Color=base, Roughness=rough, Metallic=metal)
    if glow:
        nodes.join(colour, node.inputs["Emission Color"])
        node.inputs["Emission Strength"].default_value = glow
    return made


def asphalt(wet: Wet, base: Colour = ASPHALT) -> Any:
    """Return worn asphalt: stones, wheel tracks, cracks."""
    made, nodes = material("asphalt")
    where = nodes.position()
    middle, fine = nodes.noise(where, 3.0, 5.0, 0.6), nodes.noise(where, 45.0, 2.0, 0.7)
    colour = nodes.mix(
        nodes.ramp(nodes.noise(where, 0.35, 4.0), 0.3, 0.7), times(base, 0.75), times(base, 1.25)
    )
    colour = nodes.mix(nodes.ramp(middle, 0.35, 0.65, 0.0, 0.5), colour, times(base, 1.6))
    colour = nodes.mix(nodes.ramp(fine, 0.3, 0.75, 0.0, 0.6), colour, times(base, 2.2))
    tracks = nodes.noise(nodes.stretched(where, (1.6, 0.06, 1.0)), 1.0)
    colour = nodes.mix(nodes.ramp(tracks, 0.5, 0.75, 0.0, 0.35), colour, times(base, 0.5))
    colour = nodes.mix(_cracks(nodes, where), colour, (0.012, 0.012, 0.012))
    grain = nodes.math("ADD", nodes.math("MULTIPLY", fine, 0.6), nodes.math("MULTIPLY", middle, 0.6))
    rough: Any = nodes.between(0.5, nodes.ramp(middle, 0.3, 0.7, 0.8, 0.95), 0.85)
    strength: Any = 0.35
    gloss: Any = 0.5
    share = wet.share(nodes, middle)
    if wet != Wet():
        patchy = nodes.ramp(nodes.noise(where, 0.9, 4.0), 0.42, 0.58, 0.55, 1.0)
        film = nodes.math("MULTIPLY", share, patchy)
        colour = nodes.mix(share, colour, nodes.multiply(1.0, colour, (0.42, 0.42, 0.43)))
        rough, strength = nodes.between(film, rough, 0.34), nodes.between(film, 0.35, 0.15)
        gloss = nodes.between(film, 0.5, 0.32)
    normal = nodes.bump(grain, strength, 0.006)
    nodes.principled(Base_Color=colour, Roughness=rough, Specular_IOR_Level=gloss, Normal=normal)
    return made


def _cracks(nodes: Nodes, where: Any) -> Any:
    cells = nodes.add("ShaderNodeTexVoronoi", {"Vector": where, "Scale": 0.22}, feature="DISTANCE_TO_EDGE")
    bent = nodes.math("MULTIPLY", nodes.math("SUBTRACT", nodes.noise(where, 4.0), 0.5), 0.05)
    edge = nodes.ramp(nodes.math("ADD", cells.outputs[0], bent), 0.0, 0.006, 1.0, 0.0)
    return nodes.math("MULTIPLY", edge, nodes.ramp(nodes.noise(where, 0.5, 2.0), 0.5, 0.6))


def road_paint(name: str, colour: Colour, wet: Wet) -> Any:
    """Return worn lane paint."""
    made, nodes = material(name)
    worn = nodes.ramp(nodes.noise(nodes.position(), 7.0, 6.0, 0.65), 0.44, 0.54)
    shown = nodes.mix(wet.all * 0.4, nodes.mix(worn, (0.08, 0.08, 0.078), colour), (0.05, 0.05, 0.05))
    nodes.principled(Base_Color=shown, Roughness=0.7 - 0.4 * wet.all)
    return made


def slabs(name: str, colour: Colour, length: float, width: float, joint: float, wet: Wet) -> Any:
    """Return stones laid in rows."""
    made, nodes = material(name)
    where = nodes.position()
    bricks = _bricks(nodes, where, (length, width, joint), times(colour, 0.85), times(colour, 1.15))
    bricks.inputs["Mortar"].default_value = (*times(colour, 0.45), 1.0)
    stains = nodes.ramp(nodes.noise(where, 1.2, 5.0), 0.35, 0.7, 0.0, 0.55)
    shown = nodes.mix(stains, bricks.outputs[0], times(colour, 0.55))
    rough: Any = 0.8
    if wet != Wet():
        share = wet.share(nodes)
        shown = nodes.mix(share, shown, nodes.mix(0.5, shown, (0.0, 0.0, 0.0)))
        rough = nodes.between(share, 0.8, 0.42)
    normal = nodes.bump(bricks.outputs["Fac"], 0.3, -0.01)
    nodes.principled(Base_Color=shown, Roughness=rough, Normal=normal)
    return made


def _bricks(nodes: Nodes, where: Any, size: tuple[float, float, float], one: Colour, other: Colour) -> Any:
    length, width, joint = size
    inputs = {
        "Vector": where, "Scale": 1.0, "Brick Width": length, "Row Height": width, "Mortar Size": joint,
        "Color1": tuple(one), "Color2": tuple(other),
    }  # fmt: skip
    return nodes.add("ShaderNodeTexBrick", inputs)


def wall(name: str, colour: Colour, *, brick: bool = False) -> Any:
    """Return plaster or brick, stained, and dirty near the ground."""
    made, nodes = material(name)
    where = nodes.position()
    shown: Any = colour
    if brick:
        x, y, z = nodes.parts(where)
        flat = nodes.add("ShaderNodeCombineXYZ", {0: nodes.math("ADD", x, y), 1: z}).outputs[0]
        rows = _bricks(nodes, flat, (0.24, 0.08, 0.008), times(colour, 0.75), times(colour, 1.2))
        rows.inputs["Mortar"].default_value = (0.3, 0.28, 0.26, 1.0)
        shown = rows.outputs[0]
    stains = nodes.ramp(nodes.noise(where, 0.6, 6.0), 0.4, 0.75, 0.0, 0.45)
    shown = nodes.mix(stains, shown, times(colour, 0.6))
    dirt = nodes.ramp(nodes.parts(where)[2], 0.0, 1.2, 0.45, 0.0)
    nodes.principled(Base_Color=nodes.mix(dirt, shown, (0.07, 0.065, 0.06)), Roughness=0.85)
    return made


def leaves(colour: Colour) -> Any:
    made, nodes = material("leaves")
    light = nodes.ramp(nodes.noise(nodes.position(), 2.5), 0.3, 0.7)
    nodes.principled(Base_Color=nodes.mix(light, times(colour, 0.55), times(colour, 1.3)), Roughness=0.6)
    return made


def muddy_water(mud: Colour = MUD, ripple: float = 0.25) -> Any:
    """Return opaque water that mirrors the street; how far one sees into it is mixed in at run time."""
    made, nodes = material("water")
    where = nodes.stretched(nodes.position(), (1.0, 0.55, 1.0))
    waves = nodes.math(
        "ADD", nodes.noise(where, 3.2, 3.0, 0.5), nodes.math("MULTIPLY", nodes.noise(where, 12.8, 2.0), 0.25)
    )
    calm = nodes.ramp(nodes.noise(where, 0.25, 2.0), 0.4, 0.6, 0.25, 1.0)
    normal = nodes.bump(waves, nodes.math("MULTIPLY", calm, ripple), 0.03)
    bottom = nodes.add("ShaderNodeBsdfDiffuse", {0: tuple(mud)}).outputs[0]
    mirror = nodes.add("ShaderNodeBsdfGlossy", {"Roughness": 0.03, "Normal": normal}).outputs[0]
    share = nodes.add("ShaderNodeFresnel", {"IOR": 1.4, "Normal": normal}).outputs[0]
    nodes.surface(nodes.add("ShaderNodeMixShader", {0: share, 1: bottom, 2: mirror}).outputs[0])
    return made
