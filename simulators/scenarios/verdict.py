"""Compare what the hub got with what the scenario expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from lamppost.simulators.hub import Book, EventLetter, Totals
from lamppost.simulators.scenarios.model import ExpectTable, Scenario

State: TypeAlias = Literal["ok", "missing", "wrong time", "not expected", "allowed"]

#: Times of the box are cut off to milliseconds and begin a moment after those of the scenario.
EARLY_S = 0.05


class Row(NamedTuple):
    """An event message that was expected, or came, or both. ``at_s`` is when, in scenario time."""

    state: State
    expected: ExpectTable | None
    letter: EventLetter | None
    at_s: float | None

    @property
    def ok(self) -> bool:
        """Whether it is as it should be."""
        return self.state in ("ok", "allowed")

    @property
    def what(self) -> str:
        """Phase, kind, device and zone: of what came, else of what was expected."""
        letter = self.letter
        if letter is None:
            return str(self.expected)
        return " ".join(filter(None, (letter.phase, letter.kind, letter.device, letter.zone)))

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        letter = self.letter
        came = None
        if letter is not None:
            names = ("kind", "phase", "device", "zone", "rule", "measures")
            came = {name: getattr(letter, name) for name in names} | {"at_s": self.at_s}
        expected = None if self.expected is None else self.expected.model_dump(exclude_none=True)
        return {"state": self.state, "expected": expected, "received": came}


class Check(NamedTuple):
    """One thing that must hold; ``found`` says what was found."""

    name: str
    ok: bool
    found: str

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return self._asdict()


@dataclass
class Verdict:
    """What came of a scenario. ``notes`` are no judgement, only good to know."""

    scenario: str
    rows: list[Row]
    checks: list[Check]
    totals: Totals
    duration_s: float
    notes: list[str] = field(default_factory=list)
    #: Where the agent's files and logs are, if they were kept.
    folder: str = ""

    @property
    def ok(self) -> bool:
        """Whether all is as it should be."""
        return all(row.ok for row in self.rows) and all(check.ok for check in self.checks)

    @property
    def exit_code(self) -> int:
        """0 if all is as it should be, else 1."""
        return 0 if self.ok else 1

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "scenario": self.scenario,
            "ok": self.ok,
            "duration_s": round(self.duration_s, 1),
            "events": [row.as_json() for row in self.rows],
            "checks": [check.as_json() for check in self.checks],
            "totals": self.totals.as_json(),
            "notes": self.notes,
            "folder": self.folder,
        }


def rows(scenario: Scenario, letters: Sequence[EventLetter], began: datetime, speed: float) -> list[Row]:
    """Match expected with received event messages, each at most once."""

    def at_s(letter: EventLetter) -> float:
        return (letter.at - began).total_seconds() * speed

    left = sorted(letters, key=lambda letter: letter.at)
    found: list[tuple[float, Row]] = []
    unmet: list[ExpectTable] = []
    for expect in scenario.expected():
        letter = next((one for one in left if _is(one, expect) and _in_time(at_s(one), expect, speed)), None)
        if letter is None:
            unmet.append(expect)
        else:
            left.remove(letter)
            found.append((at_s(letter), Row("ok", expect, letter, at_s(letter))))
    for expect in unmet:
        letter = next((one for one in left if _is(one, expect)), None)
        if letter is None:
            found.append((expect.after_s, Row("missing", expect, None, None)))
        else:
            left.remove(letter)
            found.append((expect.after_s, Row("wrong time", expect, letter, at_s(letter))))
    state: State = "allowed" if scenario.allow_other else "not expected"
    found += [(at_s(letter), Row(state, None, letter, at_s(letter))) for letter in left]
    return [row for _, row in sorted(found, key=lambda pair: pair[0])]


def _is(letter: EventLetter, expect: ExpectTable) -> bool:
    return (
        (letter.kind, letter.phase) == (expect.kind, expect.phase)
        and expect.device in (None, letter.device)
        and expect.zone in (None, letter.zone)
        and expect.rule in (None, letter.rule)
    )


def _in_time(at_s: float, expect: ExpectTable, speed: float) -> bool:
    """Whether it came in its time; how long a box takes does not scale with the speed."""
    return expect.after_s - EARLY_S <= at_s <= expect.after_s + expect.within_s * max(1.0, speed)


def account(scenario: Scenario, book: Book) -> list[Check]:
    """Check the hub's own account: lost, double, unreadable."""
    totals, allowed = book.totals(), scenario.expect_totals
    gaps = ", ".join(f"{g.stream}:{g.lane}:{g.first}-{g.last}" for g in book.gaps()[:5])
    bad = "; ".join(f"{letter.topic}: {letter.reason}" for letter in list(book.bad)[:3])
    return [
        Check(
            "lost",
            totals.lost <= allowed.lost,
            f"{totals.lost} of {totals.events + totals.telemetry} messages"
            + (f": {gaps}" if totals.lost else ""),
        ),
        Check("dropped", totals.dropped <= allowed.dropped, f"{totals.dropped} messages by the box"),
        Check(
            "duplicates",
            totals.duplicates <= allowed.duplicates,
            f"{totals.duplicates} among {totals.readings} readings and {totals.events} event messages",
        ),
        Check(
            "undecodable",
            totals.undecodable <= allowed.undecodable,
            f"{totals.undecodable}" + (f": {bad}" if bad else ""),
        ),
    ]
