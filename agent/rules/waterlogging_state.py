"""What a waterlogging rule remembers, and how camera and gauge come to one opinion."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from lamppost.agent.event import Event, Measure
from lamppost.agent.rules.api import Json, Shot, Told
from lamppost.agent.rules.gauge import Opinion
from lamppost.agent.rules.occurrence import Occurrence, restored
from lamppost.agent.rules.waterlogging_gauge import GaugeWitness, saved_fault
from lamppost.agent.rules.witness import moment_due
from lamppost.drivers.api import Reading

if TYPE_CHECKING:
    from lamppost.agent.rules.waterlogging import Levels, Waterlogging
    from lamppost.agent.rules.waterlogging_view import View

State: TypeAlias = Literal["confirmed", "gauge", "seen", "suspected"]

KIND: Final = "road.waterlogging"
LEVELS = ("attention", "warning", "danger")
#: How sure each state is; `gauge` and `seen` are one witness, `suspected` half of one.
CONFIDENCE: dict[State, float] = {"confirmed": 0.95, "gauge": 0.8, "seen": 0.75, "suspected": 0.45}
#: A level is left only this share below its threshold.
HYSTERESIS = 0.9
#: A state that changes and no level that rises is told at most so often.
CALM_S = 60.0
#: What tells of rain is believed for so long.
RAIN_S = 1800.0


class WaterloggingState:
    """Pure: takes scenes and readings. Times are unix seconds."""

    def __init__(self, rule: Waterlogging) -> None:
        self._rule = rule
        self._view: View | None = None
        if rule.camera:
            from lamppost.agent.rules.waterlogging_view import View  # noqa: PLC0415 - numpy with a camera only

            self._view = View(rule)
        self._gauge = GaugeWitness(rule, rule.gauge) if rule.gauge is not None else None
        self._rained_at: float | None = None
        self._now = 0.0
        self._open: Occurrence | None = None
        self._said: set[str] = set()
        self._level = 0
        self._state: State = "suspected"
        self._orphans: list[Occurrence] = []
        self._shots: list[Shot] = []

    def step(self, sample: Any, now: datetime) -> list[Told]:
        """Take a scene of the camera, or a reading; return what it makes happen."""
        self._shots = []
        if isinstance(sample, Reading):
            self._read(sample)
            return list(self._judge(sample.at))
        if self._view is None or getattr(sample, "water", None) is None:
            return []
        del now
        at = sample.at.timestamp()
        gauge_dry = self._gauge is not None and self._gauge.says_dry(at)
        self._view.look(sample, gauge_dry=gauge_dry)
        if self._gauge is not None:
            self._gauge.seen(at, water=self._view.at_gauge)
        told = list(self._judge(sample.at))
        self._ask(sample.at, {event.id for event in told if event.revision == 0})
        return list(told)

    def tick(self, now: datetime) -> Iterable[Told]:
        """Let time pass: a gauge's water may have lasted long enough."""
        return self._judge(now)

    def _read(self, reading: Reading) -> None:
        rule = self._rule
        if self._view is not None and reading.device == rule.camera and reading.quantity == "picture":
            good = reading.value in ("ok", "moved", None)
            self._view.bad_picture = "" if good else str(reading.value)
        if rule.rain is not None and (reading.device, reading.quantity) == (
            rule.rain.device,
            rule.rain.quantity,
        ):
            rains = isinstance(reading.value, (int, float)) and reading.value > rule.rain.above
            self._rained_at = reading.at.timestamp() if rains else None
        if self._gauge is not None:
            self._gauge.read(reading)

    def _judge(self, at: datetime) -> Iterable[Event]:
        orphans, self._orphans = self._orphans, []
        for orphan in orphans:
            yield orphan.close(at)
        now = self._now = at.timestamp()
        camera: Opinion = "unknown" if self._view is None else self._view.opinion(now)
        gauge: Opinion = "unknown"
        if self._gauge is not None:
            yield from self._gauge.judge(at)
            opened = self._open is not None
            gauge = self._gauge.opinion(now, said_wet="gauge" in self._said, opened=opened)
        wet = [name for name, said in (("camera", camera), ("gauge", gauge)) if said == "wet"]
        if wet:
            self._said.update(wet)
            self._state = self._fused(camera, gauge)
            self._level = self._leveled(now, camera, gauge)
            yield from self._tell(at)
        elif self._open is not None and self._all_dry(camera, gauge):
            event = self._open.close(at, self._measures(now))
            yield replace(event, confidence=CONFIDENCE[self._state])
            self._open, self._level = None, 0
            self._said.clear()
        elif self._open is not None and self._open.told.get("mode") != "; ".join(self.remarks()):
            update = self._open.update(at, self._measures(now), CALM_S)  # nobody may know any more
            if update is not None:
                yield replace(update, confidence=CONFIDENCE[self._state])

    def _all_dry(self, camera: Opinion, gauge: Opinion) -> bool:
        """Whether all who said wet say dry now; who is unknown says neither, who lost its vote nothing."""
        opinions = {"camera": camera, "gauge": gauge}
        asked = set(self._said)
        if self._gauge is not None and not self._gauge.trusted and self._view is not None:
            asked = (asked - {"gauge"}) or {"camera"}
        return bool(asked) and all(opinions[name] == "dry" for name in asked)

    def _fused(self, camera: Opinion, gauge: Opinion) -> State:
        if gauge == "wet":
            return "confirmed" if camera == "wet" else "gauge"
        view = self._view
        assert view is not None
        placed = self._rule.gauge is None or self._rule.gauge.at is not None
        doubtful = view.light != "day" or self._rains() or view.sudden or not view.referenced
        doubtful |= self._gauge is not None and self._gauge.accused
        # A dry gauge that stands nobody knows where speaks against all of the water, a little.
        return "suspected" if doubtful or (gauge == "dry" and not placed) else "seen"

    def _rains(self) -> bool:
        return self._rained_at is not None and self._now - self._rained_at < RAIN_S

    def _leveled(self, now: float, camera: Opinion, gauge: Opinion) -> int:
        """Return the number of the level, 1 to 3: the worse of depth and share."""
        found = 1
        mm = self._gauge.level_mm(now) if self._gauge is not None and gauge == "wet" else None
        if mm is not None:
            found = max(found, self._step(mm, self._rule.levels_mm))
        if self._view is not None and camera == "wet":
            found = max(found, self._step(self._view.share, self._rule.levels_share))
        return found

    def _step(self, value: float, levels: Levels) -> int:
        return sum(
            value >= limit * (HYSTERESIS if number <= self._level else 1.0)
            for number, limit in enumerate(levels.limits, 1)
        )

    def _tell(self, at: datetime) -> Iterable[Event]:
        now = at.timestamp()
        measures = self._measures(now)
        event: Event | None
        if self._open is None:
            self._open = self._new(at)
            event = self._open.open(at, measures)
        else:
            told = self._open.told
            worse = self._level > LEVELS.index(str(told["level"])) + 1
            changed = any(told[key] != measures[key] for key in ("level", "state", "mode"))
            every_s = 0.001 if worse else CALM_S if changed else self._rule.update_s
            event = self._open.update(at, measures, every_s)
        if event is not None:
            yield replace(event, confidence=CONFIDENCE[self._state])

    def _new(self, at: datetime) -> Occurrence:
        rule = self._rule
        view_since = self._view.wet_since if self._view is not None and "camera" in self._said else None
        gauge_since = self._gauge.wet_since if self._gauge is not None and "gauge" in self._said else None
        began = [since for since in (view_since, gauge_since) if since is not None]
        since = datetime.fromtimestamp(min(began), UTC) if began else at
        device = rule.camera or (rule.gauge.device if rule.gauge is not None else "")
        return Occurrence(KIND, rule.name, min(since, at), device, rule.zone, rule.severity)

    def _measures(self, now: float) -> dict[str, Measure]:
        measures: dict[str, Measure] = {
            "state": self._state,
            "level": LEVELS[max(1, self._level) - 1],
            "mode": "; ".join(self.remarks()),
        }
        if self._view is not None:
            measures |= {"share": round(self._view.share, 3), "light": self._view.light}
        return measures if self._gauge is None else measures | self._gauge.measures(now)

    def remarks(self) -> Sequence[str]:
        """Return in words why the rule runs weaker than it could; empty if it does not."""
        found = []
        if self._view is not None:
            if self._view.bad_picture:
                found.append(f"the picture is {self._view.bad_picture}")
            elif not self._view.looked:
                found.append("no look at the road yet")
            elif self._view.opinion(self._now) == "unknown":
                found.append("no picture of the road")
            elif not self._view.referenced:
                found.append(f"no dry reference by {self._view.light}")
        if remark := "no gauge" if self._gauge is None else self._gauge.remark(self._now):
            found.append(remark)
        return found

    def _ask(self, at: datetime, opened: Collection[str]) -> None:
        """Ask for the picture that is due while water stands in sight."""
        view = self._view
        if view is None or view.wet_since is None:
            return
        event = "" if self._open is None else self._open.id
        lasted = at.timestamp() - view.wet_since
        moment = "alarm" if event in opened else None if event else moment_due(lasted, self._rule.persist_s)
        outline = view.outline()
        if moment is None or not outline:
            return
        xs, ys = zip(*(point for polygon in outline for point in polygon), strict=True)
        box = (min(xs), min(ys), max(xs), max(ys))
        since = datetime.fromtimestamp(view.wet_since, UTC)
        self._shots.append(Shot("water", moment, box, self._rule.zone, since, event, outline=outline))

    def shots(self) -> Sequence[Shot]:
        """Return the pictures that the last scene should give."""
        return self._shots

    def pending(self) -> Collection[str]:
        """Return the water that may yet become an event."""
        waits = self._open is None and self._view is not None and self._view.wet_since is not None
        return ("water",) if waits else ()

    def dry(self) -> Collection[str]:
        """Return the camera if a healthy gauge has long said dry, and the camera sees no flood elsewhere."""
        if self._view is None or self._gauge is None or self._open is not None:
            return ()
        sure = self._gauge.long_dry() and self._view.wet_since is None
        return (self._rule.camera,) if sure else ()

    def save(self) -> Json:
        """Return the state as JSON values; nothing in it changes while nothing happens."""
        view = self._view
        return {
            "of": self._of(),
            "open": None if self._open is None else self._open.save(),
            "said": sorted(self._said),
            "level": self._level,
            "state": self._state,
            "view": None if view is None else [view.opinion_held, view.wet_since],
            "gauge": None if self._gauge is None else self._gauge.save(),
        }

    def _of(self) -> list[str]:
        return [self._rule.camera, self._rule.zone, self._rule.gauge.device if self._rule.gauge else ""]

    def restore(self, saved: Json) -> None:
        """Take the state back; what is open of another road is closed. Raises if it is not ours."""
        opened = None if saved["open"] is None else restored(saved["open"])
        if saved["of"] != self._of():
            self._orphans = [one for one in (opened, saved_fault(saved["gauge"])) if one is not None]
            return
        self._open = opened
        self._said, self._level, self._state = set(saved["said"]), int(saved["level"]), saved["state"]
        if self._view is not None and saved["view"] is not None:
            self._view.said(*saved["view"])
        if self._gauge is not None and saved["gauge"] is not None:
            self._gauge.restore(saved["gauge"])

    def shift(self, seconds: float) -> None:
        """Move every remembered time with the clock."""
        self._now += seconds
        if self._rained_at is not None:
            self._rained_at += seconds
        for one in (self._open, *self._orphans, self._view, self._gauge):
            if one is not None:
                one.shift(seconds)
