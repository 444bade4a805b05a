"""Small scenarios, for tests of the runner and the demo."""

from __future__ import annotations

import sys
from pathlib import Path

#: Starts the installed command as the shell would.
LAMPPOST = [sys.executable, "-c", "import sys; from lamppost.provisioning.cli import main; sys.exit(main())"]


def small(folder: Path, more: str = "", *, duration_s: float = 2, config: str = "") -> Path:
    """Write a scenario with one tank, whose level of 100 mm opens ``water.high``."""
    text = f"""
name = "small"
duration_s = {duration_s}
[lines.bus]
kind = "tcp"
units.1 = {{ device = "sen0676-level", name = "tank", set = {{ level = 20 }} }}
[agent]
config = '''
[node]
id = "pole-1"
site = "test"
run_dir = "@{{run_dir}}"
state_dir = "@{{state_dir}}"
status_every_s = 0.2
[hub]
url = "@{{hub}}"
protocol = "@{{protocol}}"
backoff_s = 0.2
backoff_max_s = 0.5
[spool]
telemetry_memory_s = 0.5
[devices.tank]
driver = "modbus"
url = "@{{lines.bus}}"
profile = "sen0676-level"
every_s = 0.2
[rules.high]
kind = "threshold"
device = "tank"
quantity = "level"
above = 100
event = "water.high"
{config}
'''
{more}
"""
    path = folder / "small.toml"
    path.write_text(text)
    return path


RISE = """
[[at]]
at_s = 1
do = "set"
unit = "tank"
quantity = "level"
to = 120
[[expect]]
kind = "water.high"
phase = "open"
device = "tank"
after_s = 1
within_s = 2
"""
