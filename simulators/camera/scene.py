"""What happens before a simulated camera: traffic, water, weather and light over time."""

from __future__ import annotations

from lamppost.simulators.camera.settings import CameraSettings
from lamppost.simulators.street.compose import Picture, Street
from lamppost.simulators.street.traffic import Traffic

#: Seconds in which a road becomes wet, and dries when rain has ended.
_WETS_S, _DRIES_S = 20.0, 600.0
#: Water and wetness move in steps that nobody sees: each new value costs a new background.
_WATER_STEP_MM, _WET_STEP = 2.0, 0.05


class Scene:
    """The street and its time. Raises LookupError for a light that was not rendered in this view."""

    def __init__(self, settings: CameraSettings, speed: float = 1.0) -> None:
        self.traffic = Traffic(settings.seed)
        self.rain = settings.rain
        self._speed = speed
        self.light: str = settings.light
        self.view = settings.view
        self._street = Street(settings.view, settings.light)
        self._wet = 0.9 if settings.rain else 0.0
        self._water_mm = self._water_to = settings.water_mm
        self._rise_mm_s = 0.0
        self._tick = 0
        if settings.traffic_per_minute:
            self.traffic.flow(settings.traffic_per_minute)

    @property
    def water_mm(self) -> float:
        """The level of the water now."""
        return self._water_mm

    def set_water(self, level_mm: float, over_s: float = 0.0) -> None:
        """Bring the water to a level. Raises ValueError."""
        if not 0 <= level_mm <= 300 or over_s < 0:
            raise ValueError("water goes from 0 to 300 mm")
        self._water_to = level_mm
        self._rise_mm_s = abs(level_mm - self._water_mm) / over_s if over_s else 0.0
        if not over_s:
            self._water_mm = level_mm

    def set_light(self, light: str) -> None:
        """Let it be another time of day. Raises LookupError."""
        self._street = Street(self.view, light)
        self.light = light

    def advance(self, seconds: float) -> None:
        """Let time pass, faster by the scenario's speed."""
        seconds *= self._speed
        self.traffic.advance(seconds)
        left = self._water_to - self._water_mm
        step = min(abs(left), self._rise_mm_s * seconds)
        self._water_mm += step if left > 0 else -step
        change = seconds / _WETS_S if self.rain else -seconds / _DRIES_S
        self._wet = min(0.9, max(0.0, self._wet + change))

    def picture(self) -> Picture:
        """Return what the camera sees now."""
        self._tick += 1
        return self._street.frame(
            self.traffic.vehicles(),
            water_mm=round(self._water_mm / _WATER_STEP_MM) * _WATER_STEP_MM,
            wet=round(self._wet / _WET_STEP) * _WET_STEP,
            rain=self.rain,
            tick=self._tick,
        )
