"""What a hub knows: events, newest values, states of nodes, and whether anything is missing or double."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple

from lamppost.simulators.hub.decode import decode
from lamppost.simulators.hub.gallery import Gallery
from lamppost.simulators.hub.ledger import Numbers, Series, Span, count
from lamppost.simulators.hub.letters import (
    LANES,
    BadLetter,
    EventLetter,
    Letter,
    Mail,
    Node,
    PictureLetter,
    Sequence,
    StatusLetter,
    TelemetryLetter,
    quantity,
    when,
)
from lamppost.simulators.hub.schema import Schemas
from lamppost.simulators.hub.senml import Value

#: How many times of readings are remembered for each quantity, to find double ones.
REMEMBERED = 200_000


@dataclass
class Totals:
    """Counts of a hub. Messages that came again after their de-duplication are only in ``repeats``.

    ``duplicates`` are readings (same device, quantity, time) and event messages (same event and
    revision) that came again under another sequence; ``gaps`` the numbers missing in sequences,
    ``dropped`` what nodes say to have given up, ``lost`` the gaps that this does not explain, and
    revisions missing between those of an event. Of the pictures that events name, ``matched`` came with
    the right hash, ``altered`` with another, ``missing`` have not come; ``orphaned`` ones no event names.
    """

    messages: int = 0
    bytes: int = 0
    events: int = 0
    telemetry: int = 0
    pictures: int = 0
    statuses: int = 0
    readings: int = 0
    bad_readings: int = 0
    repeats: int = 0
    duplicates: int = 0
    gaps: int = 0
    dropped: int = 0
    lost: int = 0
    undecodable: int = 0
    matched: int = 0
    altered: int = 0
    missing: int = 0
    orphaned: int = 0

    def as_json(self) -> dict[str, int]:
        """Return them by name."""
        return asdict(self)


class Kept(NamedTuple):
    """A reading of the log."""

    node: Node
    device: str
    quantity: str
    at: datetime
    value: Value | None


class Gap(NamedTuple):
    """Numbers that are missing: all from ``first`` to ``last``."""

    node: Node
    stream: str
    lane: int
    first: int
    last: int


class Entry(NamedTuple):
    """A message in the book. ``repeat``: it had come before and changed nothing."""

    letter: Letter
    repeat: bool = False


class Book:
    """Keeps account of messages; pure. The attributes are for reading.

    ``keep`` says which readings are kept in ``log``: all, none, or those of (device, quantity) pairs.
    ``from_start``: the nodes begin with an empty spool, so that numbers from 1 on are missed.
    ``keep_pictures``: keep the JPEGs too.
    """

    def __init__(
        self,
        schemas: Schemas | None = None,
        *,
        keep: bool | Collection[tuple[str, str]] = False,
        from_start: bool = False,
        keep_pictures: bool = False,
    ) -> None:
        self.gallery = Gallery(keep=keep_pictures)
        self.events: dict[str, list[EventLetter]] = {}
        self.event_messages: list[EventLetter] = []
        self.nodes: dict[Node, StatusLetter] = {}
        self.log: list[Kept] = []
        self.bad: deque[BadLetter] = deque(maxlen=1000)
        #: When telemetry came, as (order, unix seconds, node); orders of events are in their letters.
        self.telemetry_arrivals: deque[tuple[int, float, Node]] = deque(maxlen=1_000_000)
        self._schemas = schemas
        self._keep = keep
        self._first = 1 if from_start else None
        self._totals = Totals()
        self._numbers: dict[tuple[Node, str, int], Numbers] = {}
        self._series: dict[Node, dict[str, Series]] = {}
        self._said: set[tuple[Node, str, int]] = set()

    def take(self, mail: Mail) -> Entry:
        """Enter one message. Never raises: what cannot be read is a `BadLetter`, counted."""
        totals = self._totals
        totals.messages += 1
        totals.bytes += len(mail.payload)
        letter = decode(mail, self._schemas)
        if isinstance(letter, BadLetter):
            totals.undecodable += 1
            self.bad.append(letter)
        elif isinstance(letter, StatusLetter):
            totals.statuses += 1
            self._status(letter)
        elif isinstance(letter, EventLetter | TelemetryLetter | PictureLetter):
            if letter.sequence is not None and not self._is_new(letter.node, letter.sequence):
                totals.repeats += 1
                return Entry(letter, repeat=True)
            if isinstance(letter, PictureLetter) and self.gallery.has(letter):  # MQTT 3.1.1 has no sequence
                totals.repeats += 1
                return Entry(letter, repeat=True)
            self._enter(letter)
        return Entry(letter)

    def _is_new(self, node: Node, sequence: Sequence) -> bool:
        key = (node, sequence.stream, sequence.lane)
        numbers = self._numbers.get(key)
        if numbers is None:
            numbers = self._numbers[key] = Numbers()
        return numbers.add(sequence.number)

    def _status(self, letter: StatusLetter) -> None:
        before = self.nodes.get(letter.node)
        if before is not None and letter.at is None:  # a last will knows nothing but that it is offline
            letter.devices, letter.spool, letter.boot = before.devices, before.spool, before.boot
        self.nodes[letter.node] = letter

    def _enter(self, letter: EventLetter | TelemetryLetter | PictureLetter) -> None:
        totals = self._totals
        if isinstance(letter, TelemetryLetter):
            letter.order = totals.messages
            totals.telemetry += 1
            self.telemetry_arrivals.append((letter.order, letter.received, letter.node))
            self._readings(letter)
        elif isinstance(letter, EventLetter):
            letter.order = totals.messages
            totals.events += 1
            name = (letter.node, letter.id, letter.revision)
            totals.duplicates += name in self._said
            self._said.add(name)
            self.event_messages.append(letter)
            self.events.setdefault(letter.id, []).append(letter)
            self.gallery.announce(letter)
        else:
            letter.order = totals.messages
            totals.pictures += 1
            self.gallery.add(letter)

    def _readings(self, letter: TelemetryLetter) -> None:
        totals = self._totals
        all_series = self._series.setdefault(letter.node, {})
        name, series = "", Series()
        for record in letter.records:
            if record.name != name:
                name = record.name
                found = all_series.get(name)
                if found is None:
                    found = all_series[name] = Series()
                series = found
                series.forget(REMEMBERED)
            if not series.add(record.at_ms, record.value, record.unit, letter.order):
                totals.duplicates += 1
            if record.value is None:
                totals.bad_readings += 1
        totals.readings += len(letter.records)
        if self._keep:
            self._log(letter)

    def _log(self, letter: TelemetryLetter) -> None:
        keep = self._keep
        for record in letter.records:
            about = (letter.device, quantity(record))
            if keep is True or (not isinstance(keep, bool) and about in keep):
                self.log.append(Kept(letter.node, *about, when(record.at_ms), record.value))

    def newest(self, device: str, of: str, node: Node | None = None) -> Value | None:
        """Return the newest value of a quantity; None if there is none, or none of good quality."""
        for its_node, all_series in self._series.items():
            found = all_series.get(f"{its_node.node}:{device}:{of}")
            if found is not None and node in (None, its_node):
                return found.value
        return None

    def values(self) -> dict[Node, dict[str, Series]]:
        """Return all quantities that ever came, by node and by their names, device:quantity."""
        return {
            node: {name.split(":", 1)[1]: series for name, series in all_series.items()}
            for node, all_series in self._series.items()
        }

    def gaps(self) -> list[Gap]:
        """Return which numbers are missing."""
        found = []
        for (node, stream, lane), numbers in self._numbers.items():
            found += [Gap(node, stream, lane, *span) for span in numbers.gaps(self._first)]
        return found

    def dropped(self) -> int:
        """Return how many messages the nodes say to have given up."""
        return sum(lane.get("dropped", 0) for status in self.nodes.values() for lane in status.spool.values())

    def missing_revisions(self) -> list[tuple[str, int]]:
        """Return (event id, revision) of messages that must have been there before others that came."""
        found = []
        for id_, letters in self.events.items():
            there = {letter.revision for letter in letters}
            first = min(there) if self._first is None else 0
            found += [(id_, n) for n in range(first, max(there)) if n not in there]
        return found

    def totals(self) -> Totals:
        """Return the counts as they stand."""
        totals = Totals(**asdict(self._totals))
        missing: dict[tuple[Node, int], list[Span]] = {}
        for gap in self.gaps():
            missing.setdefault((gap.node, gap.lane), []).append((gap.first, gap.last))
        totals.gaps = sum(map(count, missing.values()))
        totals.dropped = self.dropped()
        unexplained = {key: max(0, count(spans) - self._dropped(*key)) for key, spans in missing.items()}
        # A missing event message is one loss, whether its number or its revision tells of it.
        in_lanes = sum(n for (_, lane), n in unexplained.items() if lane <= LANES.index("events"))
        others = sum(unexplained.values()) - in_lanes
        totals.lost = others + max(in_lanes, self._lost_revisions())
        gallery = self.gallery
        totals.matched, totals.altered = len(gallery.matched()), len(gallery.altered())
        totals.missing, totals.orphaned = len(gallery.missing()), len(gallery.orphaned())
        return totals

    def _dropped(self, node: Node, lane: int) -> int:
        status = self.nodes.get(node)
        name = LANES[lane] if lane < len(LANES) else ""
        return 0 if status is None else status.spool.get(name, {}).get("dropped", 0)

    def _lost_revisions(self) -> int:
        given_up = sum(self._dropped(node, lane) for node in self.nodes for lane in (0, 1))
        return max(0, len(self.missing_revisions()) - given_up)
