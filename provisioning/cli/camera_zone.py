"""`lamppost camera zone`: draw a zone without an editor."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from lamppost.agent.config import load
from lamppost.provisioning.cli.options import ConfigFile, chosen_camera
from lamppost.provisioning.edit import editing


def zone(
    device: Annotated[str, typer.Argument(help="Name of the camera in the configuration.")],
    name: Annotated[str, typer.Argument(metavar="ZONE", help="Name of the zone.")],
    config: ConfigFile,
    points: Annotated[
        list[str] | None,
        typer.Argument(metavar="[X,Y]...", help="Its corners, as shares of width and height."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the zone.")] = False,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="Save a picture with the zones drawn in.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as one JSON object.")] = False,
) -> int:
    """Draw a zone of a camera, or draw it anew; the file keeps its comments, and a backup is left.

    Rules watch a zone by its name. Get a picture to measure in with `lamppost camera snapshot`.

    Examples: `lamppost camera zone kerb-cam road 0.1,0.4 0.9,0.4 1,1 0,1 --picture road.jpg`,
    `lamppost camera zone kerb-cam road --remove`.
    """
    chosen_camera(load(config), device)
    corners = [_point(text) for text in points or []]
    if not remove and len(corners) < 3:
        raise typer.BadParameter(
            "a zone has three corners at least, as 0.1,0.4 0.9,0.4 0.5,1", param_hint="X,Y"
        )
    if remove and corners:
        raise typer.BadParameter("give corners or --remove, not both", param_hint="X,Y")
    with editing(config) as change:
        if remove:
            change.remove_zone(device, name)
        else:
            change.set_zone(device, name, corners)
    legend = _save(config, device, picture) if picture is not None else {}
    done = "removed" if remove else "drawn"
    if as_json:
        told = {
            "file": str(config),
            "backup": str(change.backup),
            "zone": name,
            "done": done,
            "legend": legend,
        }
        print(json.dumps(told, ensure_ascii=False))
        return 0
    print(f"{config}: zone {name} of {device} {done}; the old file is {change.backup}")
    if picture is not None:
        print(f"{picture}: {', '.join(f'{label}: {one}' for label, one in legend.items())}")
    return 0


def _point(text: str) -> tuple[float, float]:
    x, _, y = text.partition(",")
    try:
        return float(x), float(y)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: expected X,Y as 0.25,0.6", param_hint="X,Y") from None


def _save(config: Path, device: str, path: Path) -> dict[str, str]:
    import cv2  # noqa: PLC0415 - heavy, and only needed here

    from lamppost.provisioning.drawn import drawn  # noqa: PLC0415

    if path.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        raise typer.BadParameter(f"{path}: a picture ends in .jpg or .png", param_hint="--picture")
    found = chosen_camera(load(config), device)
    frame = asyncio.run(found.snapshot())
    image, legend = drawn(frame.image, found.zones, found.lines)
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return dict(legend)
