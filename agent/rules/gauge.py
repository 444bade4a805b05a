"""A level gauge over a road: from what it measures to a level, and whether it is to be believed. Pure."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import Literal, NamedTuple, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lamppost.drivers.api import Reading

Opinion: TypeAlias = Literal["wet", "dry", "unknown"]
Fault: TypeAlias = Literal["stuck", "jumping", "out-of-range"]

MM = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
#: Levels further apart than this are no water but another echo, unless so many in a row agree.
JUMP_MM, AGREE = 120.0, 4
#: Of so many values, so many rejected: the gauge jumps.
JUDGED, JUMPS = 20, 6
#: So many steps that looked real, within so long: no water does that.
STEPS, STEPS_S = 4, 900.0
#: A stuck gauge must move so often before it is trusted again.
MOVES = 3
#: What is wrong for so long is a fault, what is right for so long again is trusted.
FAULT_AFTER_S, TRUST_AGAIN_S = 60.0, 300.0
#: A level below the road by more than this cannot be.
BELOW_MM = 60.0
#: A level of water that stays the same to the digit for so long does not come from water.
STUCK_WET_S = 3 * 3600.0
#: A gauge that never moves while a camera sees water at it for so long is stuck.
STUCK_SEEN_S = 600.0
ACCUSED = "the camera sees water at it, and it has not moved by a millimetre"
#: The rate of rise is the median slope between points this far apart, over so many of them.
POINT_S, POINTS = 20.0, 9
#: Without a value for so long nobody knows the level.
SILENT_S = 120.0


class Temperature(BaseModel):
    """Where the temperature of the air under the gauge comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str = Field(min_length=1, description="Name of the device.")
    quantity: str = Field("temperature", min_length=1, description="Its quantity, in degrees Celsius.")


class GaugeSettings(BaseModel):
    """The level gauge of a waterlogging rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str = Field(min_length=1, description="Name of the gauge.")
    quantity: str = Field("distance", min_length=1, description="What it measures: a distance, or a level.")
    mounting_height_mm: float | None = Field(
        None,
        gt=0,
        le=60_000,
        description="Height of the sensor above the road's lowest point; without it the quantity is a level.",
    )
    temperature: Temperature | None = Field(
        None, description="Corrects an ultrasonic gauge that takes the air for 20 degrees Celsius."
    )
    at: tuple[float, float] | None = Field(
        None, description="Where it stands in the camera's picture, x and y in 0..1."
    )
    reach: float = Field(
        0.25, gt=0, le=2, description="So far around `at`, in widths of the picture, a dry gauge is believed."
    )
    wet_mm: float = Field(20.0, gt=0, description="From this level on it says wet.")
    dry_mm: float = Field(10.0, description="Up to this level it says dry.")
    window_s: float = Field(30.0, ge=0, le=3600, description="The level is the median over so long.")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.dry_mm >= self.wet_mm:
            raise ValueError(f"dry_mm ({self.dry_mm:g}) must be below wet_mm ({self.wet_mm:g})")
        if self.at is not None and not all(0 <= side <= 1 for side in self.at):
            raise ValueError(f"at {list(self.at)} lies outside 0..1 of the picture")
        return self


class Trouble(NamedTuple):
    """What is wrong with a gauge, and in words."""

    kind: Fault
    detail: str


class Gauge:
    """One gauge: `take` readings, then ask. Times are unix seconds. No reading raises."""

    def __init__(self, settings: GaugeSettings) -> None:
        self._settings = settings
        self._window: deque[tuple[float, float]] = deque(maxlen=600)
        self._odd: list[float] = []
        self._verdicts: deque[bool] = deque(maxlen=JUDGED)
        self._points: deque[tuple[float, float]] = deque(maxlen=POINTS)
        self._wrong_since: float | None = None
        self._right_since: float | None = None
        self._steps: list[float] = []
        self._moves = 0
        self._same: tuple[float, float] | None = None
        self._seen_since: float | None = None
        self._opinion: Opinion = "unknown"
        self._factor = 1.0
        #: What is wrong with it, if anything: it has no vote then.
        self.trouble: Trouble | None = None

    def warm(self, celsius: object) -> None:
        """Take the temperature: sound travels as the square root of the absolute one."""
        if isinstance(celsius, (int, float)) and -60 < celsius < 80:
            self._factor = math.sqrt((273.15 + celsius) / 293.15)

    def take(self, reading: Reading) -> None:
        """Take one reading of the gauge's quantity."""
        at, raw = reading.at.timestamp(), reading.value
        number = isinstance(raw, (int, float)) and not isinstance(raw, bool) and math.isfinite(raw)
        if not number:
            self._judge(at, "it gives no value: nothing in its sight, or nothing that echoes")
            return
        if reading.unit not in MM:
            self._judge(at, f"its unit is {reading.unit!r}: give the quantity mm, cm or m")
            return
        value = float(raw) * MM[reading.unit]  # type: ignore[arg-type]
        level, wrong = self._level(value)
        self._judge(at, wrong)
        if not wrong:
            self._keep(at, level)

    def _level(self, value: float) -> tuple[float, str]:
        """Return the level in mm, and why it cannot be."""
        height = self._settings.mounting_height_mm
        level = value if height is None else height - value * self._factor
        if height is not None and value < 0:
            return level, f"a distance of {value:.0f} mm cannot be"
        if height is not None and level >= height:
            return level, f"level {level:.0f} mm is above mounting_height_mm = {height:.0f}"
        if level < -BELOW_MM:
            if height is None:
                return level, f"level {level:.0f} mm is below the road: set its zero"
            measured = value * self._factor
            return level, (
                f"{measured:.0f} mm to the road, {-level:.0f} more than mounting_height_mm = {height:.0f}: "
                f"measure again, or set mounting_height_mm = {measured:.0f}"
            )
        return level, ""

    def _judge(self, at: float, wrong: str) -> None:
        """Count how long it has been wrong, or right."""
        if wrong:
            self._right_since = None
            self._wrong_since = at if self._wrong_since is None else min(self._wrong_since, at)
            if at - self._wrong_since >= FAULT_AFTER_S:
                self._blame("out-of-range", wrong)
            return
        self._wrong_since = None

    def _blame(self, kind: Fault, detail: str) -> None:
        self._right_since, self._moves = None, 0
        if self.trouble is None or self.trouble.kind != kind:
            self.trouble = Trouble(kind, detail)

    def _keep(self, at: float, level: float) -> None:
        """Put a level into the window, unless it is a spike."""
        if self._window and at < self._window[-1][0]:
            self._window.clear()  # the time went back
            self._points.clear()
        spike = self._is_spike(at, level)
        self._verdicts.append(spike)
        if sum(self._verdicts) >= JUMPS:
            self._blame(
                "jumping", f"{sum(self._verdicts)} of its last {len(self._verdicts)} values are no water's"
            )
        elif not spike:
            self._trust(at)
        if spike:
            return
        self._window.append((at, level))
        while len(self._window) > 3 and at - self._window[0][0] > self._settings.window_s:
            self._window.popleft()
        if self._same is None or self._same[1] != level:
            self._moves += self._same is not None
            self._same, self._seen_since = (at, level), None
        elif level > self._settings.wet_mm and at - self._same[0] >= STUCK_WET_S:
            self._blame("stuck", f"{level:.0f} mm without the least change for {STUCK_WET_S / 3600:.0f} h")
        if not self._points or at - self._points[-1][0] >= POINT_S:
            self._points.append((at, median(mm for _, mm in self._window)))

    def _is_spike(self, at: float, level: float) -> bool:
        """Whether a level is another echo; several that agree are the truth: the sensor was moved."""
        if not self._window or abs(level - median(mm for _, mm in self._window)) <= JUMP_MM:
            self._odd = []
            return False
        self._odd = [mm for mm in self._odd if abs(mm - level) <= JUMP_MM] + [level]
        if len(self._odd) < AGREE:
            return True
        for past in (self._window, self._points, self._verdicts, self._odd):
            past.clear()
        self._steps = [step for step in self._steps if 0 <= at - step < STEPS_S] + [at]
        if len(self._steps) >= STEPS:
            self._blame("jumping", f"{len(self._steps)} steps within {STEPS_S / 60:.0f} minutes")
        return False

    def _trust(self, at: float) -> None:
        """Forgive after it has behaved for a while."""
        if self.trouble is None:
            return
        if self.trouble.kind == "stuck" and self._moves < MOVES:
            return
        self._right_since = at if self._right_since is None else self._right_since
        if at - self._right_since >= TRUST_AGAIN_S:
            self.trouble, self._right_since = None, None

    def seen(self, now: float, *, water: bool) -> None:
        """Take what the camera sees at the gauge: water there, while it never moves, says it is stuck."""
        if not water or self._same is None or self.opinion(now) != "dry":
            self._seen_since = None
            return
        self._seen_since = now if self._seen_since is None else self._seen_since
        if now - max(self._seen_since, self._same[0]) >= STUCK_SEEN_S:
            self._blame("stuck", ACCUSED)

    @property
    def last_at(self) -> float | None:
        """When it last gave a level that counts."""
        return self._window[-1][0] if self._window else None

    def level_mm(self, now: float) -> float | None:
        """Return the level, None if nobody knows it."""
        if not self._window or now - self._window[-1][0] > max(SILENT_S, 3 * self._settings.window_s):
            return None
        return median(mm for _, mm in self._window)

    def rise_mm_per_min(self) -> float | None:
        """Return the rate of rise: the median of all slopes (Theil and Sen), which no outlier moves."""
        points = self._course()
        slopes = [
            (high - low) / (later - earlier) * 60
            for n, (earlier, low) in enumerate(points)
            for later, high in points[n + 1 :]
            if later > earlier
        ]
        return median(slopes) if len(points) >= 3 else None

    def _course(self) -> list[tuple[float, float]]:
        """Return the points of the level's course, the newest of them now."""
        points = list(self._points)
        if points and self._window and self._window[-1][0] - points[-1][0] >= POINT_S / 4:
            points.append((self._window[-1][0], median(mm for _, mm in self._window)))
        return points[-POINTS:]

    def to_level_s(self, target_mm: float, now: float) -> float | None:
        """Return the seconds until a level is reached if it rises on as it does; None if it does not."""
        level, rise = self.level_mm(now), self.rise_mm_per_min()
        if level is None or rise is None or rise < 0.5 or target_mm <= level:
            return None
        points = self._course()
        if len(points) >= 2 and points[-1][1] <= points[-2][1]:
            return None  # it rose, and does no more
        return (target_mm - level) / rise * 60

    def opinion(self, now: float) -> Opinion:
        """Return what it says; a gauge in trouble or silent says nothing."""
        level = self.level_mm(now)
        if level is None or self.trouble is not None:
            return "unknown"
        if level >= self._settings.wet_mm:
            self._opinion = "wet"
        elif level <= self._settings.dry_mm or self._opinion == "unknown":
            self._opinion = "dry"
        return self._opinion

    def forget(self) -> None:
        """Forget what has a time: the clock was set, and a minute brings it back."""
        self._window.clear()
        self._points.clear()
        self._same = self._wrong_since = self._right_since = self._seen_since = None
