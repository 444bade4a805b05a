"""Which profile fits a Modbus unit, with as few reads as tell it from all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from lamppost.drivers.api import Look
from lamppost.drivers.modbus import Modbus
from lamppost.drivers.modbus.plan import Block, Field, expand, plan
from lamppost.drivers.modbus.profile import Profile, available
from lamppost.provisioning.scan.found import Found
from lamppost.provisioning.scan.plausible import ENOUGH, TELLING, score
from lamppost.provisioning.scan.registers import Registers

Score = tuple[float, int]


class Kind(NamedTuple):
    """A profile: its quantities, and the one that is asked for alone to see whether more is worth it."""

    name: str
    limits: Profile
    fields: tuple[Field, ...]
    probe: Field | None


class Recogniser:
    """Knows the units of one line apart; what it met on the line it looks for first."""

    def __init__(self) -> None:
        #: The kinds of the last two units.
        self._last = ("", "")
        #: What a unit of a kind reached, and the kinds that were then looked for in vain.
        self._met: dict[str, tuple[Score, frozenset[str]]] = {}

    async def what(self, registers: Registers, url: str) -> Found:
        """Return a unit with the profile that fits best. Raises DriverError."""
        fitting = await self._fitting(registers)
        where = f"{url} unit {registers.unit}"
        settings = {"driver": "modbus", "url": url, "unit": registers.unit}
        if not fitting:
            return Found(
                where, f"unit-{registers.unit}", settings, "answers, but no profile fits", sure=False
            )
        best = max(fitting, key=lambda one: one.kind.name)
        name = best.kind.name
        rivals = sorted(one.kind.name for one in fitting if one is not best)
        shown = ", ".join(f"{one.quantity} {one.value} {one.unit}".strip() for one in best.looks()[:3])
        self._remember(best, rivals)
        evidence = shown + (f"; it may also be {', '.join(rivals)}" if rivals else "")
        device = f"{name.split('-')[0]}-{registers.unit}"
        return Found(where, device, {**settings, "profile": name}, evidence, sure=not rivals)

    async def _fitting(self, registers: Registers) -> list[_Match]:
        """Return the matches that no other is better than."""
        fitting: list[_Match] = []
        waiting = [_Match(kind, registers) for kind in self._ordered()]
        once, again = self._last
        trusted = again if once == again else ""
        while waiting:
            match = next((one for one in waiting if not self._is_ruled_out(one, fitting)), None)
            if match is None:
                break
            waiting.remove(match)
            least = fitting[0].reach() if fitting else (ENOUGH, 0)
            await match.settle(least, at_once=match.kind.name == trusted)
            if match.reach() >= least and not match.unread():
                fitting = [one for one in [*fitting, match] if one.reach() >= match.reach()]
        return fitting

    def _is_ruled_out(self, match: _Match, fitting: list[_Match]) -> bool:
        """Whether a unit like this one was met, and nothing that this one said speaks for ``match``."""
        if not fitting or not match.is_untouched():
            return False
        reached, in_vain = self._met.get(fitting[0].kind.name, ((0.0, 0), frozenset[str]()))
        return reached == fitting[0].reach() and match.kind.name in in_vain

    def _remember(self, best: _Match, rivals: list[str]) -> None:
        name = best.kind.name
        self._last = (self._last[1], name)
        others = frozenset(kind.name for kind in kinds() if kind.name not in (name, *rivals))
        self._met.setdefault(name, (best.reach(), others))

    def _ordered(self) -> list[Kind]:
        """Return what the last unit was first, then what else was met, then the others."""
        return sorted(kinds(), key=lambda kind: (kind.name != self._last[1], kind.name not in self._met))


class _Match:
    """How a profile fits a unit, as far as the unit was read."""

    def __init__(self, kind: Kind, registers: Registers) -> None:
        self.kind = kind
        self._registers = registers

    def unread(self) -> list[Field]:
        """Return what may still be read."""
        return [field for field in self.kind.fields if self._registers.state(field) == "unread"]

    def is_untouched(self) -> bool:
        """Whether nothing of the profile was read or refused."""
        return len(self.unread()) == len(self.kind.fields)

    def looks(self) -> list[Look]:
        """Return the quantities that are known, those that the unit does not have without a value."""
        return list(self._looks())

    def _looks(self) -> Iterator[Look]:
        for field in self.kind.fields:
            state = self._registers.state(field)
            if state != "unread":
                value = self._registers.value(field) if state == "read" else None
                yield Look(field.name, value, field.register.unit, "", "")

    def reach(self) -> Score:
        """Return the most that the profile can come to."""
        return score(self.looks(), [field.register.unit for field in self.unread()])

    async def settle(self, least: Score, *, at_once: bool) -> None:
        """Read on until all is known, or the profile cannot come to ``least`` any more."""
        if at_once and self.unread():
            await self._registers.read(self._next())
        while self.reach() >= least and (unread := self.unread()):
            probe = self.kind.probe
            if probe in unread and not self._tells():
                await self._registers.read(_alone(probe))
            else:
                await self._registers.read(self._next())

    def _tells(self) -> bool:
        return any(one.unit in TELLING for one in self._looks())

    def _next(self) -> Block:
        """Return the block that tells most, smaller where a larger one was refused."""
        blocks = plan(self.unread(), self.kind.limits)
        blocks.sort(key=lambda block: -sum(unit in TELLING for unit in block.units))
        while self._registers.refuses(
            blocks[0].table, blocks[0].address, blocks[0].address + blocks[0].count
        ):
            blocks[:1] = blocks[0].split()
        return blocks[0]


def _alone(field: Field) -> Block:
    return Block(field.register.table, field.address, field.register.width, (field,))


@lru_cache(maxsize=1)
def kinds() -> tuple[Kind, ...]:
    """Return the installed profiles that describe a product."""
    limits: dict[str, Profile] = {}
    for name in available():
        try:
            limits[name] = Modbus(name="scan", url="tcp://scan", profile=name).limits
        except ValueError:
            continue  # no product, as `generic`, or broken: `lamppost driver` says so
    fields = {name: tuple(expand(profile.registers)) for name, profile in limits.items()}
    shared = Counter((one.register.table, one.address) for each in fields.values() for one in each)

    def probe(of: tuple[Field, ...]) -> Field | None:
        telling = [field for field in of if field.register.unit in TELLING]
        return max(telling, key=lambda one: shared[one.register.table, one.address], default=None)

    return tuple(Kind(name, limits[name], fields[name], probe(fields[name])) for name in limits)
