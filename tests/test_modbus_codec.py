"""Registers to values: types, orders, scaling, invalid markers, and back."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lamppost.drivers.modbus.codec import pack
from lamppost.drivers.modbus.plan import expand, plan
from lamppost.drivers.modbus.profile import Profile, Register, available, find

PROFILE = Profile(title="test", source="test")


def decode(register: Register, data: bytes) -> object:
    (block,) = plan(expand({"q": register}), PROFILE)
    (value,) = block.decode(data)
    return value


# fmt: off
VECTORS = [
    # type, options, bytes on the wire, value
    ("uint16", {}, "00ff", 255),
    ("int16", {}, "ffff", -1),
    ("int16", {"scale": 0.1}, "ff38", -20.0),
    ("uint16", {"scale": 0.1}, "08fd", 230.1),
    ("uint16", {"scale": 0.1, "offset": -40}, "0262", 21.0),
    ("uint16", {"scale": 10}, "0007", 70),
    ("uint16", {"order": "DCBA"}, "ff00", 255),
    ("uint16", {"order": "BADC"}, "ff00", 255),
    ("uint16", {"order": "CDAB"}, "00ff", 255),
    ("uint32", {}, "00010002", 65538),
    ("uint32", {"order": "CDAB"}, "00020001", 65538),
    ("uint32", {"order": "BADC"}, "01000200", 65538),
    ("uint32", {"order": "DCBA"}, "02000100", 65538),
    ("int32", {"scale": 0.001}, "ffffff38", -0.2),
    ("uint64", {"order": "CDAB"}, "0004000300020001", 0x0001000200030004),
    ("int64", {}, "fffffffffffffffe", -2),
    ("float32", {}, "43661a1d", 230.102),
    ("float32", {"decimals": 1}, "43661a1d", 230.1),
    ("float32", {"order": "CDAB", "decimals": 1}, "1a1d4366", 230.1),
    ("float32", {"order": "DCBA", "decimals": 1}, "1d1a6643", 230.1),
    ("float32", {"order": "BADC", "decimals": 1}, "66431d1a", 230.1),
    ("float64", {}, "406cc33333333333", 230.1),
    ("bcd16", {}, "1234", 1234),
    ("bcd32", {"scale": 0.01}, "00123456", 1234.56),
    ("ascii", {"length": 3}, "4c3130310000", "L101"),
    ("ascii", {"length": 2, "order": "BADC"}, "314c3130", "L101"),
    ("bool", {}, "0001", True),
    ("uint16", {"bit": 3}, "0008", True),
    ("uint16", {"bit": 3}, "fff7", False),
    ("uint16", {"bit": 4, "bits": 3}, "0050", 5),
    ("uint32", {"bit": 31}, "80000000", True),
    # what is no value is no number
    ("uint16", {"invalid": [0xFFFF]}, "ffff", None),
    ("int16", {"invalid": [0x7FFF, 0xFFFF]}, "ffff", None),
    ("int16", {"invalid": [0x7FFF], "scale": 0.1}, "7fff", None),
    ("float32", {}, "7fc00000", None),
    ("float32", {}, "ff800000", None),
    ("float32", {"invalid": [0xFF7FFFFF]}, "ff7fffff", None),
    ("bcd16", {}, "12fa", None),
    ("uint16", {"scale": 0.1, "max": 100}, "ffff", None),
    ("int16", {"min": -10}, "ff00", None),
    ("ascii", {"length": 1}, "fffe", None),
]
# fmt: on


@pytest.mark.parametrize(("type_", "options", "wire", "value"), VECTORS)
def test_registers_become_the_value_that_the_manual_means(type_, options, wire, value):
    found = decode(Register(address=7, type=type_, **options), bytes.fromhex(wire))
    assert found == value
    assert type(found) is type(value) or isinstance(found, int | float)


@given(
    type_=st.sampled_from(["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]),
    order=st.sampled_from(["ABCD", "DCBA", "CDAB", "BADC"]),
    data=st.data(),
)
def test_what_is_packed_is_read_again(type_, order, data):
    register = Register(address=0, type=type_, order=order, decimals=9 if type_ == "float64" else None)
    if type_.startswith("float"):
        value = data.draw(st.integers(-9999, 9999)) / 16
    else:
        bits, signed = int(type_[-2:]), not type_.startswith("u")
        value = data.draw(
            st.integers(-(1 << bits - 1), (1 << bits - 1) - 1) if signed else st.integers(0, (1 << bits) - 1)
        )
        if bits == 64:
            value = int(float(value)) if abs(value) < 1 << 52 else 0
    registers = pack(register, value)
    assert decode(register, struct.pack(f">{len(registers)}H", *registers)) == value


@pytest.mark.parametrize(
    ("options", "value"),
    [({}, 70000), ({}, -1), ({"type": "bcd16"}, 10000), ({"max": 10}, 11),
     ({"type": "ascii", "length": 1}, "abc"), ({"table": "coil"}, 2), ({"bit": 1}, 1), ({}, "text")],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused(options, value):
    with pytest.raises(ValueError, match=r"fit|outside|text|expected|bit field"):
        pack(Register(address=0, **options), value)


def test_overlapping_and_unordered_registers_are_all_decoded():
    registers = {
        "high": Register(address=1),
        "whole": Register(address=0, type="uint32"),
        "flag": Register(address=1, bit=0),
        "other": Register(address=1, bit=1),
    }
    (block,) = plan(expand(registers), PROFILE)
    values = dict(zip(block.names, block.decode(bytes.fromhex("00010002")), strict=True))
    assert values == {"high": 2, "whole": 65538, "flag": False, "other": True}


def test_bits_of_coils_are_low_bit_first():
    registers = {"lamp": Register(address=19, table="coil", count=10)}
    (block,) = plan(expand(registers), PROFILE)
    assert block.size == 2
    # The example of the Modbus Application Protocol 1.1b3, section 6.1: coils 20 to 29 of CD 6B.
    assert list(block.decode(bytes.fromhex("cd6b")))[:8] == [
        True,
        False,
        True,
        True,
        False,
        False,
        True,
        True,
    ]


class TestCoalescing:
    def test_neighbours_share_a_request_and_far_registers_do_not(self):
        registers = {"a": Register(address=0), "b": Register(address=1), "c": Register(address=40)}
        assert [(b.address, b.count) for b in plan(expand(registers), PROFILE)] == [(0, 2), (40, 1)]

    def test_a_gap_worth_reading_saves_a_request(self):
        registers = {"a": Register(address=0), "b": Register(address=17)}
        assert len(plan(expand(registers), PROFILE)) == 1
        assert len(plan(expand(registers), PROFILE.model_copy(update={"max_gap": 15}))) == 2

    def test_four_thousand_registers_take_thirty_two_requests(self):
        blocks = plan(expand({"r": Register(address=0, count=4000)}), PROFILE)
        assert [b.count for b in blocks] == [125] * 32

    def test_a_long_value_is_never_cut_in_two(self):
        registers = {"r": Register(address=0, type="float32", count=100)}
        blocks = plan(expand(registers), PROFILE)
        assert [b.count for b in blocks] == [124, 76]

    def test_tables_are_never_mixed(self):
        registers = {
            "a": Register(address=0),
            "b": Register(address=1, table="input"),
            "c": Register(address=2, table="coil"),
        }
        assert [(b.function, b.count) for b in plan(expand(registers), PROFILE)] == [(3, 1), (4, 1), (1, 1)]

    @given(st.sets(st.integers(0, 600), min_size=1), st.integers(1, 125), st.integers(0, 30))
    def test_every_field_is_in_one_block_within_the_limits(self, addresses, most, gap):
        profile = PROFILE.model_copy(update={"max_registers": most, "max_gap": gap})
        fields = expand({f"r{a}": Register(address=a) for a in addresses})
        blocks = plan(fields, profile)
        assert sorted(n for b in blocks for n in b.names) == sorted(f.name for f in fields)
        for block in blocks:
            assert block.count <= most
            places = [f.address for f in block.fields]
            assert block.address == places[0]
            assert block.address + block.count == places[-1] + 1
            assert all(later - earlier - 1 <= gap for earlier, later in itertools.pairwise(places))

    def test_a_refused_block_is_split_at_its_gaps_first_then_in_halves(self):
        (block,) = plan(
            expand({"a": Register(address=0), "b": Register(address=1), "c": Register(address=5)}), PROFILE
        )
        tight = block.split()
        assert [(b.address, b.count) for b in tight] == [(0, 2), (5, 1)]
        assert [(b.address, b.count) for b in tight[0].split()] == [(0, 1), (1, 1)]
        assert tight[1].split() == [tight[1]]


@pytest.mark.parametrize("name", sorted(available()))
def test_shipped_profile_is_sound_and_says_where_it_comes_from(name):
    profile = find(name)
    assert profile.source
    for block in plan(expand(profile.registers), profile):
        assert block.decode(bytes(block.size)) is not None


@pytest.mark.parametrize(
    "options",
    [{"type": "ascii"}, {"scale": 0}, {"bit": 15, "bits": 2}, {"table": "input", "writable": True},
     {"address": 65535, "type": "uint32"}, {"order": "ACBD"}],
)  # fmt: skip
def test_a_register_that_cannot_be_is_refused(options):
    with pytest.raises(ValidationError):
        Register(**{"address": 0, **options})


def test_a_users_profile_needs_no_code_and_wins_over_a_shipped_one(tmp_path):
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "generic.toml").write_text(
        'title = "Mine"\nsource = "me"\n[defaults]\ntype = "int16"\n[registers]\nt = { address = 1 }\n'
    )
    profile = find("generic", tmp_path)
    assert profile.title == "Mine"
    assert profile.registers["t"].type == "int16"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title = 3", "title"),
        ('title = "x"\nsource = "x"\n[registers]\nv = { adress = 1 }', r"registers\.v\.adress"),
        ("= nonsense", "no TOML"),
        ('title = "x"\nsource = "x"\n[registers]\nv = { address = 1, ratios = ["CT"] }', "CT"),
    ],
)
def test_a_broken_profile_says_what_is_wrong_and_where(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=said) as caught:
        find("./mine.toml", tmp_path)
    assert "mine.toml" in str(caught.value)


def test_an_unknown_profile_lists_those_installed_and_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'eastron-sdm120'") as caught:
        find("eastron-sdm12")
    assert "rika-rk900-09" in str(caught.value)
