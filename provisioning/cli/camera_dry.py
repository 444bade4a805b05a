"""`lamppost camera dry`: somebody stands at the road and says that it is dry."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from lamppost.provisioning.cli.options import ConfigFile, chosen_camera, read_picture
from lamppost.provisioning.service_env import load_as_service
from lamppost.provisioning.water import keep_dry

#: Seconds between two pictures: some traffic passes meanwhile.
EVERY_S = 1.0


def dry(
    device: Annotated[str, typer.Argument(help="Name of the camera in the configuration.")],
    config: ConfigFile,
    pictures: Annotated[int, typer.Option("--pictures", "-n", min=1, max=60, help="How many to take.")] = 5,
    image: Annotated[
        list[Path] | None,
        typer.Option("--image", exists=True, dir_okay=False, help="Picture of it instead; again for more."),
    ] = None,
    light: Annotated[
        Literal["day", "night"] | None,
        typer.Option("--light", help="What the pictures show, if it is judged wrongly."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was kept, one JSON object a light.")
    ] = False,
) -> int:
    """Say that the road of a camera is dry now: what looks wet in its pictures is no water.

    Takes some pictures, a second apart, and keeps the most that looks wet in any of them as the camera's
    reference for this light. Do it once by day and once by night, when the road is really dry. A running
    agent uses it within seconds.

    Examples: `lamppost camera dry underpass-cam`, `lamppost camera dry underpass-cam --image dry-night.jpg`.
    """
    settings = load_as_service(config)
    camera = chosen_camera(settings, device)
    if image:
        images = [read_picture(path, "--image") for path in image]
    else:
        images = [frame.image for frame in asyncio.run(camera.snapshots(pictures, EVERY_S))]
    for kept in keep_dry(settings, device, images, light):
        if as_json:
            print(json.dumps(kept, ensure_ascii=False))
            continue
        count = f"{kept['pictures']} picture{'s' if kept['pictures'] > 1 else ''}"
        print(f"{device} by {kept['light']}: dry as in {count}, kept in {kept['file']}")
        for name, share in kept["wet"].items():
            print(f"zone {name}: {share:.1%} of it looks wet all the same")
        for doubt in kept["doubts"]:
            typer.echo(f"lamppost: {doubt}", err=True)
    if not camera.zones:
        typer.echo(f"lamppost: {device} has no zones yet: zones.NAME = [[x, y], ...]", err=True)
    return 0
