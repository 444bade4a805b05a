"""Who drives, arrives, parks and leaves in the street: positions over time, the same for the same seed."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TypeVar

from lamppost.simulators.street.names import COLOURS, KINDS, PLACES, Place, Vehicle

#: x of the lanes, and where vehicles come into view and leave it.
AWAY_X, TOWARDS_X = 1.6, -1.7
NEAR_Y, FAR_Y = 4.0, 56.0
CRUISE_M_S = 8.0
_STEP_S = 0.05
_BRAKE_M_S2, _PULL_M_S2 = 2.5, 1.8
#: Bumper to bumper while standing; behind one that turns in or out.
_GAP_M, _GAP_TURNING_M = 1.8, 8.0
#: A driver changes the line at most so far per metre, and pulls in over so many metres.
_SLANT, _PULL_IN_M = 0.3, 9.0
#: How far x goes around a vehicle that stands in the lane, and how long before and after.
_SWING_X, _SWING_FROM_M, _SWING_FULL_M = -0.3, 15.0, 7.0
_PATIENCE_S = 60.0

_Any = TypeVar("_Any")


@dataclass
class Driver:
    """One vehicle and what its driver is up to."""

    id: str
    kind: str
    colour: str
    towards: bool
    x: float
    #: Metres driven since it came into view.
    run: float
    speed: float
    cruise: float
    place: Place | None = None
    leaving: bool = False

    @property
    def y(self) -> float:
        """Where along the street it is."""
        return FAR_Y - self.run if self.towards else NEAR_Y + self.run

    @property
    def lane_x(self) -> float:
        """Where its lane is."""
        return TOWARDS_X if self.towards else AWAY_X

    @property
    def standing(self) -> bool:
        """Whether it has parked."""
        return self.place is not None and not self.leaving and self.to_place == 0

    @property
    def to_place(self) -> float:
        """How many metres are left to its place; infinite without one."""
        if self.place is None or self.leaving:
            return math.inf
        return max(0.0, run_of(self.place) - self.run)

    @property
    def turning(self) -> bool:
        """Whether it pulls in or out just now."""
        if self.place is None or self.standing:
            return False
        return abs(run_of(self.place) - self.run) < _PULL_IN_M + 4


def run_of(place: Place) -> float:
    """Return how far a vehicle has driven when it is at a place."""
    return FAR_Y - place.y if place.towards else place.y - NEAR_Y


class Traffic:
    """The vehicles in the street. `advance` moves time; the rest is what happens in it."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = random.Random(seed)
        self._drivers: list[Driver] = []
        self._coming: list[Driver] = []
        self._count = 0
        self._left_s = 0.0
        self._next_s = math.inf
        self._mean_s = math.inf
        self._cruise = CRUISE_M_S

    def flow(self, per_minute: float, speed_m_s: float = CRUISE_M_S) -> None:
        """Let so many vehicles come in a minute, in both directions together, at a speed.

        Those in view take the new speed, too: a slow one makes a queue that creeps.
        """
        self._mean_s = 60 / per_minute if per_minute > 0 else math.inf
        self._cruise = speed_m_s
        self._next_s = self._pause()
        for driver in self._drivers:
            driver.cruise = self._own_speed()

    def park(self, name: str, kind: str, colour: str, place: str, *, at_once: bool = False) -> None:
        """Let a vehicle come and park, or stand there already. Raises ValueError for what there is not."""
        target = _known(PLACES, place, "place")
        _known(KINDS, kind, "kind of vehicle")
        _known(COLOURS, colour, "colour")
        if kind == "bus" and not target.towards:
            raise ValueError("a bus does not fit into a bay; it may park at: bus-stop, bus-stop-2")
        if any(driver.id == name for driver in (*self._drivers, *self._coming)):
            raise ValueError(f"there is a vehicle {name!r} already")
        if any(driver.place == target and not driver.leaving for driver in (*self._drivers, *self._coming)):
            raise ValueError(f"{place} is taken")
        lane_x = TOWARDS_X if target.towards else AWAY_X
        driver = Driver(name, kind, colour, target.towards, lane_x, 0.0, CRUISE_M_S, CRUISE_M_S, target)
        if at_once:
            driver.x, driver.run, driver.speed = target.x, run_of(target), 0.0
            self._drivers.append(driver)
        else:
            self._coming.append(driver)

    def leave(self, name: str) -> None:
        """Let a parked vehicle drive away. Raises ValueError if there is none of this name."""
        driver = next((one for one in self._drivers if one.id == name and one.place is not None), None)
        if driver is None:
            there = ", ".join(one.id for one in self._drivers if one.place is not None) or "none"
            raise ValueError(f"no parked vehicle {name!r}; there are: {there}")
        driver.leaving = True

    def advance(self, seconds: float) -> None:
        """Let time pass; a longer pause than a minute is shortened to one."""
        self._left_s += min(seconds, _PATIENCE_S)
        while self._left_s >= _STEP_S:
            self._left_s -= _STEP_S
            self._step()

    def vehicles(self) -> list[Vehicle]:
        """Return who is in the street now."""
        return [Vehicle(d.id, d.kind, d.colour, d.x, d.y, d.towards) for d in self._drivers]

    def standing(self) -> list[str]:
        """Return who has parked."""
        return [driver.id for driver in self._drivers if driver.standing]

    def _step(self) -> None:
        self._next_s -= _STEP_S
        if self._next_s <= 0:
            self._next_s = self._pause()
            self._coming.append(self._anyone())
        for driver in list(self._coming):
            if self._room_for(driver):
                self._coming.remove(driver)
                self._drivers.append(driver)
        for driver in self._drivers:
            self._drive(driver)
        self._drivers = [driver for driver in self._drivers if driver.run < FAR_Y - NEAR_Y]

    def _drive(self, driver: Driver) -> None:
        room = min(self._room_before(driver), driver.to_place)
        wanted = min(driver.cruise, math.sqrt(2 * _BRAKE_M_S2 * max(0.0, room)))
        driver.speed = min(wanted, driver.speed + _PULL_M_S2 * _STEP_S)
        moved = min(driver.speed * _STEP_S, max(0.0, room))
        if driver.to_place < 0.05:
            moved = driver.to_place
        driver.run += moved
        if driver.standing and driver.place is not None:
            driver.x, driver.speed = driver.place.x, 0.0
            return
        off = self._line(driver) - driver.x
        driver.x += math.copysign(min(abs(off), _SLANT * moved), off)

    def _line(self, driver: Driver) -> float:
        """Return the x that its driver aims at."""
        place = driver.place
        if place is not None:
            away = abs(run_of(place) - driver.run)
            if away < _PULL_IN_M:
                share = _smooth(1 - away / _PULL_IN_M)
                return driver.lane_x + (place.x - driver.lane_x) * share
        line = driver.lane_x
        for other in self._drivers:
            if driver.towards and other.standing and other.towards and other is not driver:
                away = abs(other.run - driver.run)
                share = _smooth((_SWING_FROM_M - away) / (_SWING_FROM_M - _SWING_FULL_M))
                line = max(line, driver.lane_x + (_SWING_X - driver.lane_x) * share)
        return line

    def _room_before(self, driver: Driver) -> float:
        """Return how many metres are free before it."""
        room = math.inf
        for other in self._drivers:
            if other is driver or other.towards != driver.towards or other.standing:
                continue
            if other.run <= driver.run or (other.leaving and driver.run > other.run - 1):
                continue
            lengths = (KINDS[other.kind].length_m + KINDS[driver.kind].length_m) / 2
            gap = _GAP_TURNING_M if other.turning and not driver.turning else _GAP_M
            room = min(room, other.run - driver.run - lengths - gap)
        return room

    def _room_for(self, driver: Driver) -> bool:
        free = _GAP_M + KINDS[driver.kind].length_m + driver.speed
        near = [other for other in self._drivers if other.towards == driver.towards and not other.standing]
        return all(
            other.run - KINDS[other.kind].length_m > free - KINDS[driver.kind].length_m for other in near
        )

    def _anyone(self) -> Driver:
        self._count += 1
        chance = self._chance
        kind = chance.choices(list(KINDS), [one.share for one in KINDS.values()])[0]
        towards = chance.random() < 0.5
        lane_x = TOWARDS_X if towards else AWAY_X
        speed = self._own_speed()
        return Driver(
            f"traffic-{self._count}", kind, chance.choice(list(COLOURS)), towards, lane_x, 0.0, speed, speed
        )

    def _own_speed(self) -> float:
        return self._cruise * self._chance.uniform(0.85, 1.15)

    def _pause(self) -> float:
        return self._chance.expovariate(1 / self._mean_s) if math.isfinite(self._mean_s) else math.inf


def _smooth(share: float) -> float:
    limited = min(1.0, max(0.0, share))
    return limited * limited * (3 - 2 * limited)


def _known(table: dict[str, _Any], name: str, what: str) -> _Any:
    if name not in table:
        raise ValueError(f"no {what} {name!r}; there are: {', '.join(table)}")
    return table[name]
