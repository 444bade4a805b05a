"""`lamppost camera snapshot|dry|zone`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from lamppost.provisioning.cli.camera_dry import dry
from lamppost.provisioning.cli.camera_picture import problem_of, save
from lamppost.provisioning.cli.camera_zone import zone
from lamppost.provisioning.cli.options import ConfigFile, chosen_camera
from lamppost.provisioning.service_env import load_as_service

app = typer.Typer(no_args_is_help=True)
app.command("dry")(dry)
app.command("zone")(zone)


@app.callback()
def camera() -> None:
    """Configured cameras."""


@app.command()
def snapshot(
    device: Annotated[str, typer.Argument(help="Name of the camera in the configuration.")],
    config: ConfigFile,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File, .jpg or .png; else DEVICE.jpg here.")
    ] = None,
    zones: Annotated[
        bool, typer.Option("--zones", help="Draw zones and lines; an arrow crosses a line forward.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was saved as one JSON object.")] = False,
) -> int:
    """Save one picture of a camera, as the agent gets it. The agent may run meanwhile.

    Exit code 1 with the reason in words if the camera gives none.

    Examples: `lamppost camera snapshot kerb-cam`, `lamppost camera snapshot kerb-cam --zones -o zones.png`.
    """
    found = chosen_camera(load_as_service(config), device)
    path = out or Path(f"{device}.jpg")
    if problem := problem_of(path):
        return _wrong(problem)
    frame, legend = save(found, path, zones=zones)
    height, width = frame.image.shape[:2]
    if as_json:
        at = frame.at.isoformat(timespec="milliseconds")
        saved = {"file": str(path), "width": width, "height": height, "at": at, "legend": legend}
        print(json.dumps(saved, ensure_ascii=False))
        return 0
    print(f"{path}: {width}x{height}, {frame.at:%Y-%m-%d %H:%M:%S} UTC")
    for label, name in legend.items():
        print(f"{label}: {name}")
    if zones and not (found.zones or found.lines):
        print(f"{device} has no zones and no lines yet: zones.NAME = [[x, y], ...], shares of the picture")
    return 0


def _wrong(message: str) -> int:
    print(f"lamppost: {message}", file=sys.stderr)
    return 2
