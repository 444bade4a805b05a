"""What a scan of a serial line takes: 32 addresses, at the right speed and at all that are common.

python benchmarks/scan.py [--quick]

Simulated units on a paced pty: each byte takes its time on the wire, each unit 0 or 20 ms before it answers.
``--quick`` leaves out the lines of 2400 baud.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import NamedTuple

from lamppost.provisioning.scan import scan_line
from lamppost.simulators.modbus import device, serve_rtu_pty

METERS = ("eastron-sdm120",)
MIXED = (
    "eastron-sdm120", "eastron-sdm630", "rika-rk900-09", "acrel-dtsd1352", "ecowitt-wn90lp",
    "noise-station-9in1", "sen0676-level",
)  # fmt: skip
ADDRESSES = 32


class Case(NamedTuple):
    """A line: ``everywhere`` scans all common speeds; ``turnaround_s`` is each unit's pause."""

    kinds: tuple[str, ...]
    units: int
    baud: int
    everywhere: bool
    turnaround_s: float = 0.0
    goal_s: float | None = None

    def __str__(self) -> str:
        what = f"{self.units} units of {len(self.kinds)} kind{'s' if len(self.kinds) > 1 else ''}"
        where = "all speeds" if self.everywhere else "its speed"
        return f"{what} at {self.baud} baud, {where}, {self.turnaround_s * 1000:.0f} ms"


CASES = (
    Case(METERS, 32, 9600, everywhere=False, goal_s=10),
    Case(MIXED, 32, 9600, everywhere=False, goal_s=10),
    Case(METERS, 32, 9600, everywhere=False, turnaround_s=0.02, goal_s=10),
    Case(MIXED, 32, 9600, everywhere=False, turnaround_s=0.02),
    Case(MIXED, 3, 9600, everywhere=False),
    Case(MIXED, 3, 9600, everywhere=True, goal_s=90),
    Case(METERS, 32, 2400, everywhere=True, goal_s=90),
    Case(MIXED, 32, 2400, everywhere=True, goal_s=90),
)


async def timed(case: Case) -> tuple[float, int, int]:
    """Return seconds, requests, and units that were not taken for what they are."""
    kinds = [case.kinds[n % len(case.kinds)] for n in range(case.units)]
    units = [device(kind, number) for number, kind in enumerate(kinds, 1)]
    for unit in units:
        unit.turnaround_s = case.turnaround_s
    options = {} if case.everywhere else {"settings": [(case.baud, "N")]}
    async with serve_rtu_pty(units, baud=case.baud, paced=True, check_speed=True) as line:
        began = time.perf_counter()
        found = [one async for one in scan_line(line.path, units=range(1, ADDRESSES + 1), **options)]
        took_s = time.perf_counter() - began
    assert {function for unit in units for function in unit.by_function} <= {1, 2, 3, 4}
    right = {(one.settings["unit"], one.settings.get("profile")) for one in found if one.sure}
    return took_s, line.requests + line.wrong_speed, len(set(enumerate(kinds, 1)) - right)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    quick = options.parse_args().quick
    missed = 0
    for case in CASES:
        if quick and case.baud < 9600:
            continue
        took_s, requests, wrong = asyncio.run(timed(case))
        missed += wrong > 0 or (case.goal_s is not None and took_s > case.goal_s)
        goal = "" if case.goal_s is None else f"  (goal: {case.goal_s:g} s)"
        print(f"{case!s:55} {took_s:6.1f} s, {requests:4} requests, {wrong} wrong{goal}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
