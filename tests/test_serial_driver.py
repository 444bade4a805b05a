"""The serial driver on real ptys: sensors that speak, meters that are asked, plugs that are pulled."""

from __future__ import annotations

import asyncio

import pytest
from driving import Emitted, running
from pydantic import ValidationError
from serial_frames import meter, sentence
from serial_line import SerialLine
from waiting import until

from lamppost.drivers.api import DriverError, Quality
from lamppost.drivers.registry import load
from lamppost.drivers.serial import listen
from lamppost.drivers.serial.ask import join
from lamppost.drivers.serial.dlt645 import WAKE
from lamppost.drivers.serial.layout import Framing


@pytest.fixture
def line(tmp_path):
    line = SerialLine(tmp_path)
    yield line
    line.unplug()


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    monkeypatch.setattr(listen, "LEAST_S", 0.6)


def serial(line, **settings):
    return load("serial").model_validate({"name": "sensor", "port": line.path, **settings})


def ultrasonic(mm: int) -> bytes:
    frame = bytes((0xFF, mm >> 8, mm & 0xFF))
    return frame + bytes((sum(frame) & 0xFF,))


async def keep_sending(line, data: bytes, done) -> None:
    """Let the sensor speak until ``done``."""

    def again() -> bool:
        line.send(data)
        return bool(done())

    await until(again)


def hear(line, data: bytes, enough, **settings) -> Emitted:
    async def main():
        async with running(serial(line, **settings)) as emitted:
            await keep_sending(line, data, lambda: enough(emitted))
            return emitted

    return asyncio.run(main())


def test_a_distance_is_heard_through_noise_and_in_pieces(line):
    async def main():
        async with running(serial(line, profile="a02yyuw", every_s=0)) as emitted:
            for byte in b"\x01\xff\xff\x00" + ultrasonic(1234):
                line.send(bytes((byte,)))
                await asyncio.sleep(0)
            await until(lambda: emitted.polls)
            await keep_sending(line, ultrasonic(1235) * 3, lambda: len(emitted.polls) > 3)
        values = [reading.value for poll in emitted.polls for reading in poll]
        assert set(values) <= {1234, 1235}
        assert {reading.unit for poll in emitted.polls for reading in poll} == {"mm"}
        assert set(emitted.kinds) <= {"noise", "checksum", "truncated"}

    asyncio.run(main())


def test_one_reading_in_every_s_is_the_median_of_what_was_heard(line):
    async def main():
        async with running(serial(line, profile="a02yyuw", every_s=0.3)) as emitted:
            await keep_sending(line, ultrasonic(1000), lambda: emitted.polls)
            line.send(b"".join(map(ultrasonic, (1000, 1010, 1020, 5000, 1010, 1010, 1000))))
            await keep_sending(line, ultrasonic(1010), lambda: len(emitted.polls) > 1)
        assert emitted.polls[1][0].value == 1010

    asyncio.run(main())


def test_no_target_is_a_bad_reading(line):
    emitted = hear(line, b"R9999\r", lambda emitted: emitted.polls, profile="maxbotix-mb7389")
    assert emitted.polls[0][0].quality is Quality.BAD


def test_a_receiver_tells_where_and_when(line):
    fix = sentence("GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230326,003.1,W")
    more = sentence("GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,")
    emitted = hear(line, fix + more, lambda emitted: emitted.polls, profile="nmea-gnss", every_s=0)
    found = {reading.quantity: reading.value for poll in emitted.polls for reading in poll}
    assert (found["lat"], found["lon"]) == (pytest.approx(48.1173), pytest.approx(11.516667))
    assert found["utc"] == 1774269319


def test_values_of_ones_own_need_no_profile(line):
    settings = {
        "pattern": r"T=(?P<t>-?\d+),H=(?P<h>\d+)",
        "values": {"temperature": {"source": "t", "scale": 0.1, "unit": "Cel"}, "humidity": {"source": "h"}},
    }
    emitted = hear(line, b"T=-57,H=81\n", lambda emitted: emitted.polls, every_s=0, **settings)
    assert {r.quantity: r.value for r in emitted.polls[-1]} == {
        "temperature": pytest.approx(-5.7),
        "humidity": 81,
    }


def test_a_line_that_does_not_fit_is_counted(line):
    emitted = hear(line, b"ERR\n12\n", lambda e: e.polls and e.faults, profile="text-line", every_s=0)
    assert set(emitted.kinds) == {"unread"}


def test_a_wrong_speed_is_told_in_words(line):
    async def main():
        async with running(serial(line, profile="a02yyuw")) as emitted:
            await keep_sending(line, b"\x80\x00\xf8\x1e", emitted.task.done)
            with pytest.raises(DriverError, match=r"no frame of A02YYUW.*check baud rate"):
                emitted.task.result()

    asyncio.run(main())


def test_a_silent_line_is_told_in_words(line):
    async def main():
        async with running(serial(line, profile="a02yyuw")) as emitted:
            await until(emitted.task.done)
            with pytest.raises(DriverError, match=r"nothing came for [12] s; check power and wires"):
                emitted.task.result()

    asyncio.run(main())


def test_a_pulled_plug_is_told_and_the_same_name_works_again(line):
    async def main():
        driver = serial(line, profile="a02yyuw", every_s=0)
        async with running(driver) as emitted:
            await keep_sending(line, ultrasonic(900), lambda: emitted.polls)
            line.unplug()
            await until(emitted.task.done)
            with pytest.raises(DriverError, match="gone"):
                emitted.task.result()
        async with running(driver) as emitted:
            await until(emitted.task.done)
            with pytest.raises(DriverError, match="no such serial port"):
                emitted.task.result()
        line.plug()
        async with running(driver) as emitted:
            await keep_sending(line, ultrasonic(901), lambda: emitted.polls)
            assert emitted.polls[0][0].value == 901

    asyncio.run(main())


def test_a_port_in_use_is_told(line):
    async def main():
        async with (
            running(serial(line, profile="a02yyuw", every_s=0)) as first,
            running(serial(line, profile="a02yyuw")) as second,
        ):
            await until(second.task.done)
            with pytest.raises(DriverError, match="in use by another program"):
                second.task.result()
            await keep_sending(line, ultrasonic(900), lambda: first.polls)

    asyncio.run(main())


class Meters:
    """Two DL/T 645 meters on one line, the second of which has no voltage."""

    def __init__(self, line) -> None:
        self._line = line
        self.requests = []

    async def answer(self, done) -> None:
        heard = bytearray()

        def turn() -> bool:
            heard.extend(self._line.heard())
            while len(heard) >= 20:
                frame = bytes(heard[:20])
                del heard[:20]
                self.requests.append(frame)
                self._line.send(frame + self._said(frame[4:]))  # the adapter echoes
            return bool(done())

        await until(turn)

    def _said(self, request: bytes) -> bytes:
        address = request[6:0:-1].hex()
        data_id = bytes(byte - 0x33 & 0xFF for byte in request[10:14])
        if address == "000000000002" and data_id[::-1].hex() == "02010100":
            return meter(address, 0xD1, b"\x02")
        value = {"02010100": b"\x05\x23", "02030000": b"\x34\x12\x80"}.get(data_id[::-1].hex())
        if value is None:
            return b""
        noise = b"\x00\xfe\x68\x11"
        return noise + meter(address, 0x91, data_id + value)


def test_two_meters_share_a_line_and_each_gets_its_own_answers(line):
    async def main():
        both = [
            serial(line, profile="dlt645-2007", address=f"00000000000{n}", quantities=["voltage-a", "power"])
            for n in (1, 2)
        ]
        meters = Meters(line)
        async with running(both[0]) as one, running(both[1]) as two:
            await meters.answer(lambda: one.polls and two.polls)
        assert {r.quantity: r.value for r in one.polls[0]} == {"voltage-a": 230.5, "power": -123.4}
        assert {r.quantity: r.value for r in two.polls[0]} == {"power": -123.4}
        assert [text for kind, text in two.faults if kind == "refused"] == [
            "voltage-a: meter 000000000002 refuses 02010100: it has no such value"
        ]
        vector = bytes.fromhex("fefefefe6801000000000068110433343435b616")
        assert meters.requests.count(vector) == 1
        assert vector.startswith(WAKE)

    asyncio.run(main())


def test_two_meters_of_one_line_cannot_be_spoken_to_differently(line):
    async def main():
        first, second = (
            serial(line, profile="dlt645-2007", address=f"00000000000{n}", baud=baud)
            for n, baud in ((1, 2400), (2, 4800))
        )
        async with join(first.port, first.settings, Framing(kind="line")):
            with pytest.raises(DriverError, match=r"already in use as .*2400.*asks for .*4800") as caught:
                await second.run(Emitted())
            assert not caught.value.retry

    asyncio.run(main())


class ShortMeters(Meters):
    """Meters whose power has fewer digits than the profile says."""

    def _said(self, request: bytes) -> bytes:
        data_id = bytes(byte - 0x33 & 0xFF for byte in request[10:14])
        return meter(request[6:0:-1].hex(), 0x91, data_id + b"\x05\x23")


def test_a_value_of_too_few_digits_is_not_made_up(line):
    async def main():
        wanted = {"profile": "dlt645-2007", "address": "000000000001", "quantities": ["voltage-a", "power"]}
        async with running(serial(line, **wanted)) as emitted:
            await ShortMeters(line).answer(lambda: emitted.polls)
        assert {r.quantity: r.value for r in emitted.polls[0]} == {"voltage-a": 230.5}
        assert ("unread", "power: 2 bytes of data came, expected 3") in emitted.faults

    asyncio.run(main())


def test_a_meter_that_does_not_answer_is_told(line):
    async def main():
        driver = serial(line, profile="dlt645-2007", address="000000000009", timeout_s=0.1)
        async with running(driver) as emitted:
            await until(emitted.task.done)
            with pytest.raises(DriverError, match=r"no answer of meter 000000000009 .* check power, address"):
                emitted.task.result()

    asyncio.run(main())


def test_a_probe_says_what_came(line):
    async def main():
        probing = asyncio.ensure_future(serial(line, profile="a02yyuw").probe())
        await keep_sending(line, ultrasonic(777), probing.done)
        assert probing.result() == "distance 777 mm"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "needs a profile"),
        ({"profile": "a02yyuv"}, "did you mean 'a02yyuw'"),
        ({"profile": "eastron-sdm120"}, "It is one of driver 'modbus'"),
        ({"profile": "dlt645-2007"}, "12 digits on its plate"),
        ({"profile": "a02yyuw", "quantities": ["level"]}, "the profile has no 'level'; it has distance"),
        ({"profile": "a02yyuw", "port": "COM3"}, "is no path"),
        ({"pattern": "(", "values": {"x": {}}}, "no regular expression"),
        ({"pattern": "(?P<y>.)", "values": {"x": {}}}, "the pattern has no group 'x'; it has y"),
        ({"values": {"x": {}}}, "needs `at`"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_in_words(line, settings, words):
    with pytest.raises(ValidationError, match=words.replace("(", r"\(")):
        serial(line, **settings)


def test_a_listener_has_its_port_alone_and_meters_share_theirs(line):
    one, two = (serial(line, profile="a02yyuw", name=name).connection() for name in ("a", "b"))
    assert one.line == two.line
    assert one.spoken != two.spoken
    first, second = (
        serial(line, profile="dlt645-2007", address=f"00000000000{n}").connection() for n in (1, 2)
    )
    assert first.spoken == second.spoken
    assert first.address != second.address


def test_what_a_meter_said_before_it_fell_silent_is_kept(line):
    async def main():
        asked = {"profile": "dlt645-2007", "address": "000000000001", "timeout_s": 0.1}
        driver = serial(line, **asked, quantities=["voltage-a", "energy"])
        meters = Meters(line)
        async with running(driver) as emitted:
            await meters.answer(emitted.task.done)
            with pytest.raises(DriverError, match="no answer of meter"):
                emitted.task.result()
        assert [(r.quantity, r.value) for r in emitted.polls[0]] == [("voltage-a", 230.5)]

    asyncio.run(main())


def test_a_number_too_large_for_its_scale_is_bad(line):
    settings = {"pattern": r"(?P<x>\S+)", "values": {"x": {"scale": 1000}}}
    emitted = hear(line, b"1e308\n", lambda emitted: emitted.polls, every_s=0, **settings)
    assert emitted.polls[0][0].quality is Quality.BAD
