"""The water of a replay: seen as the agent would, beside the references that the user or the box has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import typer

from lamppost.provisioning.cli.options import read_picture

if TYPE_CHECKING:
    from lamppost.agent.config import Config
    from lamppost.agent.sight.water_turns import WaterTurns


@contextlib.contextmanager
def replayed_water(
    settings: Config, device: str, rules: Sequence[Any], dry: Sequence[Path], dry_until_s: float
) -> Iterator[WaterTurns | None]:
    """Give the water of a camera, None if no rule wants it; say at the end what it lacked.

    Dry references are those of ``dry`` (pictures), else those that the user's word makes, else the box's own.
    Raises ModelError.
    """
    if not any((device, "water") in set(rule.wants()) for rule in rules):
        if dry or dry_until_s:
            typer.echo(f"no rule wants water of {device}: nothing need be dry", err=True)
        yield None
        return
    from lamppost.agent.sight.detector import segmenter  # noqa: PLC0415 - heavy, and only needed here
    from lamppost.agent.sight.water_turns import WaterTurns  # noqa: PLC0415

    segment = segmenter(settings.sight, settings.path)
    with contextlib.ExitStack() as stack:
        folder = settings.dry_dir
        if dry or dry_until_s:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="lamppost-dry-")))
            _put(folder, segment, device, dry)
        water = WaterTurns(lambda: segment, folder, settings.sight.water_every_s)
        water.wanted = [device]
        yield water
        for seen in water.as_json()["cameras"].values():
            if seen["problem"]:
                typer.echo(f"{device}: {seen['problem']}", err=True)


def _put(folder: Path, segment: Any, device: str, pictures: Sequence[Path]) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415

    from lamppost.agent.sight.commission import dry_roads  # noqa: PLC0415
    from lamppost.agent.sight.dry import DryFolder  # noqa: PLC0415

    images = [read_picture(path, "--dry") for path in pictures]
    for road in dry_roads(images, segment, device, datetime.now(UTC)):
        DryFolder(folder).put(device, road.light, road.reference, road.image)
