"""Messages of an environment station."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serial_frames import station
from serial_noise import cuts, frames_of, noise

from lamppost.drivers.serial import hj212
from lamppost.drivers.serial.layout import Framing

FRAMING = Framing.model_validate(
    {
        "kind": "length", "start": "##", "end": "\r\n", "length_at": 2, "length_type": "digits4",
        "length_extra": 12, "max_length": 1036,
        "check": {"kind": "crc16-hj212", "skip": 6, "at": -6, "text": True},
    }
)  # fmt: skip
#: The standard's own example.
EXAMPLE = (
    b"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
    b"CP=&&RtdInterval=30&&1C80\r\n"
)


def message(cp: str, head: str = "QN=20260501120000000;ST=22;CN=2011;PW=sesame;MN=A1;Flag=5") -> bytes:
    return station(f"{head};CP=&&{cp}&&".encode("gb18030"))


def test_the_standards_own_example_is_a_frame_and_is_read():
    assert frames_of(FRAMING, EXAMPLE, []) == [EXAMPLE]
    found = hj212.read(EXAMPLE)
    assert (found.st, found.cn, found.mn, found.values) == ("32", "1062", "010000A8900016F000169DC0", {})


DATED = "DataTime=20260501123000"
GROUPED = f"{DATED};a34004-Rtd=35.5,a34004-Flag=N;a34002-Rtd=80,a34002-Flag=D;LA-Rtd=-1.25"


@pytest.mark.parametrize("text", [GROUPED, GROUPED.replace(";", ","), GROUPED.replace(",", ";")])
def test_values_count_whatever_parts_them_unless_their_flag_says_they_are_bad(text):
    found = hj212.read(message(text))
    assert found.values == {"a34004-Rtd": 35.5, "a34002-Rtd": None, "LA-Rtd": -1.25}
    assert found.at == datetime(2026, 5, 1, 4, 30, tzinfo=UTC)
    assert (found.st, found.cn, found.mn) == ("22", "2011", "A1")


@pytest.mark.parametrize(
    ("flag", "value"), [("N", 7.0), ("S", 7.0), ("n", 7.0), ("", 7.0), ("F", None), ("B", None), ("T", None)]
)
def test_flags_decide_whether_a_value_counts(flag, value):
    text = f"a34004-SampleTime=20260501120000,a34004-Avg=7,a34004-Flag={flag},a34004-EFlag=E1"
    assert hj212.read(message(text)).values == {"a34004-Avg": value}


def test_each_groups_flag_is_its_own():
    found = hj212.read(message("a1-Min=1,a1-Flag=N;a1-Max=2,a1-Flag=D"))
    assert found.values == {"a1-Min": 1.0, "a1-Max": None}


@pytest.mark.parametrize("text", ["", "-", "1e5", "nan", "inf", "1.2.3", "--", "12a", "9" * 400])
def test_what_is_no_number_is_a_bad_value(text):
    assert hj212.read(message(f"a1-Rtd={text},a2-Rtd=1")).values == {"a1-Rtd": None, "a2-Rtd": 1.0}


def test_a_message_without_data_time_has_the_moment_of_its_number():
    assert hj212.read(message("a1-Rtd=1")).at == datetime(2026, 5, 1, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["20261301000000", "00010101000000", "20260501", "now"])
def test_a_moment_that_cannot_be_is_none(text):
    assert hj212.read(message(f"DataTime={text}", head="ST=22;CN=2011;MN=A1")).at is None


@pytest.mark.parametrize("cut", [b"CP=&&", b"&&", b"##"])
def test_a_malformed_message_is_refused_without_its_password(cut):
    with pytest.raises(ValueError, match=r"message") as refused:
        hj212.read(message("a1-Rtd=1").replace(cut, b""))
    assert "sesame" not in str(refused.value)


def test_a_head_parted_by_commas_keeps_its_password_to_itself():
    found = hj212.read(message("a1-Rtd=1", head="ST=22,CN=2011,MN=A1,PW=sesame,Flag=5"))
    assert (found.mn, found.values) == ("A1", {"a1-Rtd": 1.0})


word = st.text("PW=sesam0123456789-;,&.Flagé", max_size=20)


@settings(deadline=None, max_examples=200)
@given(
    st.binary(max_size=100) | st.tuples(word, word).map(lambda two: message(two[0], two[1] + ";PW=sesame"))
)
def test_whatever_comes_raises_nothing_but_value_errors_and_tells_no_password(frame):
    told = ""
    try:
        hj212.read(frame)
    except ValueError as error:
        told = str(error)
    assert "sesame" not in told


values = st.dictionaries(
    st.from_regex(r"[a-z][0-9]{5}-(Rtd|Avg|Min|Max)", fullmatch=True),
    st.integers(-(10**6), 10**6).map(lambda n: n / 1000),
    max_size=8,
)


@settings(deadline=None, max_examples=50)
@given(values)
def test_what_a_station_writes_is_read_as_it_was_meant(measured):
    text = ";".join(f"{name}={value:.3f},{name.partition('-')[0]}-Flag=N" for name, value in measured.items())
    assert hj212.read(message(f"{DATED};{text}")).values == measured


@settings(deadline=None, max_examples=50)
@given(values, noise(FRAMING), noise(FRAMING), cuts)
def test_a_message_after_any_noise_is_found(measured, before, after, at):
    frame = message(";".join(f"{name}={value}" for name, value in measured.items()))
    assert frame in frames_of(FRAMING, before + frame + after, at)
