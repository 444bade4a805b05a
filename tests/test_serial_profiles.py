"""Every shipped serial profile: any noise, any split; its frame is found, and the rest is only counted."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serial_frames import sentence, station

from lamppost.drivers.serial.framer import Framer
from lamppost.drivers.serial.merge import Merge, plausible
from lamppost.drivers.serial.profile import available, find
from lamppost.drivers.serial.reading import reader

#: A frame of each profile, and one of the values in it.
FRAMES = {
    "a02yyuw": (bytes((0xFF, 0x04, 0xD2, 0xD5)), "distance", 1234),
    "maxbotix-mb7389": (b"R1234\r", "distance", 1234),
    "nmea-gnss": (sentence("GNGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,"), "alt", 545.4),
    "hj212-2017": (
        station(b"QN=20260323123519000;ST=22;CN=2011;PW=123456;MN=A1;Flag=5;CP=&&DataTime=20260323203500;"
                b"a34004-Rtd=35.5,a34004-Flag=N;a01006-Rtd=101.32,a01006-Flag=N&&"),
        "pressure", 1013.2,
    ),
    "text-line": (b"level 12.5 mm\n", "value", 12.5),
}  # fmt: skip
ASKED = {"dlt645-2007"}


def test_every_shipped_profile_is_tried():
    assert set(available()) == set(FRAMES) | ASKED


@pytest.mark.parametrize("name", FRAMES)
@settings(deadline=None, max_examples=120)
@given(data=st.data())
def test_a_frame_behind_noise_is_read_and_nothing_escapes(name, data):
    profile = find(name)
    frame, quantity, value = FRAMES[name]
    read = reader(profile)
    framer = Framer(profile.framing, partial(plausible, profile.quantities, read), secret=profile.secret)
    merge = Merge("sensor", profile.quantities, 0)
    alphabet = [bytes((byte,)) for byte in frame] + [
        b"\xff",
        b"\0",
        b"\n",
        b"R",
        b"$",
        b"##",
        frame[: len(frame) // 2],
    ]
    piece = st.one_of(st.binary(max_size=5), st.sampled_from(alphabet))
    noise = b"".join(data.draw(st.lists(piece, max_size=10)))
    if name == "text-line":
        noise += b"\n"  # a line without a beginning is told from noise by its end alone
    stream = noise + frame * 2
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    values = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        for found in framer.feed(stream[begin:end]):
            try:
                merge.put(read(found))
            except ValueError:
                continue
            values += [r.value for r in merge.take(0) if r.quantity == quantity]
    assert value in values
    assert all("123456" not in fault.detail for fault in framer.take_faults()) or name != "hj212-2017"
