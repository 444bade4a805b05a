"""The verdict: what is missing, early, unexpected, lost or out of order is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from hubbing import event, event_mail, pack, pack_mail

from lamppost.simulators.hub import Book, Kept, Node, decode
from lamppost.simulators.modbus import generic
from lamppost.simulators.scenarios.model import CounterTable, ExpectTable, Scenario
from lamppost.simulators.scenarios.proofs import counter, events_first
from lamppost.simulators.scenarios.stage import Outage
from lamppost.simulators.scenarios.verdict import account, rows

BEGAN = datetime(2025, 11, 23, 1, 0, 0, tzinfo=UTC)


def scenario(*expect: ExpectTable, **more: object) -> Scenario:
    return Scenario.model_validate(
        {"name": "t", "duration_s": 100, "agent": {"config": "x"}, "expect": list(expect), **more}
    )


def letter(at_s: float, phase: str = "open", kind: str = "water.level"):
    at = (BEGAN + timedelta(seconds=at_s)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = event(1, revision=0 if phase == "open" else 1, phase=phase, time=at, type=f"lamppost.{kind}")
    message["data"]["at"] = at
    return decode(event_mail(message, kind))


def expect(after_s: float, phase: str = "open", **more: object) -> ExpectTable:
    return ExpectTable.model_validate({"kind": "water.level", "phase": phase, "after_s": after_s, **more})


def states(found):
    return [(row.state, row.at_s) for row in found]


def test_what_comes_in_its_time_is_ok_and_each_message_counts_once():
    found = rows(
        scenario(expect(10), expect(11), expect(30, "close")), [letter(12), letter(31, "close")], BEGAN, 1
    )
    assert states(found) == [("missing", None), ("ok", 12.0), ("ok", 31.0)]


def test_early_late_and_unexpected_messages_are_told():
    found = rows(
        scenario(expect(10), expect(30, "close")), [letter(9), letter(36, "close"), letter(50)], BEGAN, 1
    )
    assert states(found) == [("wrong time", 9.0), ("wrong time", 36.0), ("not expected", 50.0)]
    assert not any(row.ok for row in found)


def test_device_rule_and_zone_must_fit_where_they_are_given():
    given = [
        expect(10, device="gutter", rule="gutter-high"),
        expect(10, device="other"),
        expect(10, zone="z"),
    ]
    found = rows(scenario(*given), [letter(11)], BEGAN, 1)
    assert sorted(row.state for row in found) == ["missing", "missing", "ok"]


def test_other_messages_may_be_allowed():
    found = rows(scenario(allow_other=True), [letter(9)], BEGAN, 1)
    assert states(found) == [("allowed", 9.0)]
    assert found[0].ok


def test_at_another_speed_times_are_those_of_the_scenario():
    found = rows(scenario(expect(20, within_s=1)), [letter(11)], BEGAN, 2)
    assert states(found) == [("ok", 22.0)]


def test_the_hubs_account_is_checked():
    book = Book(from_start=True)
    for mail in (pack_mail(pack(1)), pack_mail(pack(3)), event_mail(event(1))._replace(payload=b"?")):
        book.take(mail)
    wrong = {check.name: check.found for check in account(scenario(), book) if not check.ok}
    assert wrong.keys() == {"lost", "duplicates", "undecodable"}
    assert wrong["lost"].endswith("0a1b2c3d:3:2-2")
    allowing = scenario(expect_totals={"lost": 1, "duplicates": 2, "undecodable": 1})
    assert all(check.ok for check in account(allowing, book))


COUNTER = CounterTable(unit="counter", device="counter", quantity="count", may_lose_s=2)


def polled(values, given_out, *, killed=(), stopped=()):
    """Check a book in which poll n came n seconds after the beginning."""
    unit = generic(1, count=1, step_s=0)
    for _ in range(given_out):
        unit.peek("holding", 0)
    book = Book()
    at = {value: BEGAN + timedelta(seconds=value) for value in values}
    book.log += [Kept(Node("s", "n"), "counter", "count", at[value], value) for value in values]
    agent = SimpleNamespace(
        killed=[BEGAN + timedelta(seconds=s) for s in killed],
        stopped=[BEGAN + timedelta(seconds=s) for s in stopped],
    )
    return counter(COUNTER, unit, book, agent)


def test_every_poll_at_the_hub_is_proven():
    assert polled([1, 2, 3, 4], 4) == ("polls of counter", True, "4 of 4 polls at the hub")
    assert polled([1, 2, 3, 4], 5).ok, "the last poll may have been on its way"


def test_a_missing_poll_is_found_wherever_it_is():
    assert polled([1, 2, 4], 4).found == "3 of 4 polls at the hub: 1 missing after 01:00:02"
    assert polled([2, 3], 3).found == "2 of 3 polls at the hub: the first 1 missing"
    assert polled([1, 2], 5).found == "2 of 5 polls at the hub: the last 3 missing"
    assert polled([], 5).found == "count never came"
    assert not any(polled(v, 5).ok for v in ([1, 2, 4, 5], [2, 3, 4, 5], [1, 2, 3], []))


def test_a_kill_may_cost_what_rode_in_memory_and_no_more():
    found = polled([1, 2, 5, 6], 6, killed=[4])
    assert (found.ok, found.found) == (
        True,
        "4 of 6 polls at the hub, 2 rode in memory when the agent was ended",
    )
    assert not polled([1, 2, 5, 6], 6, killed=[4.5]).ok, "2.5 s were lost"
    assert not polled([1, 2, 5, 6], 6, killed=[5.5]).ok, "the kill was elsewhere"
    assert polled([1, 2, 4], 4, stopped=[3]).ok
    assert not polled([1, 2, 5], 5, stopped=[3]).ok, "SIGTERM stores all"


def test_telemetry_before_an_event_that_waited_is_told():
    early, late = event_mail(event(1)), pack_mail(pack(1))
    at = decode(early).at.timestamp()
    outage = [Outage(at - 5, at + 5)]

    def judged(*mails):
        book = Book()
        for mail in mails:
            book.take(mail._replace(received=at + 6))
        return events_first(book, outage)

    assert judged(early, late).ok
    assert not judged(late, early).ok
    assert judged(late, early).found == "open water.level came after telemetry"
