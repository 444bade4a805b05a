"""What a technician should know of the cameras that look for water, before the first flood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamppost.agent.config import Config


def watched_zones(config: Config, device: str, zones: dict[str, Any]) -> dict[str, Any]:
    """Return the zones of a camera in which rules look for water; all of them where no rule does."""
    wanted = {
        zone
        for rule in config.rules.values()
        if (device, "water") in set(rule.wants())
        for camera, zone in rule.zones()
        if camera == device
    }
    return {name: points for name, points in zones.items() if name in wanted} or dict(zones)


def keep_dry(
    config: Config, device: str, images: Sequence[Any], light: Any = None
) -> Iterator[dict[str, Any]]:
    """Keep pictures (H, W, 3) as the dry references of a camera; yield what was kept, one for each light.

    ``light`` is what they show whatever they look like. Raises ModelError.
    """
    from lamppost.agent.sight.commission import doubts, dry_roads, wet_shares  # noqa: PLC0415 - heavy
    from lamppost.agent.sight.detector import segmenter  # noqa: PLC0415
    from lamppost.agent.sight.dry import DryFolder  # noqa: PLC0415

    segment = segmenter(config.sight, config.path)
    folder = DryFolder(config.dry_dir)
    driver = config.devices[device].driver
    zones = watched_zones(config, device, getattr(driver, "zones", {}))
    for road in dry_roads(images, segment, device, datetime.now(UTC), light):
        path = folder.put(device, road.light, road.reference, road.image)
        yield {
            "light": road.light,
            "file": str(path),
            "pictures": road.pictures,
            "wet": wet_shares(road.reference.wet, road.threshold, zones),
            "doubts": list(doubts(road, zones)),
        }


def water_notes(config: Config) -> Iterator[str]:
    """Yield in words what the sight of water lacks on this box: model, dry references, zones on a road."""
    cameras = config.wanting("water")
    if not cameras:
        return
    from lamppost.agent.sight.commission import zone_doubts  # noqa: PLC0415 - heavy
    from lamppost.agent.sight.dry import LIGHTS, DryFolder  # noqa: PLC0415
    from lamppost.models.errors import ModelError  # noqa: PLC0415
    from lamppost.models.manifest import find_manifest, model_folders  # noqa: PLC0415

    try:
        find_manifest(config.sight.water_model, model_folders(config.path), "segment")
    except ModelError as error:
        yield f"sight.water_model: {error}"
    folder = DryFolder(config.dry_dir)
    for camera in cameras:
        zones = getattr(config.devices[camera].driver, "zones", {}) if camera in config.devices else {}
        for doubt in zone_doubts(watched_zones(config, camera, zones)):
            yield f"{camera}: {doubt}"
        if missing := [light for light in LIGHTS if folder.stamp(camera, light) is None]:
            yield (
                f"{camera}: no dry reference by {' and by '.join(missing)} yet; "
                f"when the road is dry: lamppost camera dry {camera}"
            )
