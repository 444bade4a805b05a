"""The hub's account of pictures: each against the hash that its event names, in whatever order they come."""

from __future__ import annotations

import hashlib
import time

import pytest
from hubbing import AT, BASE, STREAM, event, event_mail

from lamppost.simulators.hub import Book, Mail, Node
from lamppost.simulators.hub.gallery import Name

POLE = Node("site-1", "pole-1")


def jpeg(text: str) -> bytes:
    return b"\xff\xd8\xff\xe0" + text.encode() + b"\xff\xd9"


def picture(text: str, n: int, *, id_: str = "e1", number: int = 0) -> Mail:
    sequence = f"{STREAM}:2:{number}" if number else None
    return Mail(
        f"{BASE}evidence/{id_}/{n}", jpeg(text), time.time(), "image/jpeg" if number else None, None, sequence
    )


def announcing(**texts: str) -> Mail:
    message = event()
    message["data"]["evidence"] = [
        {"n": int(n[1:]), "sha256": hashlib.sha256(jpeg(text)).hexdigest(), "at": AT}
        for n, text in texts.items()
    ]
    return event_mail(message)


def account(book: Book) -> tuple[int, int, int, int]:
    totals = book.totals()
    return totals.matched, totals.altered, totals.missing, totals.orphaned


@pytest.mark.parametrize("event_first", [True, False])
def test_pictures_fit_their_event_whichever_comes_first(event_first):
    book = Book(keep_pictures=True)
    mails = [announcing(n1="one", n2="two"), picture("one", 1, number=1), picture("two", 2, number=2)]
    for mail in mails if event_first else reversed(mails):
        book.take(mail)
    assert account(book) == (2, 0, 0, 0)
    assert book.gallery.pictures[Name(POLE, "e1", 2)].jpeg == jpeg("two")


def test_what_is_missing_altered_or_of_no_event_is_told_apart():
    book = Book()
    book.take(announcing(n1="one", n2="two", n3="three"))
    book.take(picture("one", 1, number=1))
    book.take(picture("forged", 2, number=2))
    book.take(picture("stray", 1, id_="e9", number=3))
    assert account(book) == (1, 1, 1, 1)
    assert book.gallery.missing() == [Name(POLE, "e1", 3)]
    assert book.gallery.orphaned() == [Name(POLE, "e9", 1)]


@pytest.mark.parametrize("number", [0, 5])
def test_a_picture_that_comes_again_is_a_repeat_with_and_without_a_sequence(number):
    book = Book()
    book.take(announcing(n1="one"))
    assert [book.take(picture("one", 1, number=number)).repeat for _ in range(3)] == [False, True, True]
    assert (book.totals().pictures, book.totals().repeats) == (1, 2)
