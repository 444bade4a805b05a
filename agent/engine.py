"""Runs the rules: hands each its samples and its time, and remembers which events are open."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from lamppost.agent.event import Event, Phase
from lamppost.agent.evidence.exhibit import Exhibit
from lamppost.agent.log import get_logger
from lamppost.agent.rules.api import KnowsDry, Remarks, Rule, RuleState, Told, Witness
from lamppost.drivers.api import Reading

log = get_logger()

#: Key of the open events among the saved states; rule states stand beside it under ``rule/NAME``.
OPEN_EVENTS = "open-events"


class Raised(NamedTuple):
    """An event, the rule that raised it, and its pictures, if it has any."""

    rule: str
    event: Event
    exhibit: Exhibit | None = None


class Engine:
    """All rules of the box. Pure but for its own state: no I/O, no clock."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule | None] = {}
        self._states: dict[str, RuleState] = {}
        self._watch: dict[str, dict[str, list[str]]] = {}
        self._open: dict[str, dict[str, Any]] = {}
        self._saved: dict[str, bytes] = {}
        self._kept: dict[str, dict[str, Any]] = {}
        self._measured: dict[str, list[Reading]] = {}

    def load(self, saved: bytes | None) -> None:
        """Take the open events that an earlier run left."""
        self._open = json.loads(saved) if saved else {}

    def add(self, name: str, rule: Rule | None, state: RuleState, watches: Iterable[tuple[str, str]]) -> None:
        """Begin to run a rule; ``rule`` is None for the box's own watch on its devices."""
        self._rules[name] = rule
        self._states[name] = state
        for device, quantity in watches:
            self._watch.setdefault(device, {}).setdefault(quantity, []).append(name)

    def keep(self, name: str) -> None:
        """Stop running a rule whose settings change; `kept` gives its state to the new ones."""
        self._kept[name] = self._states[name].save()
        self.remove(name)

    def kept(self, name: str) -> dict[str, Any] | None:
        """Return the state of a rule that was stopped by `keep`, once."""
        return self._kept.pop(name, None)

    def remove(self, name: str) -> None:
        """Stop running a rule; its open events stay open until `abandoned` closes them."""
        self._rules.pop(name, None)
        self._states.pop(name, None)
        for quantities in self._watch.values():
            for names in quantities.values():
                if name in names:
                    names.remove(name)

    def rules(self) -> list[str]:
        """Return the names of the configured rules that run."""
        return [name for name, rule in self._rules.items() if rule is not None]

    def watched(self, device: str) -> bool:
        """Whether any rule has asked for samples of a device."""
        return device in self._watch

    def looked_at(self, device: str) -> bool:
        """Whether any rule wants every sample of a device, and so the scenes of a camera."""
        return bool(self._watch.get(device, {}).get(""))

    def step(self, device: str, samples: Sequence[Any], now: datetime) -> list[Raised]:
        """Give each sample to the rules that watch it."""
        quantities = self._watch.get(device)
        if not quantities:
            return []
        raised: list[Raised] = []
        every = quantities.get("", ())
        for sample in samples:
            names = quantities.get(sample.quantity, ()) if isinstance(sample, Reading) else ()
            for name in (*names, *every):
                self._collect(name, partial(self._states[name].step, sample, now), raised)
        return raised

    def witnesses(self, device: str) -> dict[str, Witness]:
        """Return the rules of a device that ask for pictures, by name."""
        names = self._watch.get(device, {}).get("", ())
        return {name: state for name in names if isinstance(state := self._states[name], Witness)}

    def dry(self) -> set[str]:
        """Return the cameras whose road some rule knows to be dry."""
        cameras: set[str] = set()
        for name, state in self._states.items():
            if isinstance(state, KnowsDry):
                try:
                    cameras.update(state.dry())
                except Exception:  # as in `_collect`
                    log.exception("rule failed", rule=name)
        return cameras

    def remarks(self) -> dict[str, list[str]]:
        """Return why rules run weaker than they could, by rule; those that do not are left out."""
        found = {}
        for name, state in self._states.items():
            if isinstance(state, Remarks):
                try:
                    found[name] = list(state.remarks())
                except Exception:  # as in `_collect`
                    log.exception("rule failed", rule=name)
        return {name: said for name, said in found.items() if said}

    def tick(self, now: datetime) -> list[Raised]:
        """Let time pass for all rules."""
        raised: list[Raised] = []
        for name, state in list(self._states.items()):
            self._collect(name, partial(state.tick, now), raised)
        return raised

    def _collect(self, name: str, call: Callable[[], Iterable[Told]], raised: list[Raised]) -> None:
        """Run one rule; a bug in it costs its own events and a log line, not its neighbours."""
        try:
            told = list(call())
        except Exception:  # a third-party rule may raise anything
            log.exception("rule failed", rule=name)
            return
        for one in told:
            if isinstance(one, Reading):
                self._measured.setdefault(name, []).append(one)
                continue
            self._remember(name, one)
            raised.append(Raised(name, one))

    def take_measured(self) -> tuple[list[Reading], dict[str, bytes]]:
        """Return what rules measured since the last call, and the states to be saved with it."""
        measured, self._measured = self._measured, {}
        states = {
            state_key(name): json.dumps(self._states[name].save()).encode()
            for name in measured
            if name in self._states
        }
        self._saved.update(states)
        return [reading for readings in measured.values() for reading in readings], states

    def _remember(self, name: str, event: Event) -> None:
        if event.phase is Phase.CLOSE:
            self._open.pop(event.id, None)
            return
        self._open[event.id] = {
            "rule": name,
            "kind": event.kind,
            "revision": event.revision,
            "since": event.since.isoformat(),
            "device": event.device,
            "zone": event.zone,
            "severity": event.severity.value,
        }

    def abandoned(self, now: datetime) -> list[Raised]:
        """Close the open events of rules that run no more: nobody else ever would."""
        raised = []
        for id_, known in list(self._open.items()):
            if known["rule"] in self._states:
                continue
            event = Event(
                id=id_,
                kind=known["kind"],
                phase=Phase.CLOSE,
                rule=known["rule"],
                since=datetime.fromisoformat(known["since"]),
                at=now,
                revision=known["revision"] + 1,
                device=known["device"],
                zone=known["zone"],
                severity=known["severity"],
                measures={"reason": "the rule was removed from the configuration"},
            )
            del self._open[id_]
            raised.append(Raised(known["rule"], event))
        return raised

    def shift(self, seconds: float) -> None:
        """Move the rules' memory: the clock was set."""
        for state in self._states.values():
            state.shift(seconds)

    def open_events(self) -> Mapping[str, dict[str, Any]]:
        """Return what is open, by event id."""
        return self._open

    def take_changed(self) -> dict[str, bytes]:
        """Return the states that changed since the last call, as they are saved."""
        states = {state_key(name): json.dumps(state.save()).encode() for name, state in self._states.items()}
        states[OPEN_EVENTS] = json.dumps(self._open).encode()
        changed = {key: state for key, state in states.items() if self._saved.get(key) != state}
        self._saved.update(changed)
        return changed


def state_key(rule: str) -> str:
    """Return the key under which a rule's state is saved."""
    return f"rule/{rule}"
