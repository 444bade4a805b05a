"""`lamppost scan` of a line that is full: few requests, reads alone, and each unit taken for what it is."""

from __future__ import annotations

import asyncio

import pytest

from lamppost.drivers.api import Look
from lamppost.provisioning.scan import scan_line
from lamppost.provisioning.scan.plausible import score
from lamppost.simulators.modbus import PtyLine, Unit, device, serve_rtu_pty

KINDS = (
    "eastron-sdm120", "eastron-sdm630", "rika-rk900-09", "acrel-dtsd1352", "ecowitt-wn90lp",
    "noise-station-9in1", "sen0676-level",
)  # fmt: skip
READS = {1, 2, 3, 4}


def scanned(units: list[Unit], *, addresses: int, paced: bool = True) -> tuple[list, PtyLine]:
    """Scan a line at its speed; nothing but reads may reach it, and no request while another is answered."""

    async def main() -> tuple[list, PtyLine]:
        async with serve_rtu_pty(units, baud=115200, paced=paced) as line:
            wanted = range(1, addresses + 1)
            found = [one async for one in scan_line(line.path, settings=[(115200, "N")], units=wanted)]
        return found, line

    found, line = asyncio.run(main())
    assert {function for unit in units for function in unit.by_function} <= READS
    return found, line


@pytest.mark.parametrize(
    ("kinds", "most"),
    [
        pytest.param(["eastron-sdm120"] * 32, 5, id="of one kind"),
        pytest.param([KINDS[n % len(KINDS)] for n in range(32)], 10, id="of all kinds"),
    ],
)
def test_thirty_two_units_are_told_apart_by_a_few_reads_each(kinds, most):
    units = [device(kind, number) for number, kind in enumerate(kinds, 1)]
    found, line = scanned(units, addresses=32)
    assert [one.settings["profile"] for one in found] == kinds
    assert all(one.sure for one in found)
    assert line.requests <= 32 * most
    assert not line.collisions


def test_a_three_phase_meter_behind_many_of_one_phase_is_no_one_of_them():
    kinds = ["eastron-sdm120"] * 4 + ["eastron-sdm630"] + ["eastron-sdm120"]
    found, _ = scanned([device(kind, number) for number, kind in enumerate(kinds, 1)], addresses=6)
    assert [one.settings["profile"] for one in found] == kinds


def test_a_unit_that_answers_late_is_heard_and_asked_again():
    units = [device("eastron-sdm120", 2), device("rika-rk900-09", 3), device("eastron-sdm120", 5)]
    units[0].turnaround_s = units[2].turnaround_s = 0.13
    found, _ = scanned(units, addresses=5)
    assert sorted((one.settings["unit"], one.settings["profile"]) for one in found) == [
        (2, "eastron-sdm120"),
        (3, "rika-rk900-09"),
        (5, "eastron-sdm120"),
    ]


def test_what_is_not_read_yet_counts_for_the_best():
    volts = Look("voltage", 230.0, "V", "", "")
    none = Look("frequency", 0.0, "Hz", "", "")
    assert score([volts], ["Hz", "W"]) == (1.0, 2)
    assert score([volts, none], ["W"]) < score([volts], ["Hz", "W"])
    assert score([], []) == (0.0, 0)
