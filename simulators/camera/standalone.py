"""A simulated camera for use by hand or by a scenario: commands that change what it sees and how."""

from __future__ import annotations

import time

from lamppost.simulators.camera.camera import Camera
from lamppost.simulators.camera.faults import TROUBLES, parse
from lamppost.simulators.console import Action, Console
from lamppost.simulators.street.names import COLOURS, KINDS, LIGHTS, PLACES, ZONES
from lamppost.simulators.street.projection import polygon
from lamppost.simulators.street.traffic import CRUISE_M_S

HELP = f"""\
park NAME KIND COLOUR PLACE [now]  a vehicle comes and parks; with now it stands there already
leave NAME                         it drives away
traffic PER_MINUTE [M_PER_S]       so many vehicles come, at a speed: {CRUISE_M_S:g} unless given, 0.6 creeps
water MM [SECONDS]                 bring the water to a level
rain on|off                        rain, and a wet road
light {"|".join(LIGHTS):27}  time of day
fault KIND [NUMBER]                for example: fault moved 20
clear                              end all faults
zone NAME                          print a zone for a configuration
quit
kinds: {", ".join(KINDS)}
colours: {", ".join(COLOURS)}
places: {", ".join(PLACES)}
zones: {", ".join(ZONES)}
faults: {", ".join(TROUBLES)}"""


class Standalone:
    """Shows and changes one camera."""

    def __init__(self, camera: Camera, *, quiet: bool = False) -> None:
        self.camera = camera
        self._quiet = quiet
        self._sent = 0

    async def run(self) -> None:
        """Serve until stopped."""
        actions: dict[str, Action] = {
            "park": self._park,
            "leave": self._leave,
            "traffic": self._traffic,
            "water": self._water,
            "rain": self._rain,
            "light": self._light,
            "fault": self._fault,
            "clear": self._clear,
            "zone": self._zone,
        }
        await Console(actions, HELP).run(self.show)

    def show(self) -> None:
        """Print what it sees and who looks. Raises what ended its pictures."""
        self.camera.check()
        if self._quiet:
            return
        camera, scene = self.camera, self.camera.scene
        new, self._sent = camera.server.sent - self._sent, camera.server.sent
        parked = ", ".join(scene.traffic.standing()) or "none"
        faults = f" | faults: {', '.join(camera.faults)}" if camera.faults else ""
        rain = ", rain" if scene.rain else ""
        print(
            f"{time.strftime('%H:%M:%S')} {scene.light}{rain}, water {scene.water_mm:.0f} mm, "
            f"{len(scene.traffic.vehicles())} vehicles, parked: {parked} | "
            f"{camera.server.clients} clients, {new} pictures{faults}",
            flush=True,
        )

    async def _park(self, words: list[str]) -> str:
        if len(words) not in (4, 5) or words[4:] not in ([], ["now"]):
            raise ValueError("park takes NAME KIND COLOUR PLACE [now]")
        self.camera.scene.traffic.park(*words[:4], at_once=len(words) == 5)
        return "stands" if len(words) == 5 else "comes"

    async def _leave(self, words: list[str]) -> str:
        (name,) = _taken(words, 1, 1, "leave takes NAME")
        self.camera.scene.traffic.leave(name)
        return "leaves"

    async def _traffic(self, words: list[str]) -> str:
        per_minute, *speed = map(float, _taken(words, 1, 2, "traffic takes PER_MINUTE [M_PER_S]"))
        if not 0 <= per_minute <= 120 or any(not 0.1 <= one <= 20 for one in speed):
            raise ValueError("traffic takes 0 to 120 vehicles a minute, at 0.1 to 20 m/s")
        self.camera.scene.traffic.flow(per_minute, *speed)
        return "flows"

    async def _water(self, words: list[str]) -> str:
        self.camera.scene.set_water(*map(float, _taken(words, 1, 2, "water takes MM [SECONDS]")))
        return "water"

    async def _rain(self, words: list[str]) -> str:
        (word,) = _taken(words, 1, 1, "rain takes on or off")
        if word not in ("on", "off"):
            raise ValueError("rain takes on or off")
        self.camera.scene.rain = word == "on"
        return f"rain {word}"

    async def _light(self, words: list[str]) -> str:
        (light,) = _taken(words, 1, 1, f"light takes one of: {', '.join(LIGHTS)}")
        self.camera.scene.set_light(light)
        return light

    async def _fault(self, words: list[str]) -> str:
        fault, number = parse(words)
        await self.camera.fail(fault, number)
        return TROUBLES[fault].text

    async def _clear(self, words: list[str]) -> str:
        _taken(words, 0, 0, "clear takes nothing")
        await self.camera.mend()
        return "no faults"

    async def _zone(self, words: list[str]) -> str:
        (name,) = _taken(words, 1, 1, "zone takes NAME")
        return f"zones.{name} = {polygon(self.camera.scene.view, name)}"


def _taken(words: list[str], least: int, most: int, usage: str) -> list[str]:
    if not least <= len(words) <= most:
        raise ValueError(usage)
    return words
