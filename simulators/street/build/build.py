"""Render the street and pack it into the assets that are shipped.

python simulators/street/build/build.py FOLDER [VIEW-LIGHT ...]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for script, arguments in (("render.py", sys.argv[1:]), ("pack.py", sys.argv[1:2])):
        subprocess.run([sys.executable, str(HERE / script), *arguments], check=True)


if __name__ == "__main__":
    main()
