"""`lamppost camera zone`: draw a zone without an editor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lamppost.provisioning.cli.camera_picture import problem_of, save
from lamppost.provisioning.cli.options import ConfigFile, chosen_camera
from lamppost.provisioning.edit import editing
from lamppost.provisioning.service_env import load_as_service


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
    chosen_camera(load_as_service(config), device)
    if picture is not None and (problem := problem_of(picture)):
        raise typer.BadParameter(problem, param_hint="--picture")
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
    legend: dict[str, str] = {}
    if picture is not None:
        _, legend = save(chosen_camera(load_as_service(config), device), picture, zones=True)
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
