"""`lamppost demo` as a person runs it: in a terminal, in a pipe, and ended before its time."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from pathlib import Path

import psutil
import pytest
from playing import LAMPPOST, RISE, small
from waiting import until_sync

from lamppost.simulators.hub.broker import mosquitto

pytestmark = pytest.mark.skipif(mosquitto() is None, reason="mosquitto is not installed")


def demo(*arguments: str, folder, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*LAMPPOST, "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder), **environment},
        start_new_session=True,
    )


def test_a_pipe_gets_plain_lines_and_a_verdict(tmp_path):
    process = demo("--scenario", str(small(tmp_path, RISE)), folder=tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    assert err == ""
    assert "\x1b" not in out
    lines = out.splitlines()
    assert lines[0] == "small:  (2 s)"
    assert any(re.fullmatch(r" +1\.\d s  -- tank: level is 120", line) for line in lines)
    assert any(re.match(r" +[12]\.\d s  hub got OPEN   water\.high tank level 120", line) for line in lines)
    assert any(re.match(r"ok  open water\.high tank +1-3 s +[12]\.\d s  level 120", line) for line in lines)
    assert lines[-1] == "PASSED: 1 event messages expected, 1 received, lost 0, duplicates 0"


def test_a_failed_verdict_is_exit_code_1_also_as_json(tmp_path):
    path = small(tmp_path, RISE.replace("to = 120", "to = 80"))
    process = demo("--scenario", str(path), "--json", folder=tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    verdict = json.loads(out)
    assert verdict["ok"] is False
    assert verdict["events"][0]["state"] == "missing"
    assert Path(verdict["folder"]).is_dir()


@pytest.mark.parametrize(
    ("file", "says"),
    [("nosuch", "there is no such file"), ("bad.toml", "bad.toml: name: this key is")],
)
def test_a_scenario_that_does_not_hold_is_exit_code_2(tmp_path, monkeypatch, file, says):
    (tmp_path / "bad.toml").write_text("duration_s = 3\nagent.config = 'x'\n")
    monkeypatch.chdir(tmp_path)
    process = demo("--scenario", file, folder=tmp_path)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert says in err


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=["colour", "no colour"])
def test_a_terminal_gets_a_live_picture_and_then_the_verdict(tmp_path, environment):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [*LAMPPOST, "demo", "--scenario", str(small(tmp_path, RISE))],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color", "TMPDIR": str(tmp_path), **environment},
        start_new_session=True,
    )
    os.close(slave)
    shown = b""
    try:
        while data := _read(master):
            shown += data
    finally:
        os.close(master)
        process.kill()
        process.wait()
    text = shown.decode()
    live, _, after = text.partition("\x1b[?1049l")
    assert "\x1b[?1049h" in live, "the whole terminal is used, and given back"
    assert "events at the hub" in live
    assert "PASSED: 1 event messages expected" in re.sub(r"\x1b\[[0-9;]*m", "", after)
    assert bool(re.search(r"\x1b\[[0-9;]*3[1-7]m", text)) is (not environment)


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # the other end is closed: the program has ended
        return b""


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)],
    ids=["Ctrl-C", "SIGTERM", "kill -9"],
)
def test_no_process_is_left_however_it_ends(tmp_path, number, code):
    process = demo("--scenario", str(small(tmp_path, duration_s=600)), folder=tmp_path)
    try:
        until_sync(lambda: len(children(process)) == 2, 30, "agent and broker")
        assert process.stdout is not None
        for line in process.stdout:
            if "hub got pole-1 online" in line:
                break
        left = children(process)
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == code, err
    assert "Traceback" not in err
    until_sync(lambda: not any(child.is_running() and child.status() != "zombie" for child in left), 10)
    if number != signal.SIGKILL:
        assert not list(tmp_path.glob("lamppost-*"))
