"""Telemetry on the wire, read by a reader that knows RFC 8428 only."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime, timedelta

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from senml_reader import Resolved, inflate, records, resolve

from lamppost.agent.wire import NodeId, encode_telemetry, polls, sequence_text
from lamppost.drivers.api import Quality, Reading

NODE = NodeId("longgang-07", "pole-0017")
SEQUENCE = sequence_text("0123abcd", 3, 42)
START = datetime(2025, 11, 23, 1, 2, 3, 456789, tzinfo=UTC)
ENCODINGS = pytest.mark.parametrize("encoding", ["cbor", "json"])

names = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,12}", fullmatch=True)
times = st.lists(
    st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    min_size=1,
    max_size=4,
)
decimals = st.builds(lambda m, d: m / 10**d, st.integers(-(10**7), 10**7), st.integers(0, 6))
values = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.integers(0, 0xFFFF),
    st.floats(),
    st.floats(width=32),
    decimals,
    st.booleans(),
    st.text(),
    st.none(),
)
columns = st.lists(
    st.tuples(names, st.sampled_from(["", "V", "A", "Cel"]), st.lists(values, min_size=1, max_size=5)),
    min_size=1,
    max_size=5,
)


def reading(quantity, value, at=START, unit=""):
    quality = Quality.BAD if value is None else Quality.GOOD
    return Reading("meter-1", quantity, value, unit, at, quality)


def expected(readings: list[Reading]) -> Counter[tuple]:
    wanted: Counter[tuple] = Counter()
    for r in readings:
        value = r.value
        if isinstance(value, float) and not math.isfinite(value):
            value = None
        ms = (r.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
        wanted[key(Resolved(f"pole-0017:{r.device}:{r.quantity}", ms, r.unit, value))] += 1
    return wanted


def key(resolved: Resolved) -> tuple:
    kind = "number" if type(resolved.value) in (int, float) else type(resolved.value).__name__
    return (*resolved, kind)


@settings(max_examples=300, deadline=None)
@given(columns, times, st.sampled_from(["cbor", "json"]), st.sampled_from(["zlib", "none"]))
def test_what_is_read_is_what_was_measured(columns, times, encoding, compress):
    readings = [
        reading(quantity, value, times[index % len(times)], unit)
        for quantity, unit, values in columns
        for index, value in enumerate(values)
    ]
    payload = encode_telemetry(readings, node=NODE, encoding=encoding, sequence=SEQUENCE, compress=compress)
    assert Counter(map(key, resolve(payload))) == expected(readings)
    assert records(payload)[0]["seq"] == SEQUENCE
    assert (payload[0] == 0x78) == (compress == "zlib")


whole = st.one_of(
    st.integers(0, 23),
    st.integers(-24, 23),
    st.integers(-300, 70_000),
    st.integers(2**31, 2**33),
    st.integers(-(2**53) - 5, 2**53 + 5),
)


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 150), st.integers(1, 4), st.sampled_from(["cbor", "json"]))
def test_equal_polls_travel_whole_however_many(data, count, width, encoding):
    """Every poll holds the same quantities: what the agent packs column by column."""
    kinds = [data.draw(st.sampled_from([whole, decimals, st.integers(0, 9)])) for _ in range(width)]
    some = [data.draw(st.lists(kind, min_size=3, max_size=6)) for kind in kinds]
    start, step = data.draw(st.sampled_from([0, 700, 65_000])), data.draw(st.integers(1, 1001))
    readings = [
        reading(f"q{index}", some[index][poll % len(some[index])] + start * (poll % 2), at, "V")
        for poll in range(count)
        for at in [START + timedelta(milliseconds=step * poll)]
        for index in range(width)
    ]
    payload = encode_telemetry(readings, node=NODE, encoding=encoding, sequence=SEQUENCE)
    assert Counter(map(key, resolve(payload))) == expected(readings)


def test_readings_of_one_call_may_have_several_times():
    """What was held back goes with the time at which it was read, though first and last are of one poll."""
    later = START + timedelta(seconds=1)
    readings = [reading("a", 1), reading("b", 2, later), reading("b", 3, later), reading("c", None)]
    assert [poll.at for poll in polls(readings)] == [START, later, START]
    payload = encode_telemetry(readings, node=NODE, encoding="cbor", sequence=SEQUENCE)
    assert Counter(map(key, resolve(payload))) == expected(readings)


def test_polls_of_the_same_quantities_share_their_names():
    (first,) = polls([reading("a", 1), reading("b", 2)])
    (second,) = polls([reading("a", 3), reading("b", None)], first)
    assert second.quantities is first.quantities
    assert second.units is first.units
    assert second.values == (3, None)
    (other,) = polls([reading("b", 1), reading("a", 2)], second)
    assert other.quantities == ("b", "a")


@ENCODINGS
def test_a_poll_of_registers_travels_whole(encoding):
    readings = [
        reading(f"r{i}", i * 700 + poll, START + timedelta(seconds=poll, milliseconds=poll % 3), "V")
        for poll in range(10)
        for i in range(50)
    ]
    payload = encode_telemetry(readings, node=NODE, encoding=encoding, sequence=SEQUENCE)
    assert Counter(map(key, resolve(payload))) == expected(readings)
    if encoding == "cbor":
        assert len(payload) / len(readings) < 4


@ENCODINGS
def test_what_is_no_number_is_bad(encoding):
    for value in (math.nan, math.inf, -math.inf, None):
        payload = encode_telemetry(
            [reading("x", 1.5), reading("x", value)], node=NODE, encoding=encoding, sequence=SEQUENCE
        )
        assert [resolved.value for resolved in resolve(payload)] == [1.5, None]


def test_a_bad_reading_with_a_value_stays_bad():
    stuck = Reading("meter-1", "x", 65535, "", START, Quality.BAD)
    payload = encode_telemetry([stuck], node=NODE, encoding="cbor", sequence=SEQUENCE)
    assert resolve(payload)[0].value is None


@ENCODINGS
def test_integers_beyond_64_bits_become_the_nearest_double(encoding):
    values = [2**64, -(2**63) - 1, 10**30, 5, 10**400]
    payload = encode_telemetry(
        [reading("x", value) for value in values], node=NODE, encoding=encoding, sequence=SEQUENCE
    )
    assert [resolved.value for resolved in resolve(payload)] == [2.0**64, -(2.0**63), 1e30, 5, None]


@ENCODINGS
def test_names_are_made_fit_for_senml(encoding):
    strange = Reading("käse/+#", "vol tage\n", 1, "", START)
    payload = encode_telemetry([strange], node=NodeId("s", "-pole"), encoding=encoding, sequence=SEQUENCE)
    assert resolve(payload)[0].name == "x-pole:k_se/__:vol_tage_"


@ENCODINGS
def test_text_that_is_no_unicode_does_not_stop_a_batch(encoding):
    payload = encode_telemetry(
        [reading("x", "a\ud800b"), reading("y", 1)], node=NODE, encoding=encoding, sequence=SEQUENCE
    )
    assert [resolved.value for resolved in resolve(payload)] == ["a?b", 1]


def test_the_wire_form_is_the_one_in_the_documents():
    """Held as bytes: an independent decoder elsewhere may rely on it."""
    readings = [
        Reading("supply", "voltage", value, "V", START + timedelta(seconds=poll))
        for poll, value in enumerate((230.1, 229.9))
    ]
    payload = encode_telemetry(readings, node=NODE, encoding="cbor", sequence=SEQUENCE, compress="none")
    assert payload.hex(" ", -4) == (
        "82a66373 65716d30 31323361 6263643a 333a3432 22c48222 1b000001 9aae3b74 "
        "c0217818 706f6c65 2d303031 373a7375 70706c79 3a766f6c 74616765 23615606 "
        "0002c482 201908fd a2060102 c4822019 08fb"
    )
    assert cbor2.loads(payload)[0][-2] == "pole-0017:supply:voltage"
    text = encode_telemetry(readings, node=NODE, encoding="json", sequence=SEQUENCE, compress="none")
    assert text == (
        b'[{"seq":"0123abcd:3:42","bt":1763859723.456,"bn":"pole-0017:supply:voltage","bu":"V","t":0,'
        b'"v":230.1},{"t":1,"v":229.9}]'
    )


@ENCODINGS
def test_compression_is_plain_zlib_and_optional(encoding):
    readings = [reading("x", 1)]
    options = {"node": NODE, "encoding": encoding, "sequence": SEQUENCE}
    assert inflate(encode_telemetry(readings, **options)) == encode_telemetry(
        readings, compress="none", **options
    )
