"""`lamppost spool`: beside a running agent, without one, and in front of a file that is no spool."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from plugins import lamppost
from spooling import Settings, draft

from lamppost.agent.spool import Lane, open_spool


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "lamppost.toml"
    file.write_text(
        f'[node]\nid = "pole-1"\nsite = "s"\nrun_dir = "{tmp_path}/run"\n'
        f'[spool]\npath = "{tmp_path}/state/spool.db"\n'
    )
    return file


def fill(path: Path, during=lambda: None) -> None:
    async def go() -> None:
        async with open_spool(Settings(path, telemetry_mb=0.1), report=lambda _: None) as spool:
            await spool.put([draft(Lane.ALARMS), draft(Lane.EVENTS), draft(Lane.EVENTS)])
            await spool.put([draft(Lane.TELEMETRY, size=1000) for _ in range(200)])
            await asyncio.to_thread(during)

    asyncio.run(go())


def test_it_shows_the_spool_while_the_agent_runs(config: Path, tmp_path: Path):
    def look() -> None:
        done = lamppost("spool", "--config", str(config), "--json")
        assert (done.returncode, done.stderr) == (0, "")
        seen = json.loads(done.stdout)
        assert seen["agent"] == os.getpid()
        assert {name: lane["depth"] for name, lane in seen["lanes"].items()}["events"] == 2
        telemetry = seen["lanes"]["telemetry"]
        assert telemetry["depth"] + telemetry["dropped"]["size"]["count"] == 200
        assert telemetry["oldest_s"] < 60
        text = lamppost("spool", "--config", str(config))
        assert text.returncode == 0
        assert "agent" in text.stdout
        assert "size" in text.stdout

    fill(tmp_path / "state" / "spool.db", look)


def test_it_shows_a_spool_that_no_agent_has_open_and_leaves_it_alone(config: Path, tmp_path: Path):
    path = tmp_path / "state" / "spool.db"
    fill(path)
    before = path.read_bytes()
    seen = json.loads(lamppost("spool", "--config", str(config), "--json").stdout)
    assert seen["agent"] is None
    assert seen["lanes"]["alarms"]["depth"] == 1
    assert path.read_bytes() == before


def test_it_says_that_there_is_no_spool(config: Path):
    done = lamppost("spool", "--config", str(config))
    assert done.returncode == 1
    assert "no spool here" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + bytes(5000)])
def test_it_says_that_the_file_is_broken(config: Path, tmp_path: Path, content: bytes):
    path = tmp_path / "state" / "spool.db"
    path.parent.mkdir()
    path.write_bytes(content)
    done = lamppost("spool", "--config", str(config))
    assert done.returncode == 1
    assert f"{path}: broken: " in done.stderr
    assert path.read_bytes() == content


def test_it_says_that_another_version_wrote_the_file(config: Path, tmp_path: Path):
    path = tmp_path / "state" / "spool.db"
    fill(path)
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    done = lamppost("spool", "--config", str(config))
    assert done.returncode == 1
    assert "schema version 99" in done.stderr


def test_it_names_a_database_that_was_set_aside(config: Path, tmp_path: Path):
    path = tmp_path / "state" / "spool.db"
    path.parent.mkdir()
    path.write_bytes(b"garbage")
    fill(path)
    done = lamppost("spool", "--config", str(config), "--json")
    assert done.returncode == 1
    (trouble,) = json.loads(done.stdout)["trouble"]
    assert "spool.db.broken-" in trouble


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_it_says_that_the_user_may_not_read(tmp_path: Path):
    path = tmp_path / "state" / "spool.db"
    fill(path)
    tmp_path.chmod(0o755)
    code = (
        "import os, sqlite3, sys, time\n"
        "from pathlib import Path\n"
        "from lamppost.agent.spool.look import look\n"
        "from spooling import Settings\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "look(Settings(Path(sys.argv[1])), time.time())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    assert f"{path}: not readable by this user" in done.stderr
