"""What goes wrong on a line, to be switched on and off while a simulator runs.

    unit.faults.add(Fault.no_answer(times=3))
    line.faults.add(Fault.slow_answer(2.0, probability=0.1), Fault.wrong_crc(for_s=5))
    unit.faults.clear()

A fault strikes every request unless it is limited: ``times`` strikes, ``for_s`` seconds from the
moment it is added, ``probability`` per request, ``functions`` by function code. Several faults may
strike the same request and add up (slow *and* with a wrong CRC). A fault of a unit strikes that
unit's answers, a fault of the line those of all its units.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TypedDict, Unpack


class Kind(StrEnum):
    """The faults by name, as the command line and scenario files write them."""

    NO_ANSWER = "no-answer"
    SLOW_ANSWER = "slow-answer"
    LATE_ANSWER = "late-answer"
    EXCEPTION = "exception"
    WRONG_CRC = "wrong-crc"
    WRONG_UNIT = "wrong-unit"
    WRONG_FUNCTION = "wrong-function"
    WRONG_BYTE_COUNT = "wrong-byte-count"
    WRONG_TRANSACTION = "wrong-transaction"
    TRUNCATED = "truncated"
    NOISE_BEFORE = "noise-before"
    NOISE_WITHIN = "noise-within"
    NOISE_AFTER = "noise-after"
    UNSOLICITED = "unsolicited"
    SPLIT = "split"
    DUPLICATE = "duplicate"
    ECHO = "echo"
    RESET = "reset"


class Limits(TypedDict, total=False):
    """How often a fault strikes; without any, always."""

    times: int | None
    for_s: float | None
    probability: float
    functions: Collection[int]


#: Bytes that belong to no frame; 0x00 and 0xFF are what a floating RS-485 pair gives most.
NOISE = b"\x00\xff\x7e"


@dataclass(frozen=True, eq=False)
class Fault:
    """One fault; make it with the named constructors."""

    kind: Kind
    delay_s: float = 0.0
    code: int = 0
    keep: int = 0
    data: bytes = NOISE
    times: int | None = None
    for_s: float | None = None
    probability: float = 1.0
    functions: Collection[int] = ()

    @classmethod
    def no_answer(cls, **limits: Unpack[Limits]) -> Fault:
        """Take the request and say nothing; on a whole TCP line: a gateway that accepts but is dead."""
        return cls(Kind.NO_ANSWER, **limits)

    @classmethod
    def slow_answer(cls, delay_s: float, **limits: Unpack[Limits]) -> Fault:
        """Answer after ``delay_s``; the line is busy meanwhile."""
        return cls(Kind.SLOW_ANSWER, delay_s=delay_s, **limits)

    @classmethod
    def late_answer(cls, delay_s: float, **limits: Unpack[Limits]) -> Fault:
        """Answer after ``delay_s``, but take further requests meanwhile: it lands in the next exchange."""
        return cls(Kind.LATE_ANSWER, delay_s=delay_s, **limits)

    @classmethod
    def exception(cls, code: int, **limits: Unpack[Limits]) -> Fault:
        """Answer with a Modbus exception (2 address, 4 device failure, 6 busy, 11 gateway target...)."""
        return cls(Kind.EXCEPTION, code=code, **limits)

    @classmethod
    def wrong_crc(cls, **limits: Unpack[Limits]) -> Fault:
        """Spoil the CRC. A Modbus TCP gateway finds that itself and answers exception 11."""
        return cls(Kind.WRONG_CRC, **limits)

    @classmethod
    def wrong_unit(cls, **limits: Unpack[Limits]) -> Fault:
        """Answer in the name of the next unit, with a valid CRC."""
        return cls(Kind.WRONG_UNIT, **limits)

    @classmethod
    def wrong_function(cls, **limits: Unpack[Limits]) -> Fault:
        """Answer with the next function code, with a valid CRC."""
        return cls(Kind.WRONG_FUNCTION, **limits)

    @classmethod
    def wrong_byte_count(cls, **limits: Unpack[Limits]) -> Fault:
        """Claim two bytes more than the answer carries, with a valid CRC."""
        return cls(Kind.WRONG_BYTE_COUNT, **limits)

    @classmethod
    def wrong_transaction(cls, **limits: Unpack[Limits]) -> Fault:
        """Answer with the next transaction id (Modbus TCP only; RTU frames have none and stay whole)."""
        return cls(Kind.WRONG_TRANSACTION, **limits)

    @classmethod
    def truncated(cls, keep: int = 0, **limits: Unpack[Limits]) -> Fault:
        """Send only the first ``keep`` bytes of the answer; 0 keeps the first half."""
        return cls(Kind.TRUNCATED, keep=keep, **limits)

    @classmethod
    def noise_before(cls, data: bytes = NOISE, **limits: Unpack[Limits]) -> Fault:
        """Put foreign bytes directly before the answer."""
        return cls(Kind.NOISE_BEFORE, data=data, **limits)

    @classmethod
    def noise_within(cls, data: bytes = NOISE, **limits: Unpack[Limits]) -> Fault:
        """Put foreign bytes into the middle of the answer."""
        return cls(Kind.NOISE_WITHIN, data=data, **limits)

    @classmethod
    def noise_after(cls, data: bytes = NOISE, **limits: Unpack[Limits]) -> Fault:
        """Put foreign bytes directly behind the answer."""
        return cls(Kind.NOISE_AFTER, data=data, **limits)

    @classmethod
    def unsolicited(cls, data: bytes = NOISE, delay_s: float = 0.05, **limits: Unpack[Limits]) -> Fault:
        """Put foreign bytes on the line ``delay_s`` after the answer, when nobody asked."""
        return cls(Kind.UNSOLICITED, data=data, delay_s=delay_s, **limits)

    @classmethod
    def split(cls, pause_s: float = 0.005, **limits: Unpack[Limits]) -> Fault:
        """Dribble the answer byte by byte, ``pause_s`` apart."""
        return cls(Kind.SPLIT, delay_s=pause_s, **limits)

    @classmethod
    def duplicate(cls, delay_s: float = 0.005, **limits: Unpack[Limits]) -> Fault:
        """Send the answer again ``delay_s`` later."""
        return cls(Kind.DUPLICATE, delay_s=delay_s, **limits)

    @classmethod
    def echo(cls, **limits: Unpack[Limits]) -> Fault:
        """Repeat the request before the answer, as two-wire adapters do that hear themselves."""
        return cls(Kind.ECHO, **limits)

    @classmethod
    def reset(cls, **limits: Unpack[Limits]) -> Fault:
        """Reset the TCP connection instead of answering; on a pty there is no answer."""
        return cls(Kind.RESET, **limits)

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read ``KIND[:PROBABILITY][,KEY=VALUE...]``, for example ``slow-answer:0.1,delay_s=2``.

        Raises ValueError that says what is allowed.
        """
        head, *settings = text.split(",")
        word, _, probability = head.partition(":")
        try:
            kind = Kind(word.strip())
        except ValueError:
            raise ValueError(f"unknown fault {word!r}; there are: {', '.join(Kind)}") from None
        values = dict(_DEFAULTS.get(kind, {}))
        if probability:
            values["probability"] = float(probability)
        for setting in settings:
            key, _, value = setting.partition("=")
            if key not in _READ:
                raise ValueError(f"unknown setting {key!r} of fault {kind}; there are: {', '.join(_READ)}")
            values[key] = _READ[key](value)
        return cls(kind, **values)  # type: ignore[arg-type]

    def __str__(self) -> str:
        said = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if f.name != "kind" and getattr(self, f.name) != f.default
        ]
        return ",".join([self.kind, *said])


_READ: dict[str, Callable[[str], object]] = {
    "delay_s": float,
    "code": int,
    "keep": int,
    "data": bytes.fromhex,
    "times": int,
    "for_s": float,
    "probability": float,
}
_DEFAULTS: dict[Kind, dict[str, object]] = {
    Kind.SLOW_ANSWER: {"delay_s": 0.5},
    Kind.LATE_ANSWER: {"delay_s": 1.5},
    Kind.EXCEPTION: {"code": 4},
    Kind.UNSOLICITED: {"delay_s": 0.05},
    Kind.SPLIT: {"delay_s": 0.005},
    Kind.DUPLICATE: {"delay_s": 0.005},
}


@dataclass(slots=True)
class _Armed:
    fault: Fault
    left: int | None
    until: float | None


class Faults:
    """The faults switched on for one unit or line. Seeded: the same requests meet the same faults."""

    def __init__(self, seed: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._armed: list[_Armed] = []
        self._random = random.Random(seed)
        self._clock = clock
        self.struck: Counter[Kind] = Counter()

    def __bool__(self) -> bool:
        return bool(self._armed)

    def __iter__(self) -> Iterator[Fault]:
        return iter([armed.fault for armed in self._armed])

    def add(self, *faults: Fault) -> None:
        """Switch faults on; their ``for_s`` begins now."""
        now = self._clock()
        for fault in faults:
            until = None if fault.for_s is None else now + fault.for_s
            self._armed.append(_Armed(fault, fault.times, until))

    def remove(self, fault: Fault) -> None:
        """Switch one fault off; nothing happens if it is off already."""
        self._armed = [armed for armed in self._armed if armed.fault is not fault]

    def clear(self) -> None:
        """Switch all off."""
        self._armed.clear()

    def strike(self, function: int) -> dict[Kind, Fault]:
        """Return the faults that hit a request with this function code, and count them."""
        if not self._armed:
            return {}
        now = self._clock()
        self._armed = [a for a in self._armed if a.left != 0 and (a.until is None or now < a.until)]
        hits: dict[Kind, Fault] = {}
        for armed in self._armed:
            fault = armed.fault
            if fault.functions and function not in fault.functions:
                continue
            if fault.probability < 1.0 and self._random.random() >= fault.probability:
                continue
            if armed.left is not None:
                armed.left -= 1
            hits[fault.kind] = fault
            self.struck[fault.kind] += 1
        self._armed = [a for a in self._armed if a.left != 0]
        return hits


def noisy(frame: bytes, hits: Mapping[Kind, Fault]) -> bytes:
    """Return a frame cut short, or with foreign bytes before, within and behind it."""
    if (truncated := hits.get(Kind.TRUNCATED)) is not None:
        frame = frame[: truncated.keep or len(frame) // 2]
    if (within := hits.get(Kind.NOISE_WITHIN)) is not None:
        middle = len(frame) // 2
        frame = frame[:middle] + within.data + frame[middle:]
    if (before := hits.get(Kind.NOISE_BEFORE)) is not None:
        frame = before.data + frame
    if (after := hits.get(Kind.NOISE_AFTER)) is not None:
        frame = frame + after.data
    return frame
