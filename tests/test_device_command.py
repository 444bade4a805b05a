"""`lamppost device`: add after a look, test with raw registers, write after a confirmation, remove."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager

import pytest

from lamppost.agent.config import load
from lamppost.provisioning.cli import main
from lamppost.simulators.modbus import device, serve_tcp
from lamppost.simulators.serial import sensor, serve_serial


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "lamppost.toml"
    path.write_text(
        f'[node]\nid = "a"\nsite = "b"\nrun_dir = "{tmp_path}/run"\nstate_dir = "{tmp_path}/state"\n'
    )
    return path


@contextmanager
def serving(make):
    """Serve a simulated line from a loop of its own, as the command has one, too."""
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()
    found = []

    async def serve():
        async with make() as line:
            found.append(line)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def lamppost(*words) -> int:
    return main(["device", *map(str, words)])


@pytest.fixture
def radar():
    made = device("sen0676-level", 1)
    with serving(lambda: serve_tcp([made])) as line:
        yield made, f"tcp://127.0.0.1:{line.port}"


def test_a_device_is_added_tested_read_and_removed(path, radar, capsys):
    made, url = radar
    made.set("level", 120)
    add = (
        "add",
        "radar",
        "--driver",
        "modbus",
        "--url",
        url,
        "--profile",
        "sen0676-level",
        "--set",
        "every_s=5",
    )
    assert lamppost(*add, "-c", path) == 0
    assert load(path).devices["radar"].driver.every_s == 5
    assert "radar answers: " in capsys.readouterr().out
    assert lamppost("test", "radar", "--json", "-c", path) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["level"]["value"], found["level"]["unit"], found["level"]["raw"]) == (
        120,
        "mm",
        "holding 3: 0078",
    )
    assert lamppost("read", "radar", "level", "-c", path) == 0
    assert capsys.readouterr().out == "level 120 mm\n"
    assert lamppost("list", "--json", "-c", path) == 0
    assert json.loads(capsys.readouterr().out)["radar"]["profile"] == "sen0676-level"
    assert lamppost("remove", "radar", "--yes", "-c", path) == 0
    assert load(path).devices == {}


def test_only_what_is_writable_is_written_and_it_is_read_back(path, radar, capsys):
    made, url = radar
    lamppost("add", "radar", "--driver", "modbus", "--url", url, "--profile", "sen0676-level", "-c", path)
    assert lamppost("write", "radar", "mounting_height", "310", "--yes", "-c", path) == 0
    assert "250 cm now, 310 cm then" in capsys.readouterr().out
    assert made.value("mounting_height") == 310
    assert lamppost("write", "radar", "level", "3", "--yes", "-c", path) == 2
    assert "not writable; writable: mounting_height" in capsys.readouterr().err
    assert lamppost("write", "radar", "mounting_height", "99999", "--yes", "-c", path) == 1
    assert made.value("mounting_height") == 310


def test_a_value_that_is_not_believed_is_shown_with_the_reason(path, radar, capsys):
    made, url = radar
    lamppost("add", "radar", "--driver", "modbus", "--url", url, "--profile", "sen0676-level", "-c", path)
    made.state.set_raw("level", b"\x7f\xff")
    capsys.readouterr()
    assert lamppost("test", "radar", "-c", path) == 1
    assert "level                means: no value" in capsys.readouterr().out


def test_a_device_that_does_not_answer_is_not_added(path, capsys):
    assert (
        lamppost(
            "add", "m", "--driver", "serial", "--port", "/dev/nothing", "--profile", "a02yyuw", "-c", path
        )
        == 1
    )
    assert "no such serial port" in capsys.readouterr().err
    assert "devices" not in path.read_text()
    assert (
        lamppost(
            "add",
            "m",
            "--driver",
            "serial",
            "--port",
            "/dev/nothing",
            "--profile",
            "a02yyuw",
            "--no-test",
            "-c",
            path,
        )
        == 0
    )


def test_a_sensor_that_speaks_is_looked_at(path, tmp_path, capsys):
    made = sensor("a02yyuw")
    made.set("distance", 1234)
    with serving(lambda: serve_serial([made], link=tmp_path / "tty")) as line:
        words = ("--driver", "serial", "--port", line.path, "--profile", "a02yyuw", "-c", path)
        assert lamppost("add", "gutter", *words) == 0
        assert lamppost("test", "gutter", "-c", path) == 0
    assert "ok distance             1234 mm" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("test", "metre"), "there is no device 'metre'"),
        (("add", "x", "--driver", "modbuss"), "did you mean 'modbus'"),
        (("add", "x", "--driver", "modbus"), "nobody can be asked here; give url"),
        (("add", "x", "--driver", "modbus", "--url", "h:1", "--profile", "generic"), "is no Modbus line"),
        (("add", "x", "--driver", "serial", "--port", "/dev/x"), "give profile"),
        (("add", "x", "--driver", "serial", "--set", "port"), "expected KEY=VALUE"),
    ],
)
def test_wrong_words_are_answered_in_words(path, words, told, capsys):
    assert lamppost(*words, "-c", path) == 2
    assert told in capsys.readouterr().err
