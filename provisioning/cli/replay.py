"""`lamppost replay`: a recording through the sight and the rules of a configured camera."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lamppost.provisioning.cli.options import ConfigFile


def replay(
    video: Annotated[Path, typer.Argument(help="The recording.", metavar="VIDEO")],
    device: Annotated[str, typer.Option("--device", "-d", help="Camera whose zones and rules are used.")],
    config: ConfigFile,
    annotate: Annotated[
        Path | None, typer.Option("--annotate", help="Write the video with boxes, zones and stays drawn.")
    ] = None,
    fps: Annotated[float, typer.Option(help="Looks a second; 0 takes the camera's own fps.")] = 0.0,
    model: Annotated[str, typer.Option(help="Detector: a name, or the path of a manifest.")] = "nanodet-g",
) -> int:
    """Run a recording through exactly the sight and rules of a camera, and print one JSON line an event.

    Times are seconds of the file's own presentation time, boxes are in 0..1 of the picture.

    Examples: `lamppost replay --config lamppost.toml --device kerb-cam night.mp4`,
    `lamppost replay -d kerb-cam --annotate out.mp4 night.mp4`.
    """
    from lamppost.agent.config import load  # noqa: PLC0415 - heavy, and only needed here
    from lamppost.agent.sight.replay import record  # noqa: PLC0415
    from lamppost.agent.sight.replay import replay as run  # noqa: PLC0415
    from lamppost.drivers.camera.recording import RecordingError, open_recording  # noqa: PLC0415
    from lamppost.models.detector import load_detector  # noqa: PLC0415

    settings = load(config)
    camera = _camera(settings.devices, device)
    rules = [rule for rule in settings.rules.values() if (device, "") in set(rule.watches())]
    if not rules:
        typer.echo(f"no rule watches {device}: there is nothing to replay for", err=True)
        return 2
    paint = _painter(annotate, rules)
    broken: list[RecordingError] = []

    def on_break(error: RecordingError) -> None:
        broken.append(error)
        typer.echo(str(error), err=True)

    try:
        for seen in run(
            open_recording(video, on_break),
            device=device,
            zones=camera.zones,
            fps=fps or camera.fps,
            rules=rules,
            detect=load_detector(model),
        ):
            for event in seen.events:
                sys.stdout.write(json.dumps(record(event), ensure_ascii=False) + "\n")
                sys.stdout.flush()
            if paint is not None:
                paint.add(seen)
    except RecordingError as error:
        typer.echo(str(error), err=True)
        return 1
    finally:
        if paint is not None:
            paint.close()
    return 1 if broken else 0


def _camera(devices: dict[str, Any], name: str) -> Any:
    cameras = [n for n, d in devices.items() if hasattr(d.driver, "zones")]
    if name not in cameras:
        known = ", ".join(cameras) or "none"
        raise typer.BadParameter(
            f"no camera {name!r} in the configuration; it has {known}", param_hint="--device"
        )
    return devices[name].driver


def _painter(path: Path | None, rules: list[Any]) -> Any:
    if path is None:
        return None
    from lamppost.provisioning.annotate import Annotator  # noqa: PLC0415 - only for this option

    return Annotator(path, {rule.zone for rule in rules if hasattr(rule, "zone")})
