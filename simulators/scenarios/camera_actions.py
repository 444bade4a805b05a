"""What can be done before and to simulated cameras in a scenario, by the word in ``do``."""
# ruff: noqa: D102 - each run does what its class says

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from lamppost.simulators.camera.faults import parse
from lamppost.simulators.camera.settings import Light
from lamppost.simulators.scenarios.model import Name, Scenario
from lamppost.simulators.scenarios.stage import Stage
from lamppost.simulators.scenarios.step import Action, Seconds, action

_Kind = Literal["hatch", "sedan", "suv", "van", "bus"]
_Colour = Literal["white", "silver", "grey", "black", "red", "blue", "green", "beige"]
_Place = Literal["bus-stop", "bus-stop-2", "bay-1", "bay-2", "bay-3", "bay-4"]


class CameraAction(Action):
    """Something that a camera sees or suffers."""

    camera: Name = Field(description="Name of the camera.")

    def check(self, scenario: Scenario) -> Iterator[str]:
        """Yield that there is no such camera."""
        if self.camera not in scenario.cameras:
            yield f"no camera {self.camera!r}; there are: {', '.join(scenario.cameras) or 'none'}"


@action("camera.park")
class CameraPark(CameraAction):
    """A vehicle comes along the road and parks; with ``at_once`` it stands there already."""

    text = "{camera}: {vehicle}, a {colour} {kind}, parks at {place}"

    vehicle: Name = Field(description="What the vehicle is called.")
    kind: _Kind = Field("van", description="What it is.")
    colour: _Colour = Field("white", description="Its paint.")
    place: _Place = Field("bus-stop", description="Where it parks.")
    at_once: bool = Field(default=False, description="It does not come, it is there.")

    def check(self, scenario: Scenario) -> Iterator[str]:
        """Yield that there is no such camera, or that a bus is to stand in a bay."""
        yield from super().check(scenario)
        if self.kind == "bus" and self.place.startswith("bay"):
            yield "a bus does not fit into a bay"

    async def run(self, stage: Stage) -> None:
        now = ("now",) if self.at_once else ()
        await stage.tell_camera(self.camera, "park", self.vehicle, self.kind, self.colour, self.place, *now)


@action("camera.leave")
class CameraLeave(CameraAction):
    """A parked vehicle drives away."""

    text = "{camera}: {vehicle} drives away"

    vehicle: Name = Field(description="What the vehicle is called.")

    def check(self, scenario: Scenario) -> Iterator[str]:
        """Yield that there is no such camera, or that no such vehicle ever parks before it."""
        yield from super().check(scenario)
        parks = {
            one.vehicle for one in scenario.at if isinstance(one, CameraPark) and one.camera == self.camera
        }
        if self.vehicle not in parks:
            yield f"no vehicle {self.vehicle!r} parks; there are: {', '.join(sorted(parks)) or 'none'}"

    async def run(self, stage: Stage) -> None:
        await stage.tell_camera(self.camera, "leave", self.vehicle)


@action("camera.traffic")
class CameraTraffic(CameraAction):
    """How many vehicles come in a minute, and how fast."""

    text = "{camera}: {per_minute:g} vehicles a minute at {speed_m_s:g} m/s"

    per_minute: float = Field(ge=0, le=120, description="Vehicles in a minute, both directions together.")
    speed_m_s: float = Field(8.0, ge=0.1, le=20, description="Their speed; 0.6 is a queue that creeps.")

    async def run(self, stage: Stage) -> None:
        await stage.tell_camera(self.camera, "traffic", self.per_minute, self.speed_m_s)


@action("camera.water")
class CameraWater(CameraAction):
    """The road floods or dries."""

    text = "{camera}: the water goes to {to_mm:g} mm within {over_s:g} s"

    to_mm: float = Field(ge=0, le=300, description="Level above the lowest gutter; 50 floods its rim only.")
    over_s: Seconds = Field(0.0, description="How long that takes.")
    gauge: str = Field("", description="Unit that measures this water: its `distance` goes along.")
    above_mm: float = Field(2500, gt=0, description="Height of the gauge above the lowest gutter.")

    def check(self, scenario: Scenario) -> Iterator[str]:
        """Yield that there is no such camera, or gauge."""
        yield from super().check(scenario)
        if self.gauge and self.gauge not in scenario.units():
            yield scenario.no_unit(self.gauge)
        elif self.gauge and self.above_mm <= self.to_mm:
            yield f"the gauge hangs {self.above_mm:g} mm high: the water would reach it"

    async def run(self, stage: Stage) -> None:
        if self.gauge:
            stage.units[self.gauge].ramp("distance", self.above_mm - self.to_mm, self.over_s / stage.speed)
        await stage.tell_camera(self.camera, "water", self.to_mm, self.over_s)


@action("camera.rain")
class CameraRain(CameraAction):
    """Rain begins or ends; the road becomes wet within 20 s and dries within 10 minutes."""

    text = "{camera}: rain {rain}"

    rain: Literal["on", "off"] = Field("on", description="Whether it rains.")

    async def run(self, stage: Stage) -> None:
        await stage.tell_camera(self.camera, "rain", self.rain)


@action("camera.light")
class CameraLight(CameraAction):
    """Another time of day, from one picture to the next."""

    text = "{camera}: {light}"

    light: Light = Field(description="What time.")

    async def run(self, stage: Stage) -> None:
        await stage.tell_camera(self.camera, "light", self.light)


@action("camera.fault")
class CameraBreaks(CameraAction):
    """Something goes wrong with it, besides what is wrong already."""

    text = "{camera}: {fault}"

    fault: str = Field(description="KIND [NUMBER], as `simulate camera --list` names them.")

    def check(self, scenario: Scenario) -> Iterator[str]:
        """Yield that there is no such camera or fault."""
        yield from super().check(scenario)
        try:
            parse(self.fault.split())
        except ValueError as error:
            yield str(error)

    async def run(self, stage: Stage) -> None:
        await stage.tell_camera(self.camera, "fault", self.fault)


@action("camera.clear")
class CameraClear(CameraAction):
    """All its faults end."""

    text = "{camera} is well again"

    async def run(self, stage: Stage) -> None:
        await stage.tell_camera(self.camera, "clear")
