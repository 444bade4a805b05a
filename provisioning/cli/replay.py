"""`lamppost replay`: a recording through the sight and the rules of a configured camera."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lamppost.agent.evidence.exhibit import MOMENTS
from lamppost.provisioning.cli.options import ConfigFile
from lamppost.provisioning.cli.replay_water import replayed_water
from lamppost.provisioning.service_env import load_as_service

if TYPE_CHECKING:
    from lamppost.agent.config import Config
    from lamppost.agent.event import Event
    from lamppost.agent.evidence.album import Album
    from lamppost.agent.sight.replay import Counts, Seen


def replay(
    video: Annotated[Path, typer.Argument(help="The recording.", metavar="VIDEO")],
    device: Annotated[str, typer.Option("--device", "-d", help="Camera whose zones and rules are used.")],
    config: ConfigFile,
    annotate: Annotated[
        Path | None, typer.Option("--annotate", help="Write the video with boxes, zones and stays drawn.")
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(
            "--evidence",
            metavar="DIR",
            help="Write the pictures of each violation: {event}-{n}-{moment}.jpg in a folder.",
        ),
    ] = None,
    fps: Annotated[float, typer.Option(help="Looks a second; 0 takes the camera's own fps.")] = 0.0,
    model: Annotated[
        str, typer.Option(help="Detector instead of the configured one: a name, or a manifest's path.")
    ] = "",
    dry: Annotated[
        list[Path] | None,
        typer.Option(
            "--dry",
            exists=True,
            dir_okay=False,
            help="Picture of the dry road, instead of the camera's own references; again for more.",
        ),
    ] = None,
    dry_until: Annotated[
        float, typer.Option("--dry-until", min=0, metavar="SECONDS", help="The road is dry until then.")
    ] = 0.0,
) -> int:
    """Run a recording through exactly the sight and rules of a camera, and print one JSON line an event.

    Times are seconds of the file's own presentation time, boxes are in 0..1 of the picture. A counter that
    goes up is a line of its own, of kind "counting" and phase "reading". Water is seen beside the camera's
    dry references, if the box has some and neither --dry nor --dry-until says what is dry. There are no
    gauges in a recording: a rule that has one gets nothing from it, and says what the camera alone sees.

    Examples: `lamppost replay --config lamppost.toml --device kerb-cam night.mp4`,
    `lamppost replay -d kerb-cam --annotate out.mp4 --evidence pictures night.mp4`,
    `lamppost replay -d underpass-cam --dry dry-road.jpg flood.mp4`.
    """
    from lamppost.agent.sight.detector import detector  # noqa: PLC0415
    from lamppost.agent.sight.replay import Counts  # noqa: PLC0415
    from lamppost.agent.sight.replay import replay as run  # noqa: PLC0415
    from lamppost.drivers.camera.recording import RecordingError, open_recording  # noqa: PLC0415

    settings = load_as_service(config)
    camera = _camera(settings.devices, device)
    rules = [rule for rule in settings.rules.values() if (device, "") in set(rule.watches())]
    if not rules:
        typer.echo(f"no rule watches {device}: there is nothing to replay for", err=True)
        return 2
    paint = _painter(annotate, rules)
    album = _album(evidence, settings)
    sight = settings.sight.model_copy(update={"model": model}) if model else settings.sight
    counts = Counts()
    broken: list[RecordingError] = []

    def on_break(error: RecordingError) -> None:
        broken.append(error)
        typer.echo(str(error), err=True)

    try:
        with replayed_water(settings, device, rules, dry or (), dry_until) as water:
            for seen in run(
                open_recording(video, on_break),
                device=device,
                zones=camera.zones,
                lines=camera.lines,
                fps=fps or camera.fps,
                rules=rules,
                detect=detector(sight, settings.path),
                album=album,
                water=water,
                dry_until_s=dry_until,
            ):
                _tell(seen, counts, evidence)
                if paint is not None:
                    paint.add(seen)
    except RecordingError as error:
        typer.echo(str(error), err=True)
        return 1
    finally:
        if paint is not None:
            paint.close()
    return 1 if broken else 0


def _tell(seen: Seen, counts: Counts, evidence: Path | None) -> None:
    """Print the lines of one look, and write its pictures."""
    for line in (*map(_line, seen.events), *counts.records(seen.readings)):
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    for id_, number, jpeg in seen.pictures:
        (evidence or Path()).joinpath(_file(id_, number)).write_bytes(jpeg)


def _line(event: Event) -> dict[str, Any]:
    """Return an event as a line, its pictures with the names of their files."""
    from lamppost.agent.sight.replay import record  # noqa: PLC0415

    line = record(event)
    for picture in line.get("evidence", ()):
        picture["file"] = _file(event.id, picture["n"])
    return line


def _file(event: str, number: int) -> str:
    return f"{event}-{number}-{MOMENTS[number - 1]}.jpg"


def _album(folder: Path | None, settings: Config) -> Album | None:
    """Return what takes the pictures, as the agent would. Raises BadParameter for a folder that cannot be."""
    if folder is None:
        return None
    from lamppost.agent.evidence.album import Album  # noqa: PLC0415 - only for this option

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"{folder} cannot be made: {error}", param_hint="--evidence") from error
    return Album(settings.evidence, f"{settings.node.site} / {settings.node.id}")


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
