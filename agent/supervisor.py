"""Runs one device for ever: restarts with back-off, notices silence, lets no fault get out."""

from __future__ import annotations

import asyncio
import random
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from lamppost.agent.health import DeviceHealth, State
from lamppost.agent.log import get_logger
from lamppost.drivers.api import Driver, DriverError, Sample

#: A driver that has not ended so long after it was cancelled is left behind.
STOP_GRACE_S: Final = 5.0
#: The same when the agent itself ends: it has 5 s in all.
EXIT_GRACE_S: Final = 2.0
#: Runs of one device that were left behind and still live; with so many no other is begun.
MOST_ABANDONED: Final = 3
#: Silence shorter than this is no stall, unless the device's own setting says so.
SHORTEST_STALL_S: Final = 5.0
_STALL_INTERVALS = 3
#: A device must have delivered for so many first pauses before its back-off starts anew.
_SETTLED_PAUSES = 10
_MOST_DISTINCT = 100
#: So often in a row a device may refuse us and is tried again as usual: cameras do while they boot.
FREE_REFUSALS: Final = 3
#: After that it is left alone for so long at least: many lock out who comes with a wrong password.
REFUSED_S: Final = 60.0


class Supervised(Protocol):
    """The settings of a device that count here; `lamppost.agent.config` has them."""

    @property
    def name(self) -> str:
        """Name of the device."""

    @property
    def driver(self) -> Driver:
        """What is run."""

    @property
    def stall_s(self) -> float | None:
        """Longest silence, 0 for any; None: three times what the driver expects, at least 5 s."""

    @property
    def backoff_s(self) -> float:
        """First pause, above 0."""

    @property
    def backoff_max_s(self) -> float:
        """Longest pause."""


def _as_they_are(samples: Sequence[Sample]) -> Sequence[Sample]:
    return samples


class Backoff:
    """Pauses that double from ``first_s`` to ``longest_s``, each shortened by up to a half at random.

    The random half keeps the devices of a line, and the boxes of a city, from coming back at once.
    """

    def __init__(self, first_s: float, longest_s: float, rng: random.Random) -> None:
        self._first_s = first_s
        self._longest_s = max(first_s, longest_s)
        self._rng = rng
        self._ceiling_s = 0.0
        self._refusals = 0

    def delivered(self, for_s: float) -> None:
        """Start anew if the device has delivered for a while: ten first pauses, and the last one."""
        if for_s > 0:
            self._refusals = 0
        if for_s >= max(self._ceiling_s, _SETTLED_PAUSES * self._first_s):
            self._ceiling_s = 0.0

    def pause_s(self, *, longest: bool = False) -> float:
        """Return the next pause; ``longest`` where trying soon cannot help.

        That is the longest pause, and after `FREE_REFUSALS` in a row `REFUSED_S` if this is longer.
        """
        doubled = min(self._longest_s, max(self._first_s, 2 * self._ceiling_s))
        self._ceiling_s = self._longest_s if longest else doubled
        self._refusals = self._refusals + 1 if longest else 0
        if self._refusals > FREE_REFUSALS:
            self._ceiling_s = max(self._longest_s, REFUSED_S)
        return self._ceiling_s * self._rng.uniform(0.5, 1.0)


class _Line:
    """The `Emit` of one run. After `close` it drops what still comes, and counts it."""

    def __init__(self, runner: _Runner) -> None:
        self._runner = runner
        self._monotonic = runner.monotonic
        self._closed = False
        self.begun = self._monotonic()
        self.first: float | None = None
        self.newest = self.begun

    def __call__(self, *samples: Sample) -> None:
        runner = self._runner
        if self._closed:
            runner.health.late_samples += len(samples)
            return
        if not samples:
            return
        self.newest = self._monotonic()
        if self.first is None:
            self.first = self.newest
        try:
            stamped = runner.stamp(samples)
            if runner.health.took(stamped):
                runner.state_changed()
            runner.emit_samples(stamped)
        except Exception as error:  # noqa: BLE001  what the agent does wrong is not the driver's
            runner.log_once("samples were lost: the agent could not take them", error)

    def fault(self, kind: str, detail: str) -> None:
        """Take a fault that the driver survived."""
        runner = self._runner
        if self._closed:
            return
        try:
            runner.log.debug("fault", kind=kind, detail=detail)
            if runner.health.fault(kind, detail):
                runner.changed()
        except Exception as error:  # noqa: BLE001
            runner.log_once("a fault was not counted", error)

    def close(self) -> None:
        """Let nothing through any more."""
        self._closed = True

    def delivered_s(self) -> float:
        """Return how long the run has delivered samples."""
        return 0.0 if self.first is None else self.newest - self.first


class _Runner:
    """One device under supervision."""

    def __init__(
        self,
        device: Supervised,
        emit_samples: Callable[[Sequence[Sample]], None],
        health: DeviceHealth,
        monotonic: Callable[[], float],
        on_change: Callable[[], None],
        stamp: Callable[[Sequence[Sample]], Sequence[Sample]] = _as_they_are,
    ) -> None:
        self.device = device
        self.emit_samples = emit_samples
        self.health = health
        self.monotonic = monotonic
        self.changed = on_change
        self.stamp = stamp
        self.told: str | None = None
        self.log = get_logger(device=device.name)
        self._seen: set[str] = set()
        self._abandoned: set[asyncio.Task[None]] = set()

    def state_changed(self) -> None:
        """Pass it on; tell that the device delivers if it was told that it did not."""
        if self.told is not None:
            self.told = None
            self.log.info("delivers again")
        self.changed()

    def failed(self, error: DriverError, state: State, pause_s: float) -> None:
        """Tell that the device is down: once, not at each try, unless the reason is another."""
        if str(error) != self.told:
            self.told = str(error)
            self.log.warning(state.value, error=self.told, next_try_s=round(pause_s, 1))
        if self.health.failed(str(error), state, pause_s):
            self.changed()

    async def once(self) -> tuple[DriverError, State, float]:
        """Run the driver until it ends or stalls; return why, what it is now, how long it delivered."""
        await self._wait_for_room()
        line = _Line(self)
        stall_s = self._stall_s()
        self.health.trying()
        run = asyncio.create_task(self._guarded(line), name=f"device {self.device.name}")
        run.add_done_callback(self._ended)
        grace_s = EXIT_GRACE_S  # until we know better, it is the agent that ends
        try:
            stalled = await self._stalls(run, line, stall_s)
            grace_s = STOP_GRACE_S
        finally:
            line.close()
            left_behind = not await self._stop(run, grace_s)
        if stalled:
            error = DriverError(f"no sample for {stall_s:g} s; the driver was stopped", retry=not left_behind)
            return error, State.STALLED, line.delivered_s()
        return self._reason(run), State.FAILING, line.delivered_s()

    async def _guarded(self, line: _Line) -> None:
        try:
            await self.device.driver.run(line)
        except SystemExit as error:  # it would end the agent
            raise RuntimeError(f"the driver wanted to exit: {error}") from error

    async def _stalls(self, run: asyncio.Task[None], line: _Line, stall_s: float | None) -> bool:
        """Wait for the end of the run; return True as soon as it has been silent for too long."""
        while not run.done():
            left = None if stall_s is None else line.newest + stall_s - self.monotonic()
            if left is not None and left <= 0:
                return True
            await asyncio.wait({run}, timeout=left)
        return False

    async def _stop(self, run: asyncio.Task[None], grace_s: float) -> bool:
        """Cancel the run; return False if it does not end and has to be left behind."""
        if not run.done():
            run.cancel()
            await asyncio.wait({run}, timeout=grace_s)
        if run.done():
            return True
        self.health.abandoned_runs += 1
        self._abandoned.add(run)
        self.log.error("the driver does not stop when it is cancelled; left behind", waited_s=grace_s)
        return False

    def _ended(self, run: asyncio.Task[None]) -> None:
        self._abandoned.discard(run)
        if not run.cancelled():
            run.exception()  # asked for, so that asyncio does not complain of one that comes too late

    async def _wait_for_room(self) -> None:
        """Wait while too many runs that were left behind still hold the device."""
        while len(self._abandoned) >= MOST_ABANDONED:
            await asyncio.wait(self._abandoned, return_when=asyncio.FIRST_COMPLETED)

    def _stall_s(self) -> float | None:
        if self.device.stall_s is not None:
            return self.device.stall_s or None
        try:
            expected_s = self.device.driver.expected_interval_s()
        except Exception as error:  # noqa: BLE001
            self.log_once("the driver cannot say how often it delivers; it is not watched for silence", error)
            return None
        return None if expected_s is None else max(SHORTEST_STALL_S, _STALL_INTERVALS * expected_s)

    def _reason(self, run: asyncio.Task[None]) -> DriverError:
        """Return why the run ended by itself; what is a bug is logged with its traceback."""
        if run.cancelled():
            return DriverError("the driver cancelled itself")
        error = run.exception()
        if error is None:
            return DriverError("the driver ended without a reason")
        expected = _driver_error(error)
        if expected is not None:
            return expected
        self.log_once("bug in the driver", error)
        return DriverError(f"bug in the driver: {type(error).__name__}: {error}")

    def log_once(self, what: str, error: BaseException) -> None:
        """Log an error with its traceback the first time that it comes from its place."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{type(error).__name__} {frames[-1].filename}:{frames[-1].lineno}" if frames else repr(error)
        if place not in self._seen and len(self._seen) < _MOST_DISTINCT:
            self._seen.add(place)
            self.log.error(what, exc_info=error)


def _driver_error(error: BaseException) -> DriverError | None:
    """Return the DriverError that an error is, or consists of where a driver uses a TaskGroup."""
    while isinstance(error, BaseExceptionGroup):
        known, unknown = error.split(DriverError)
        if known is None or unknown is not None:
            return None
        error = known.exceptions[0]
    return error if isinstance(error, DriverError) else None


async def supervise(
    device: Supervised,
    emit_samples: Callable[[Sequence[Sample]], None],
    health: DeviceHealth,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    rng: random.Random | None = None,
    on_change: Callable[[], None] = lambda: None,
    stamp: Callable[[Sequence[Sample]], Sequence[Sample]] = _as_they_are,
) -> None:
    """Run a device until cancelled. Nothing that its driver does ends this, or reaches a neighbour.

    ``emit_samples`` gets each call's samples as they come; ``on_change`` is called when the state in
    ``health`` changes; ``stamp`` puts the box's own time on samples, which a driver stamps by the system's
    clock. A run that fails, ends or stalls is followed by the next after a pause (see
    `Backoff`). Cancelling waits at most `EXIT_GRACE_S` for the driver.
    """
    runner = _Runner(device, emit_samples, health, monotonic, on_change, stamp)
    backoff = Backoff(device.backoff_s, device.backoff_max_s, rng or random.Random())  # noqa: S311  no secret
    while True:
        error, state, delivered_s = await runner.once()
        backoff.delivered(delivered_s)
        pause_s = backoff.pause_s(longest=not error.retry)
        runner.failed(error, state, pause_s)
        await asyncio.sleep(pause_s)
