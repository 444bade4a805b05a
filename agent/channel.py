"""The way of one device's samples: newest values, telemetry, rules, and who looks on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from lamppost.agent.policy import Filter, Policy
from lamppost.drivers.api import Frame, Reading, Sample

if TYPE_CHECKING:
    from lamppost.agent.engine import Engine
    from lamppost.agent.outbox import Outbox
    from lamppost.agent.tail import Tail

_quantity = itemgetter(1)


class Channel:
    """Takes what a device emits. Called on the hot path: what is not configured costs nothing."""

    def __init__(
        self,
        device: str,
        policy_of: Callable[[str], Policy],
        *,
        engine: Engine,
        outbox: Outbox,
        tail: Tail,
        now: Callable[[], datetime],
        telemetry: bool,
        see: Callable[[Frame], None] | None = None,
        show: Callable[[Frame], None] | None = None,
        hear: Callable[[Sequence[Reading]], None] | None = None,
    ) -> None:
        self.device = device
        #: Newest reading of each quantity.
        self.newest: dict[str, Reading] = {}
        #: Whether something came since the newest readings were last shown.
        self.changed = False
        self._filter = Filter(policy_of)
        self._engine = engine
        self._outbox = outbox
        self._tail = tail
        self._now = now
        self._telemetry = telemetry
        #: Where frames go, if anybody looks at them.
        self.see = see
        self._show = show
        #: What learns the time from them, if the device knows it.
        self._hear = hear

    def take(self, samples: Sequence[Sample]) -> None:
        """Take samples in the order of their time."""
        readings: Any = samples
        if samples[0].__class__ is not Reading or samples[-1].__class__ is not Reading:
            readings = self._after_frames(samples)
            if not readings:
                return
        self.newest.update(zip(map(_quantity, readings), readings, strict=True))
        self.changed = True
        if self._telemetry:
            picked = self._filter.select(readings)
            if picked:
                self._outbox.telemetry(self.device, picked)
        if self._engine.watched(self.device):
            raised = self._engine.step(self.device, readings, self._now())
            if raised:
                self._outbox.events(raised)
        if self._tail:
            self._tail.write(map(reading_record, readings))
        if self._hear is not None:
            self._hear(readings)  # last: these have their times by what the clock was

    def _after_frames(self, samples: Sequence[Sample]) -> list[Reading]:
        """Hand frames on to be looked at; return what else there is."""
        for sample in samples:
            if not isinstance(sample, Frame):
                continue
            if self.see is not None:
                self.see(sample)
            if self._show is not None:
                self._show(sample)
        return [sample for sample in samples if isinstance(sample, Reading)]

    def release(self) -> None:
        """Send what the policy held back and whose time has come."""
        picked = self._filter.release(self._now())
        if picked:
            self._outbox.telemetry(self.device, picked)


def reading_record(reading: Reading) -> dict[str, Any]:
    """Return a reading as `lamppost tail` gets it."""
    return {
        "type": "reading",
        "at": reading.at.isoformat(timespec="milliseconds"),
        "device": reading.device,
        "quantity": reading.quantity,
        "value": reading.value,
        "unit": reading.unit,
        "quality": reading.quality.value,
    }
