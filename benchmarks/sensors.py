"""Serial sensors: what finding frames behind noise costs beside a bare parser that trusts its line.

python benchmarks/sensors.py

Both read the same frames of an A02YYUW gauge, in the pieces that a port gives; the bare one would lose
its step at the first byte of noise. Also: memory that the driver adds when it is loaded.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import time
from functools import partial

from lamppost.drivers.serial.framer import Framer
from lamppost.drivers.serial.merge import Merge, plausible
from lamppost.drivers.serial.profile import find
from lamppost.drivers.serial.reading import reader

FRAMES, PIECE = 40_000, 4
#: A gauge sends so many a second.
RATE = 10

RSS = """
{imports}
print(int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20)
"""
BARE = "import pydantic, asyncio, lamppost.drivers.api"


def pieces() -> list[bytes]:
    """Return the stream as a port hands it on."""
    found = []
    for n in range(FRAMES):
        head = struct.pack(">BH", 0xFF, 300 + n % 4000)
        found.append(head + bytes((sum(head) & 0xFF,)))
    stream = b"".join(found)
    return [stream[at : at + PIECE] for at in range(0, len(stream), PIECE)]


def bare(stream: list[bytes]) -> int:
    count = 0
    for frame in stream:
        start, mm = struct.unpack(">BH", frame[:3])
        if start == 0xFF and sum(frame[:3]) & 0xFF == frame[3] and mm:
            count += 1
    return count


def ours(stream: list[bytes]) -> int:
    profile = find("a02yyuw")
    read = reader(profile)
    framer = Framer(profile.framing, partial(plausible, profile.quantities, read))
    merge = Merge("gauge", profile.quantities, 1.0)
    count = 0
    for number, piece in enumerate(stream):
        for frame in framer.feed(piece):
            merge.put(read(frame))
            count += 1
        merge.take(number / RATE)
    return count


def rss_mb(imports: str) -> float:
    said = subprocess.run(
        [sys.executable, "-c", RSS.format(imports=imports)], check=True, capture_output=True, text=True
    )
    return float(said.stdout)


def main() -> int:
    stream = pieces()
    spent = {}
    for name, work in (("bare", bare), ("ours", ours)):
        began = time.process_time()
        assert work(stream) == FRAMES
        spent[name] = time.process_time() - began
    a_frame = spent["ours"] / FRAMES
    print(f"a frame: {a_frame * 1e6:.1f} us, bare {spent['bare'] / FRAMES * 1e6:.1f} us")
    print(f"a gauge of {RATE} frames a second: {a_frame * RATE:.3%} of a core")
    before, after = rss_mb(BARE), rss_mb(f"{BARE}, lamppost.drivers.serial, serial")
    more = f"{after - before:+.1f} MB with this driver and pyserial"
    print(f"memory: {before:.1f} MB with the drivers' contract, {more}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
