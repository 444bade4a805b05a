"""What a command costs before it does anything: seconds, and how many times a bare Python's start.

    python benchmarks/commands.py [--rounds N]

Each command runs in a process of its own, all in turn, round after round, so that a busy machine is busy for
all of them alike; the median counts. The box has a camera, a meter and a rule, and an agent's last status.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFIG = """
[node]
id = "pole-1"
site = "site-1"
run_dir = "run"
state_dir = "state"
[devices.kerb-cam]
driver = "camera"
source = "rtsp://127.0.0.1/stream1"
zones.stop = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
[devices.supply]
driver = "modbus"
url = "tcp://127.0.0.1:1"
profile = "eastron-sdm120"
[rules.parking]
kind = "parking"
camera = "kerb-cam"
zone = "stop"
"""
#: What an agent of this box writes, with nothing open.
STATUS = {
    "node": "pole-1", "site": "site-1", "version": "0", "pid": 1, "at": "2026-01-01T00:00:00.000+00:00",
    "uptime_s": 60.0, "rss_mb": 40.0, "config_problem": None, "clock": {"plausible": True},
    "hub": None, "devices": {}, "remarks": {}, "open_events": [], "sight": None,
    "spool": {"trouble": [], "lanes": {}},
}  # fmt: skip
LAMPPOST = str(Path(sys.executable).with_name("lamppost"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "lamppost --help": [LAMPPOST, "--help"],
    "lamppost status": [LAMPPOST, "status"],
    "lamppost check --help": [LAMPPOST, "check", "--help"],
    "tab after `camera snapshot`": [
        LAMPPOST,
        "__complete",
        "bash",
        "3",
        "lamppost",
        "camera",
        "snapshot",
        "",
    ],
    "lamppost config check": [LAMPPOST, "config", "check"],
}


#: Seconds that a person does not notice.
GOALS_S = {"lamppost --help": 0.35, "lamppost status": 0.5}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    rounds = options.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "lamppost.toml").write_text(CONFIG)
        Path(folder, "run").mkdir()
        Path(folder, "run/status.json").write_text(json.dumps(STATUS))
        took: dict[str, list[float]] = {name: [] for name in COMMANDS}
        for _ in range(rounds + 1):
            for name, command in COMMANDS.items():
                began = time.perf_counter()
                done = subprocess.run(command, cwd=folder, env=_env(), capture_output=True, check=False)
                took[name].append(time.perf_counter() - began)
                if b"Traceback" in done.stderr:
                    raise SystemExit(done.stderr.decode())
    bare = statistics.median(took["python -c pass"][1:])
    missed = 0
    for name, seconds in took.items():
        middle = statistics.median(seconds[1:])  # the first round fills the page cache
        goal_s = GOALS_S.get(name)
        missed += goal_s is not None and middle > goal_s
        goal = "" if goal_s is None else f"  (goal: {goal_s} s)"
        print(f"{name:30} {middle:6.3f} s  {middle / bare:5.1f} x{goal}")
    return 1 if missed else 0


def _env() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("LAMPPOST_")}


if __name__ == "__main__":
    sys.exit(main())
