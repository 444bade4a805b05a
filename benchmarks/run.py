"""Run all benchmarks, one after the other, and say which missed its goal.

python benchmarks/run.py [NAME ...]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ALL = (
    "polling",
    "sensors",
    "scan",
    "payload",
    "spool",
    "uplink",
    "evidence",
    "street",
    "detector",
    "sight",
    "camera",
    "event",
    "commands",
)


def main() -> int:
    missed = []
    for name in sys.argv[1:] or ALL:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, str(HERE / f"{name}.py")], check=False).returncode:
            missed.append(name)
    print(f"\nmissed: {', '.join(missed)}" if missed else "\nall goals reached")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
