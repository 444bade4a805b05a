"""Every key that tomllib yields is found on the line where it stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.agent.config.locate import Places

# In each case a value "N" or a number N says the line on which its key or element is expected.
CASES = {
    "top level": "a = 1\nb = 2\n",
    "blank lines and comments": "# a = 9\n\na = 3 # b = 8\n\n  b = 5",
    "tables": "[a]\nx = 2\n[b]\n# no\ny = 5\n[a.c]\nz = 7\n",
    "dotted keys": "a.b.c = 1\na.b.d = 2\na . e = 3\n[t]\nu.v = 5\nu.w = 6",
    "quoted keys": '\'a.b\' = 1\n"c # d" = 2\n"e\\"f" = 3\n"" = 4\n"\\u00e9" . \'x\' = 5',
    "quoted headers": '["a.b"."c]"]\nx = 2\n[ d . \'e f\' ]\ny = 4',
    "arrays of tables": "[[a]]\nx = 2\n[[a]]\nx = 4\n[a.b]\ny = 6\n[[a.c]]\nz = 8\n[[a.c]]\nz = 10",
    "inline tables": "a = { x = 1, y = { z = 1, 'q' = [1, 1] } }\nb = {}\nc = { d.e = 3, d.f = 3 }",
    "multi-line arrays": "a = [\n  2, # two, ] not yet\n  3,\n\n  [5,\n   6],\n]\nb = 8",
    "tables in arrays": "a = [\n  { x = 2 },\n  { x = 3, y = [3] },\n]\n",
    "multi-line strings": "a = \"\"\"\nb = 7\n[c]\n\"\"\"\nd = 5\ne = '''\nf = 8\n'''\ng = 9",
    "quotes in strings": 'a = "\\" # [x] {"\nb = 2\nc = \'\\\'\nd = 4\ne = """a""b\\"""" \nf = 6',
    "quotes at the end": 'a = """x"""""\nb = 2\nc = """\\\\"""\nd = 4',
    "quotes in literal strings": "a = '''it''s'''\nb = 2\nc = '''x'''''\nd = 4",
    "line continuation": 'a = """one \\\n   two"""\nb = 3',
    "windows": "a = 1\r\n[b]\r\nx = 3\r\ny = [\r\n  5,\r\n]\r\nz = 7",
    "dates and odd numbers": "a = 1979-05-27 07:32:00\nb = 2\nc = -inf\nd = 4\ne = 0xFF\nf = 6",
    "tables out of order": "[a.b.c]\nx = 2\n[d]\ny = 4\n[a.b]\nz = 6\n[a]\nw = 8",
    "bracket in comment": "[a] # ] [[\nx = 2",
    "number as key": "1234 = 1\n3.14 = 2",
}


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    yield path, value
    for key, child in items:
        yield from leaves(child, (*path, key))


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_every_number_stands_on_the_line_that_it_names(text):
    places = Places(text)
    checked = 0
    for path, value in leaves(tomllib.loads(text)):
        if type(value) is int and value != 255:
            assert places.line(path) == value, path
            checked += 1
    assert checked
    assert not places.repeats


def test_headers_stand_on_their_own_line():
    text = "[a.b]\nx = 1\n\n[a]\n[[l]]\n[[l]]\n[l.m]\n"
    places = Places(text)
    assert [places.line(p) for p in [("a", "b"), ("a",), ("l",), ("l", 0), ("l", 1), ("l", 1, "m")]] == [
        1, 4, 5, 5, 6, 7,
    ]  # fmt: skip


def test_a_missing_key_is_at_its_table():
    places = Places("x = 1\n[devices.a]\ny = 1\n")
    assert places.line(("devices", "a", "driver")) == 2
    assert places.line(("devices", "b")) == 2
    assert places.line(("node",)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1\nb = 2\na = 3\n", (("a",), 1, 3)),
        ("[t]\nx = 1\n[u]\n[t]\n", (("t",), 1, 4)),
        ("[t]\nx.y = 1\nx.y = 2\n", (("t", "x", "y"), 2, 3)),
        ("a = { b = 1, b = 2 }", (("a", "b"), 1, 1)),
    ],
)
def test_a_repeated_key_is_told_with_both_lines(text, expected):
    assert Places(text).repeats == [expected]


@pytest.mark.parametrize(
    "text", ["a = ", "[a", "a = [1", "= 3", 'a = "', "a = 1\n]\n", "a b = 1", "[" * 9999, "\x00"]
)
def test_broken_text_ends_the_scan_quietly(text):
    assert Places(text).line(("nothing",)) is None


# Documents as a person might write them: keys quoted or not, tables, dotted keys, inline tables, arrays.
KEYS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=4) | st.sampled_from(
    ["a", "b", "c-d", "1", "'", '"', "#", "]", "="]
)
SCALARS = st.integers(-9, 99) | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def quoted(text: str) -> str:
    return '"' + "".join(c if c >= " " and c not in '"\\\x7f' else f"\\u{ord(c):04x}" for c in text) + '"'


class Writer:
    """Writes TOML in many manners and remembers the line of every path."""

    def __init__(self, draw: Any) -> None:
        self.draw, self.text, self.lines = draw, "", {}

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def key(self, key: str) -> str:
        if re.fullmatch("[A-Za-z0-9_-]+", key) and self.draw(st.booleans()):
            return key
        literal = all(c.isprintable() and c != "'" for c in key) and self.draw(st.booleans())
        return f"'{key}'" if literal else quoted(key)

    def blank(self) -> str:
        return self.draw(st.sampled_from(["", " ", "\n", " # x = 1, ]\n", "\n\n  "]))

    def value(self, value: Any, path: tuple[str | int, ...]) -> None:
        if isinstance(value, list):
            self.text += "["
            for index, item in enumerate(value):
                self.text += self.blank()
                self.lines[(*path, index)] = self.line
                self.value(item, (*path, index))
                self.text += self.blank() + ","
            self.text += self.blank() + "]"
        elif isinstance(value, dict):
            self.text += "{"
            for index, (key, item) in enumerate(value.items()):
                self.text += ", " if index else " "
                self.lines[(*path, key)] = self.line
                self.text += self.key(key) + " = "
                self.value(item, (*path, key))
            self.text += " }"
        elif isinstance(value, str) and "\r" not in value and self.draw(st.booleans()):
            body = quoted(value)[1:-1].replace("\\u000a", "\n")
            self.text += f'"""\n{body}"""'
        else:
            self.text += quoted(value) if isinstance(value, str) else str(value).lower()

    def pair(self, table: tuple[str | int, ...], keys: list[str], value: Any) -> None:
        path = table
        for key in keys:
            path = (*path, key)
            self.lines.setdefault(path, self.line)
        self.text += self.draw(st.sampled_from([" . ", "."])).join(self.key(k) for k in keys) + " = "
        self.value(value, path)
        self.text += self.draw(st.sampled_from(["\n", " # end\n", "\n\n"]))


@st.composite
def documents(draw):
    writer = Writer(draw)
    for name, pairs in draw(
        st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=3), max_size=3)
    ).items():
        path: tuple[str | int, ...] = (name,)
        many = draw(st.booleans())
        for index in range(draw(st.integers(1, 2)) if many else 1):
            here = (*path, index) if many else path
            writer.lines.setdefault(path, writer.line)
            writer.lines[here] = writer.line
            writer.text += f"[[{writer.key(name)}]]\n" if many else f"[ {writer.key(name)} ]\n"
            for key, value in pairs.items():
                keys = [key, *draw(st.lists(KEYS, max_size=2))]
                writer.pair(here, keys, value)
    return writer.text, writer.lines


@settings(max_examples=60, deadline=None)
@given(documents(), st.booleans())
def test_every_key_of_any_document_is_on_its_line(document, windows):
    text, lines = document
    data = tomllib.loads(text)
    places = Places(text.replace("\n", "\r\n") if windows else text)
    found = {path: places.line(path) for path, _ in leaves(data) if path}
    assert found == lines
