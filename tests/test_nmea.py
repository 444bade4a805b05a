"""Sentences of a GNSS receiver: position, motion, time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serial_frames import sentence
from serial_noise import cuts, frames_of, noise

from lamppost.drivers.serial import nmea
from lamppost.drivers.serial.layout import Framing

FRAMING = Framing.model_validate(
    {
        "kind": "line", "start": "$", "end": "\r\n", "max_length": 128,
        "check": {"kind": "xor8", "skip": 1, "at": -4, "covers_to": -5, "text": True},
    }
)  # fmt: skip


def seconds(*moment: int) -> float:
    return datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[arg-type, misc]


def test_rmc_gives_position_motion_and_time():
    found = nmea.read(b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230326,003.1,W*6A\r\n")
    assert found == {
        "lat": pytest.approx(48.1173),
        "lon": pytest.approx(11.5166667),
        "speed": pytest.approx(22.4 * 0.514444, rel=1e-5),
        "course": 84.4,
        "utc": seconds(2026, 3, 23, 12, 35, 19),
    }


def test_gga_gives_position_height_and_how_good_it_is():
    found = nmea.read(b"$GNGGA,092750.000,5321.6802,S,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76\r\n")
    assert found == {
        "lat": pytest.approx(-53.3613367),
        "lon": pytest.approx(-6.50562),
        "fix": 1,
        "satellites": 8,
        "hdop": 1.03,
        "alt": 61.7,
    }


def test_a_receiver_without_a_fix_knows_nothing():
    void = nmea.read(sentence("GPRMC,092750.00,V,5321.6802,N,00630.3372,W,0.02,31.66,280511,,,N"))
    assert set(void.values()) == {None}
    searching = nmea.read(sentence("GPGGA,092750.00,,,,,0,00,99.99,,M,,M,,"))
    known = {key: value for key, value in searching.items() if value is not None}
    assert known == {"fix": 0, "satellites": 0}


@pytest.mark.parametrize("mode", "NEMS")
def test_time_that_the_satellites_did_not_give_is_none(mode):
    found = nmea.read(sentence(f"GPRMC,092750.00,A,5321.6802,N,00630.3372,W,0.02,31.66,280526,,,{mode}"))
    assert found["utc"] is None
    assert found["lat"] is not None


def test_time_without_a_date_is_none():
    assert nmea.read(sentence("GPRMC,092750.00,A,5321.6802,N,00630.3372,W,,,,,,A"))["utc"] is None


@pytest.mark.parametrize(
    ("date", "time", "utc"),
    [
        ("010100", "000000", seconds(2000, 1, 1)),
        ("311299", "235959", seconds(1999, 12, 31, 23, 59, 59)),
        ("060180", "000000", seconds(1980, 1, 6)),
        ("290228", "120000.25", seconds(2028, 2, 29, 12) + 0.25),
        ("311226", "235960", seconds(2026, 12, 31, 23, 59, 59)),
        ("311226", "235960.5", seconds(2026, 12, 31, 23, 59, 59) + 0.5),
    ],
)
def test_dates_have_their_century_and_leap_seconds_a_place(date, time, utc):
    assert nmea.read(sentence(f"GNRMC,{time},A,,,,,,,{date},,,A"))["utc"] == utc


@pytest.mark.parametrize(
    "body",
    [
        "GPRMC,123519,A,4807.038,N",
        "GPRMC,123519,A,4860.000,N,01131.000,E,022.4,084.4,230326,,",
        "GPRMC,123519,A,9107.000,N,01131.000,E,022.4,084.4,230326,,",
        "GPRMC,123519,A,4807.038,NS,01131.000,E,022.4,084.4,230326,,",
        "GPRMC,123519,A,4807.038,,01131.000,E,022.4,084.4,230326,,",
        "GPRMC,123519,A,-807.038,N,01131.000,E,022.4,084.4,230326,,",
        "GPRMC,123519,A,4807.038,N,01131.000,E,2e3,084.4,230326,,",
        "GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,310226,,",
        "GPRMC,123560,A,4807.038,N,01131.000,E,022.4,084.4,230326,,",
        "GPRMC,1235,A,4807.038,N,01131.000,E,022.4,084.4,230326,,",
        "GPGGA,123519,4807.038,N,01131.000,E,1,08,x,545.4,M",
        "GPGGA,123519,4807.038,N,01131.000,E,1,-8,0.9,545.4,M",
    ],
)
def test_a_sentence_that_is_not_as_it_should_be_is_refused_in_words(body):
    with pytest.raises(ValueError, match=r"expected|no number|no count|no such moment|beyond"):
        nmea.read(sentence(body))


@pytest.mark.parametrize("body", ["GPGSV,3,1,11,03,03,111,00", "PUBX,00", "", "GPVTG,,T,,M,0.1,N"])
def test_other_sentences_say_nothing(body):
    assert nmea.read(sentence(body)) == {}


field = st.text("0123456789.-ANSEWVé ", max_size=12)


@settings(deadline=None, max_examples=200)
@given(
    st.binary(max_size=100)
    | st.tuples(st.sampled_from(["GPRMC", "GNGGA"]), st.lists(field, max_size=15)).map(
        lambda parts: sentence(",".join([parts[0], *parts[1]]))
    )
)
def test_whatever_comes_raises_nothing_but_value_errors(frame):
    try:
        found = nmea.read(frame)
    except ValueError:
        return
    assert all(value is None or abs(value) < 1e16 for value in found.values())  # type: ignore[arg-type]


moments = st.datetimes(datetime(1980, 1, 6), datetime(2079, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  bounds have none
angles = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def rmc(moment: datetime, lat: float, lon: float) -> bytes:
    def angle(value: float, digits: int) -> str:
        minutes = round(abs(value) * 60 * 10_000)
        degrees, rest = divmod(minutes, 60 * 10_000)
        return f"{degrees:0{digits}d}{rest // 10_000:02d}.{rest % 10_000:04d}"

    time, date = moment.strftime("%H%M%S.") + f"{moment.microsecond:06d}", moment.strftime("%d%m%y")
    north, east = "NS"[lat < 0], "EW"[lon < 0]
    return sentence(f"GNRMC,{time},A,{angle(lat, 2)},{north},{angle(lon, 3)},{east},1.5,,{date},,,A")


@settings(deadline=None, max_examples=60)
@given(moments, angles)
def test_what_a_receiver_writes_is_read_as_it_was_meant(moment, angle):
    found = nmea.read(rmc(moment, *angle))
    assert found["utc"] == pytest.approx(moment.timestamp(), abs=1e-4)
    assert (found["lat"], found["lon"]) == pytest.approx(angle, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(moments, noise(FRAMING), noise(FRAMING), cuts)
def test_a_sentence_after_any_noise_is_found(moment, before, after, at):
    frame = rmc(moment, 22.7, 114.2)
    assert frame in frames_of(FRAMING, before + frame + after, at)
