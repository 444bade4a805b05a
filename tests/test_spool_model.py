"""Any order of put, next, done, reopening and disk trouble behaves as a list per lane."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from spooling import Settings, draft, text_of
from waiting import until

from lamppost.agent.spool import Lane, Message, open_spool

lanes = st.sampled_from(Lane)


class SpoolMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.model: dict[Lane, list[str]] = {lane: [] for lane in Lane}
        self.state: dict[str, bytes] = {}
        self.flight: dict[tuple[Lane, int], Message] = {}
        self.keys: set[tuple[str, Lane, int]] = set()
        self.count = 0
        self.healthy = True

    def do(self, call):
        return self.loop.run_until_complete(call)

    @initialize()
    def begin(self) -> None:
        self.context = open_spool(
            Settings(Path(self.folder.name) / "spool.db"), report=lambda _: None, retry_s=(0.001, 0.001)
        )
        self.spool = self.do(self.context.__aenter__())

    def teardown(self) -> None:
        self.heal()
        self.do(self.context.__aexit__(None, None, None))
        self.loop.close()
        self.folder.cleanup()

    @rule(wanted=st.lists(lanes, max_size=8), soon=st.booleans())
    def put(self, wanted: list[Lane], soon: bool) -> None:
        drafts = []
        for lane in wanted:
            self.count += 1
            self.model[lane].append(str(self.count))
            drafts.append(draft(lane, str(self.count)))
        if soon:
            self.spool.put_soon(drafts)
            self.do(self.spool.put((), {"flush": b""}))
        else:
            self.state[f"s{self.count % 3}"] = str(self.count).encode()
            assert (
                self.do(self.spool.put(drafts, {f"s{self.count % 3}": str(self.count).encode()}))
                is self.healthy
            )

    @rule(limit=st.integers(1, 12))
    def next(self, limit: int) -> None:
        messages = self.do(self.spool.next(limit, self.flight))
        for message in messages:
            key = (message.lane, message.number)
            assert key not in self.flight
            self.flight[key] = message
        flying = {lane: {text_of(m) for m in self.flight.values() if m.lane is lane} for lane in Lane}
        for lane in Lane:
            assert flying[lane] == set(self.model[lane][: len(flying[lane])])
        order = [(m.lane, int(text_of(m))) for m in messages]
        assert order == sorted(order)

    @precondition(lambda self: self.flight)
    @rule(data=st.data())
    def done(self, data) -> None:
        key = data.draw(st.sampled_from(sorted(self.flight)))
        message = self.flight.pop(key)
        self.model[message.lane].remove(text_of(message))
        self.spool.done(message)
        identity = (message.stream, message.lane, message.number)
        assert identity not in self.keys
        self.keys.add(identity)

    @rule()
    def reconnect(self) -> None:
        self.flight.clear()

    @precondition(lambda self: self.healthy and self.spool.stats().durable)
    @rule()
    def fail(self) -> None:
        self.spool._outbox.disk._connection.execute("PRAGMA query_only = ON")
        self.healthy = False

    @precondition(lambda self: not self.healthy)
    @rule()
    def heal(self) -> None:
        if self.healthy:
            return
        self.spool._outbox.disk._connection.execute("PRAGMA query_only = OFF")
        self.do(until(lambda: self.spool.stats().durable))
        self.healthy = True

    @precondition(lambda self: self.healthy)
    @rule()
    def reopen(self) -> None:
        self.do(self.context.__aexit__(None, None, None))
        self.flight.clear()
        self.begin()
        for key, value in self.state.items():
            assert self.spool.read_state(key) == value

    @invariant()
    def depth_is_right(self) -> None:
        if not hasattr(self, "spool"):
            return
        self.do(self.spool.next(0))  # what was queued before is done when this returns
        stats = self.spool.stats()
        assert {lane: stats[lane.label].depth for lane in Lane} == {
            lane: len(self.model[lane]) for lane in Lane
        }


SpoolMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestSpoolMachine = SpoolMachine.TestCase
