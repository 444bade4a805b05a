"""`lamppost simulate camera`: a network camera that looks at a simulated street."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer
from pydantic import ValidationError

from lamppost.simulators.camera import CameraSettings
from lamppost.simulators.camera.faults import TROUBLES, CameraFault, parse
from lamppost.simulators.street.names import COLOURS, KINDS, LIGHTS, PLACES, VIEWS, ZONES

WRONG_INPUT = 2


def camera(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8090,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    view: Annotated[str, typer.Option(help="From where it looks.")] = "kerb",
    light: Annotated[str, typer.Option(help="Time of day.")] = "day",
    fps: Annotated[float, typer.Option(help="Pictures per second.")] = 10.0,
    traffic: Annotated[float, typer.Option(help="Vehicles that come in a minute.")] = 12.0,
    rain: Annotated[bool, typer.Option("--rain", help="Let it rain.")] = False,
    water: Annotated[float, typer.Option(help="Millimetres of water above the lowest gutter.")] = 0.0,
    user: Annotated[str | None, typer.Option(help="USER:PASSWORD that a client must give.")] = None,
    faults: Annotated[
        list[str] | None, typer.Option("--fault", "-f", help="KIND [NUMBER], in quotes; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Other vehicles for another number.")] = 1,
    show_list: Annotated[
        bool, typer.Option("--list", help="List views, vehicles, places and faults, and stop.")
    ] = False,
) -> int:
    """Simulate a network camera (MJPEG over HTTP) until Ctrl-C, and show what it sees.

    Type `help` while it runs: vehicles park and leave, it rains, the road floods, the camera fails.

    Examples: `lamppost simulate camera`, `lamppost simulate camera --rain --light night --port 8091`.
    """
    if show_list:
        _list()
        return 0
    username, _, password = (user or "").partition(":")
    try:
        settings = CameraSettings.model_validate(
            {
                "view": view, "light": light, "fps": fps, "traffic_per_minute": traffic, "rain": rain,
                "water_mm": water, "seed": seed, "username": username or None, "password": password or None,
            }
        )  # fmt: skip
        armed = [parse(text.split()) for text in faults or []]
    except ValidationError as error:
        told = "; ".join(f"{one['loc'][0]}: {one['msg']}, found {one['input']!r}" for one in error.errors())
        raise typer.BadParameter(told) from None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from None
    try:
        asyncio.run(_serve(settings, host, port, armed))
    except (LookupError, OSError) as error:
        print(error, file=sys.stderr)
        return WRONG_INPUT
    return 0


def _list() -> None:
    for title, table in (("views", VIEWS), ("lights", LIGHTS)):
        print(f"{title}:")
        for name, text in table.items():
            print(f"  {name:12} {text}")
    for title, names in (("vehicles", KINDS), ("colours", COLOURS), ("places", PLACES), ("zones", ZONES)):
        print(f"{title}:\n  {', '.join(names)}")
    print("faults:")
    for fault, trouble in TROUBLES.items():
        print(f"  {fault:12} {trouble.text}{f' ({trouble.number})' if trouble.number else ''}")


async def _serve(
    settings: CameraSettings, host: str, port: int, faults: list[tuple[CameraFault, float]]
) -> None:
    # OpenCV only where a camera is really wanted.
    from lamppost.simulators.camera.camera import Camera  # noqa: PLC0415
    from lamppost.simulators.camera.standalone import Standalone  # noqa: PLC0415

    async with Camera(settings, host, port) as serving:
        for fault, number in faults:
            await serving.fail(fault, number)
        print(f"serving {serving.url}", flush=True)
        await Standalone(serving).run()
