"""The hub's account: repeats are harmless, duplicates and gaps are found, nothing raises."""

from __future__ import annotations

import random
from itertools import pairwise

from hubbing import STREAM, event, event_mail, pack, pack_mail, status_mail
from hypothesis import given
from hypothesis import strategies as st

from lamppost.simulators.hub import Book, Gap, Mail, Node
from lamppost.simulators.hub.ledger import Numbers, Series, count

POLE = Node("site-1", "pole-1")


@given(st.lists(st.integers(1, 60)))
def test_numbers_behave_like_a_set(given_numbers):
    numbers, plain = Numbers(), set()
    for number in given_numbers:
        assert numbers.add(number) is (number not in plain)
        plain.add(number)
    assert {n for first, last in numbers for n in range(first, last + 1)} == plain
    spans = list(numbers)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(spans))
    if plain:
        assert numbers.last == max(plain)
        assert count(numbers.gaps()) == max(plain) - min(plain) + 1 - len(plain)
        assert count(numbers.gaps(1)) == max(plain) - len(plain)


@given(st.lists(st.integers(0, 40)))
def test_a_series_finds_each_time_that_came_before(times):
    series, seen = Series(), set()
    for number, at_ms in enumerate(times):
        assert series.add(at_ms, 1.0, "", number) is (at_ms not in seen)
        seen.add(at_ms)
    assert series.readings == len(times)


def test_readings_of_one_time_are_no_duplicates_if_they_are_of_one_pack_or_differ():
    series = Series()
    assert series.add(5, 1.0, "", 1)
    assert series.add(5, 1.0, "", 1)
    assert series.add(5, 2.0, "", 2)
    assert not series.add(5, 2.0, "", 3)


def test_a_long_run_forgets_old_times():
    series = Series()
    for at_ms in range(50):
        series.add(at_ms, 1.0, "", at_ms)
    series.forget(10)
    assert series.add(3, 1.0, "", 99)
    assert not series.add(45, 1.0, "", 99)


def test_a_repeat_changes_nothing():
    book = Book(keep=True)
    for mail in (event_mail(event(1)), pack_mail(pack(1)), event_mail(event(1)), pack_mail(pack(1))):
        book.take(mail)
    totals = book.totals()
    assert (totals.messages, totals.events, totals.telemetry, totals.readings) == (4, 1, 1, 2)
    assert (totals.repeats, totals.duplicates, totals.lost) == (2, 0, 0)
    assert len(book.log) == 2
    assert [letter.phase for letter in book.events["e1"]] == ["open"]


def test_the_same_under_another_sequence_is_a_duplicate():
    book = Book()
    book.take(event_mail(event(1)))
    book.take(event_mail(event(2)))
    book.take(pack_mail(pack(1)))
    book.take(pack_mail(pack(2)))
    assert book.totals().duplicates == 1 + 2
    assert book.totals().repeats == 0


def test_gaps_are_found_per_lane_and_closed_by_what_comes_late():
    book = Book()
    for number in (4, 5, 8):
        book.take(pack_mail(pack(number, bt=1763859723 + 10 * number)))
    book.take(event_mail(event(1, lane=1)))
    assert book.gaps() == [Gap(POLE, STREAM, 3, 6, 7)]
    assert book.totals().lost == 2
    for number in (7, 6):
        book.take(pack_mail(pack(number, bt=1763859723 + 10 * number)))
    assert book.totals().lost == book.totals().gaps == 0
    assert book.totals().duplicates == 0


def test_a_hub_that_was_there_from_the_start_misses_the_first_numbers_too():
    book = Book(from_start=True)
    book.take(pack_mail(pack(3)))
    assert book.totals().lost == 2


def test_what_a_node_says_to_have_dropped_is_not_lost():
    book = Book()
    for number in (1, 4):
        book.take(pack_mail(pack(number, bt=1763859723 + 10 * number)))
    book.take(status_mail(dropped=1))
    totals = book.totals()
    assert (totals.gaps, totals.dropped, totals.lost) == (2, 1, 1)


def test_a_revision_that_must_have_been_there_is_lost():
    book = Book()
    book.take(event_mail(event(1, revision=0)))
    book.take(event_mail(event(2, revision=2)))
    assert book.missing_revisions() == [("e1", 1)]
    assert book.totals().lost == 1
    later = Book()
    later.take(event_mail(event(2, revision=2)))
    assert later.totals().lost == 0


def test_a_missing_message_is_one_loss_though_number_and_revision_tell():
    book = Book()
    book.take(event_mail(event(1, revision=0)))
    book.take(event_mail(event(3, revision=2)))
    assert book.totals().lost == 1


def test_the_last_will_keeps_what_the_status_said():
    book = Book()
    book.take(status_mail(dropped=3))
    will = b'{"state":"offline","node":"pole-1","site":"site-1"}'
    book.take(Mail(f"lamppost/v1/{POLE}/status", will, 1.0))
    assert not book.nodes[POLE].online
    assert book.dropped() == 3


def test_what_cannot_be_read_is_counted_and_kept_with_its_reason():
    book = Book()
    book.take(Mail("lamppost/v1/a/b/status", b"\xff", 1.0))
    assert book.totals().undecodable == 1
    assert "CBOR" in book.bad[0].reason


def test_newest_values_and_the_log_of_chosen_quantities():
    book = Book(keep=[("gutter", "level")])
    book.take(pack_mail(pack(1, values=(1, 2, 3))))
    book.take(pack_mail([{**pack(2)[0], "bn": "pole-1:gutter:distance"}]))
    assert book.newest("gutter", "level") == 3
    assert book.newest("gutter", "distance") == 21.5
    assert book.newest("gutter", "nothing") is None
    assert [kept.value for kept in book.log] == [1, 2, 3]
    assert book.values()[POLE]["gutter:level"].unit == "mm"


def test_any_order_and_any_repeats_come_to_the_same():
    mails = [event_mail(event(n, id_=f"e{n}")) for n in range(1, 20)]
    mails += [pack_mail(pack(n, bt=1763859723 + 10 * n)) for n in range(1, 20)]
    for seed in range(20):
        chance = random.Random(seed)
        shuffled = mails + chance.choices(mails, k=30)
        chance.shuffle(shuffled)
        book = Book(from_start=True)
        for mail in shuffled:
            book.take(mail)
        totals = book.totals()
        assert (totals.events, totals.telemetry, totals.repeats) == (19, 19, 30)
        assert totals.lost == totals.duplicates == totals.undecodable == 0
