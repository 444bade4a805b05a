"""`lamppost scan`: what hangs on a line is found by reading alone, and can be added."""

from __future__ import annotations

import asyncio
import json
import signal

import pytest
from terminal import at_terminal

from lamppost.agent.config import load
from lamppost.provisioning.cli import main
from lamppost.provisioning.scan import (
    ask_for_meter,
    discover,
    listen,
    listening,
    local_hosts,
    scan_cameras,
    scan_line,
    scan_port,
    scan_tcp,
    serial_ports,
    usb_cameras,
)
from lamppost.simulators.modbus import device, serve_rtu_pty, serve_tcp
from lamppost.simulators.serial import sensor, serve_serial


@pytest.fixture(autouse=True)
def short_listening(monkeypatch):
    """Sensors here speak ten times as fast, so that a tenth of the time is enough to hear them."""
    monkeypatch.setattr(listening, "LISTEN_S", 0.4)


def silently(_text: str, _done: float) -> None:
    """Progress that nobody looks at."""


async def all_of(scan) -> list:
    return [one async for one in scan]


def test_units_are_found_at_the_right_speed_with_their_profiles_and_only_read(tmp_path):
    async def main_():
        units = [device("eastron-sdm120", 1), device("rika-rk900-09", 7)]
        async with serve_rtu_pty(units, baud=9600, check_speed=True, link=tmp_path / "tty") as line:
            found = await all_of(scan_line(line.path, settings=[(4800, "N"), (9600, "N")], units=range(1, 9)))
            assert {function for unit in units for function in unit.by_function} <= {1, 2, 3, 4}
        return found

    found = asyncio.run(main_())
    assert [(one.settings["unit"], one.settings["profile"]) for one in found] == [
        (1, "eastron-sdm120"),
        (7, "rika-rk900-09"),
    ]
    assert all("baud=9600" in one.where for one in found)


def test_a_unit_that_no_profile_fits_is_said_so(tmp_path):
    async def main_():
        async with serve_rtu_pty([device("generic", 3, count=4)], link=tmp_path / "tty") as line:
            return await all_of(scan_line(line.path, settings=[(9600, "N")], units=range(1, 5)))

    (found,) = asyncio.run(main_())
    assert found.settings["unit"] == 3
    assert not found.sure


@pytest.mark.parametrize("kind", ["a02yyuw", "maxbotix-mb7389", "nmea-gnss", "dlt645-2007"])
def test_a_sensor_is_told_by_what_it_says(kind, tmp_path):
    async def main_():
        async with serve_serial(
            [sensor(kind, 17)], link=tmp_path / "tty", check_speed=True, speed=10
        ) as line:
            return await (ask_for_meter if kind == "dlt645-2007" else listen)(line.path)

    (found,) = asyncio.run(main_())
    assert found.settings["profile"] == kind
    assert found.sure
    if kind == "dlt645-2007":
        assert found.settings["address"] == "000000000017"


def test_a_meter_is_asked_for_where_no_unit_answers_at_the_first_speed(tmp_path):
    async def main_():
        async with serve_serial([sensor("dlt645-2007", 17)], link=tmp_path / "tty", check_speed=True) as line:
            return await all_of(scan_port(line.path, [(9600, "N"), (4800, "N")], [1], silently))

    (found,) = asyncio.run(main_())
    assert found.settings["address"] == "000000000017"


def test_no_meter_is_asked_for_where_a_unit_is_known(tmp_path):
    async def main_():
        async with serve_rtu_pty([device("eastron-sdm120", 1)], link=tmp_path / "tty") as line:
            found = await all_of(scan_port(line.path, [(9600, "N")], [1], silently))
            return found, line.bad_frames + line.dropped_bytes

    (found,), strange = asyncio.run(main_())
    assert found.sure
    assert not strange


def test_modbus_tcp_is_found_and_closed_ports_cost_nothing():
    async def main_():
        async with serve_tcp([device("eastron-sdm630", 1)]) as line:
            return await all_of(scan_tcp(["127.0.0.1", "127.0.0.2"], port=line.port))

    (found,) = asyncio.run(main_())
    assert found.settings["profile"] == "eastron-sdm630"


def test_what_is_found_is_added_and_a_held_port_is_left_alone(tmp_path, capsys):
    path = tmp_path / "lamppost.toml"
    path.write_text(f'[node]\nid = "a"\nsite = "b"\nrun_dir = "{tmp_path}/run"\nstate_dir = "{tmp_path}/s"\n')
    link = tmp_path / "tty"

    async def scan(*options) -> int:
        command = ["scan", "-c", str(path), "--port", str(link), "--no-tcp", "--no-cameras", *options]
        async with serve_serial([sensor("a02yyuw")], link=link, speed=10):
            return await asyncio.to_thread(main, command)

    assert asyncio.run(scan("--add", "--json")) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["complete"], told["added"]) == (True, "a02yyuw")
    assert load(path).devices["a02yyuw"].driver.port == str(link)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "agent.pid").write_text("1\n")
    assert asyncio.run(scan()) == 1
    assert "the running agent uses it" in capsys.readouterr().err


@pytest.mark.parametrize("network", ["8.8.8.0/24", "10.0.0.0/16", "here"])
def test_networks_that_are_not_ones_own_are_not_scanned(network):
    with pytest.raises(ValueError, match=r"public|at most|Expected"):
        local_hosts(network)


def test_ports_are_known_by_their_stable_names(tmp_path):
    (tmp_path / "serial/by-id").mkdir(parents=True)
    for name in ("ttyUSB0", "ttyACM0"):
        (tmp_path / name).touch()
    (tmp_path / "serial/by-id/usb-FTDI").symlink_to(tmp_path / "ttyUSB0")
    assert [port.path for port in serial_ports(tmp_path)] == [
        str(tmp_path / "serial/by-id/usb-FTDI"),
        str(tmp_path / "ttyACM0"),
    ]


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--units", "0-3", "1 to 247"),
        ("--units", "a", "expected 1-32"),
        ("--speeds", "fast", "expected a speed"),
    ],
)
def test_wrong_options_are_refused_in_words(tmp_path, option, value, words, capsys):
    assert main(["scan", "-c", str(tmp_path / "x.toml"), option, value]) == 2
    assert words in capsys.readouterr().err


ONVIF = """<e:Envelope><d:ProbeMatches><d:XAddrs>http://127.0.0.1:8000/onvif/device_service</d:XAddrs>
<d:Scopes>onvif://www.onvif.org/name/Kerb onvif://www.onvif.org/hardware/K1</d:Scopes></d:ProbeMatches></e:Envelope>"""


def test_an_onvif_camera_answers_the_probe():
    class Camera(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, addr):
            assert b"NetworkVideoTransmitter" in data
            self.transport.sendto(ONVIF.encode(), addr)

    async def main_():
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Camera, local_addr=("127.0.0.1", 0))
        try:
            return await discover(0.3, transport.get_extra_info("sockname"))
        finally:
            transport.close()

    assert asyncio.run(main_()) == {"127.0.0.1": "Kerb K1"}


@pytest.mark.parametrize(("status", "complete"), [("200 OK", True), ("401 Unauthorized", False)])
def test_a_camera_is_found_by_its_makers_path(status, complete):
    async def serve(reader, writer):
        request = await reader.readuntil(b"\r\n\r\n")
        right = b"/Streaming/Channels/101 " in request
        body = b"v=0\r\nm=video 0 RTP/AVP 96\r\n" if right and complete else b""
        head = f"RTSP/1.0 {status if right or not complete else '404 Not Found'}\r\nCSeq: 1\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async def main_():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await all_of(scan_cameras([f"127.0.0.1:{port}", "127.0.0.1:1"]))

    (found,) = asyncio.run(main_())
    assert found.complete is complete
    assert found.where.startswith("rtsp://127.0.0.1:")


def test_usb_cameras_are_known_by_their_stable_names(tmp_path):
    (tmp_path / "v4l/by-id").mkdir(parents=True)
    for name in ("video0", "video1"):
        (tmp_path / name).touch()
    (tmp_path / "v4l/by-id/usb-cam-index0").symlink_to(tmp_path / "video0")
    assert [one.settings["source"] for one in usb_cameras(tmp_path)] == [
        f"v4l2:{tmp_path}/v4l/by-id/usb-cam-index0"
    ]


@pytest.mark.parametrize("asked", [True, False])
def test_a_scan_that_is_stopped_offers_what_it_found(asked, tmp_path):
    path, link = tmp_path / "lamppost.toml", tmp_path / "tty"
    path.write_text('[node]\nid = "a"\nsite = "b"\n')
    command = ["scan", "-c", str(path), "--port", str(link), "--speeds", "9600N", "--no-tcp", "--no-cameras"]
    quick = f"import {listening.__name__} as it; it.LISTEN_S = it.METER_S = 0.02"

    def stopped() -> str:
        with at_terminal([*command, *([] if asked else ["--add", "--json"])], first=quick) as terminal:
            terminal.said("unit 3")
            terminal.child.send_signal(signal.SIGINT)
            terminal.said("found until then: 1")
            if asked:
                terminal.said("Add ")
                terminal.type("y\n")
            assert terminal.ended() == 130
            return terminal.rest()

    async def main_() -> str:
        async with serve_rtu_pty([device("eastron-sdm120", 1)], link=link):
            return await asyncio.to_thread(stopped)

    rest = asyncio.run(main_())
    if asked:
        assert "eastron-1" in load(path).devices
    else:
        (told,) = json.loads(rest)
        assert (told["settings"]["profile"], told["added"]) == ("eastron-sdm120", None)
