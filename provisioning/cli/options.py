"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

if TYPE_CHECKING:
    from lamppost.agent.config import Config
    from lamppost.drivers.camera import Camera

WHERE = "$LAMPPOST_CONFIG, ./lamppost.toml or /etc/lamppost/lamppost.toml"


def _default() -> Path:
    from lamppost.agent.paths import default_path  # noqa: PLC0415 - `--help` needs no pydantic

    return default_path()


#: ``config: ConfigFile`` is the path of the configuration file.
ConfigFile: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        default_factory=_default,
        show_default=WHERE,
        help="Configuration file.",
    ),
]

#: The same as an argument: ``lamppost config check FILE``.
ConfigArgument: TypeAlias = Annotated[
    Path,
    typer.Argument(metavar="FILE", default_factory=_default, show_default=WHERE, help="Configuration file."),
]


def chosen_camera(config: Config, device: str) -> Camera:
    """Return the driver of a configured camera. Raises BadParameter that says which cameras there are."""
    from lamppost.agent.config.notes import nearest  # noqa: PLC0415 - `--help` needs no pydantic
    from lamppost.drivers.camera import Camera  # noqa: PLC0415

    cameras = {n: found.driver for n, found in config.devices.items() if isinstance(found.driver, Camera)}
    if device in cameras:
        return cameras[device]
    what = "is no camera" if device in config.devices else "is not in the configuration"
    near = nearest(device, cameras)
    known = f"cameras: {', '.join(cameras) or 'none'}"
    raise typer.BadParameter(f"{device} {what}; {near + ' ' if near else ''}{known}", param_hint="DEVICE")


def read_picture(path: Path, option: str) -> Any:
    """Return a picture file as H x W x 3, BGR. Raises BadParameter that names the ``option``."""
    import cv2  # noqa: PLC0415 - heavy, and only needed here

    found = cv2.imread(str(path))
    if found is None:
        raise typer.BadParameter(f"{path}: not a picture that can be read", param_hint=option)
    return found
