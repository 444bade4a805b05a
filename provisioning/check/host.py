"""The box itself: disk, clock, temperature, power."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from lamppost.agent.clock import EARLIEST
from lamppost.agent.spool.reserve import RESERVE_BYTES
from lamppost.provisioning.check.bench import Bench, size
from lamppost.provisioning.check.finding import Finding, green, red, yellow
from lamppost.provisioning.words import say

#: Degrees Celsius at which small boards slow down (80 to 85), and a while before.
WARM_C, HOT_C = 70.0, 82.0
#: Life used, as eMMC says it in tenths (JEDEC JESD84-B51, DEVICE_LIFE_TIME_EST).
OLD_PERCENT = 80
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_TIMEX_BYTES = 512  # more than struct timex has on any machine


def disk(bench: Bench) -> Iterator[Finding]:
    """Look at room, writability and wear of the disk under the spool."""
    spool = bench.config.spool
    path = existing(spool.path.parent)
    try:
        found = os.statvfs(path)
    except OSError as error:
        yield red("disk", "disk.missing", "disk.missing.todo", path=path, why=error.strerror)
        return
    free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    have = spool.path.stat().st_size if spool.path.is_file() else 0
    want = max(0.0, spool.max_mb * 2**20 - have)
    values = {"path": path, "free": size(free), "total": size(total), "want": size(want)}
    if found.f_flag & os.ST_RDONLY:
        yield red("disk", "disk.readonly", "disk.readonly.todo", **values)
    elif free < RESERVE_BYTES:
        yield red("disk", "disk.full", "disk.low.todo", **values)
    elif free < want:
        yield yellow("disk", "disk.low", "disk.low.todo", **values)
    else:
        yield green("disk", "disk.ok", **values)
    yield from _wear(bench)


def existing(path: Path) -> Path:
    """Return the path or the nearest folder above it that is there."""
    return next((p for p in (path, *path.absolute().parents) if p.exists()), Path("/"))


def _wear(bench: Bench) -> Iterator[Finding]:
    """Read what eMMC chips, and some SD cards, say of their life."""
    for file in sorted((bench.root / "sys/block").glob("mmcblk*/device/life_time")):
        said = bench.text(str(file.relative_to(bench.root))) or ""
        tenths = [int(part, 16) for part in said.split() if part.startswith("0x")]
        if not any(tenths):  # 0 is "not defined"
            continue
        name, percent = file.parts[-3], min(100, max(tenths) * 10)
        if percent >= OLD_PERCENT:
            yield yellow("wear", "wear.old", "wear.old.todo", disk=name, percent=percent)
        else:
            yield green("wear", "wear.ok", disk=name, percent=percent)


def clock(bench: Bench, now: datetime | None = None) -> Iterator[Finding]:
    """Say whether the clock is set, and whether something keeps it right."""
    at = now or bench.now()
    shown = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    implausible = bench.status is not None and not bench.status["clock"]["plausible"]
    if at < EARLIEST or implausible:
        yield red("clock", "clock.unset", "clock.unset.todo", now=shown)
        return
    if bench.status is not None and bench.status["clock"].get("source") == "gnss":
        yield green("clock", "clock.gnss", now=shown)
        return
    kept = synchronised()
    if kept is None:
        yield green("clock", "clock.unknown", now=shown)
    elif kept:
        yield green("clock", "clock.ok", now=shown)
    else:
        yield yellow("clock", "clock.free", "clock.free.todo", now=shown)


def synchronised() -> bool | None:
    """Ask the kernel whether something disciplines its clock; None where it does not say."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def temperature(bench: Bench) -> Iterator[Finding]:
    """Look at the hottest place that the box knows of, and at its power where a Raspberry Pi tells."""
    degrees = []
    for file in (bench.root / "sys/class/thermal").glob("thermal_zone*/temp"):
        said = bench.text(str(file.relative_to(bench.root)))
        if said and said.lstrip("-").isdigit():
            degrees.append(int(said) / 1000)
    if not degrees:
        yield green("temperature", "temperature.none")
    elif (hottest := max(degrees)) >= HOT_C:
        yield red("temperature", "temperature.hot", "temperature.hot.todo", degrees=hottest)
    elif hottest >= WARM_C:
        yield yellow("temperature", "temperature.warm", "temperature.hot.todo", degrees=hottest)
    else:
        yield green("temperature", "temperature.ok", degrees=hottest)
    yield from power(_throttled())


def _throttled() -> int | None:
    """Return the flags of `vcgencmd get_throttled`; None where there is no such thing."""
    program = shutil.which("vcgencmd")
    if program is None:
        return None
    try:
        said = subprocess.run(  # noqa: S603 - the program of the board's maker
            [program, "get_throttled"], capture_output=True, text=True, timeout=3, check=True
        ).stdout
        return int(said.partition("=")[2], 16)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def power(flags: int | None) -> Iterator[Finding]:
    """Read the flags: bit 0 under-voltage, 1 and 2 slowed down now; 16 under-voltage since the start."""
    if flags is None:
        return
    bits = ((0, "power.under"), (16, "power.under-before"), (2, "power.slow"), (1, "power.slow"))
    told = list(dict.fromkeys(say(key) for bit, key in bits if flags >> bit & 1))
    if not told:
        yield green("power", "power.ok")
    else:
        make = red if flags & 1 else yellow
        yield make("power", "power.weak", "power.weak.todo", what=", ".join(told))
