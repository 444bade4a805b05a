"""What one model costs on this box, measured in a process of its own: `python -m lamppost.models.bench`.

`measure` starts that process, so that memory is the model's and its runtime's and nothing else's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lamppost.models.errors import ModelError

_FRAME = (360, 640, 3)


@dataclass(frozen=True)
class Cost:
    """Times are medians over ``frames`` pictures; ``rss_mb`` is the whole process with the model in it."""

    threads: int
    providers: list[str]
    frames: int
    frame_ms: float
    frame_p95_ms: float
    model_ms: float
    load_ms: float
    rss_mb: float


def measure(
    manifest: Path, *, threads: int, frames: int, providers: Sequence[str] = (), picture: Path | None = None
) -> Cost:
    """Run a model ``frames`` times on a made-up picture of 640x360, or ``picture``. Raises `ModelError`."""
    order = {
        "manifest": str(manifest),
        "threads": threads,
        "frames": frames,
        "providers": list(providers),
        "picture": None if picture is None else str(picture),
    }
    command = [sys.executable, "-m", "lamppost.models.bench", json.dumps(order)]
    done = subprocess.run(  # noqa: S603 - our own module
        command, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]
        raise ModelError(f"{manifest}: measuring failed: {reason[0].removeprefix('ModelError: ')}")
    return Cost(**json.loads(done.stdout))


def _run(manifest: str, threads: int, frames: int, providers: list[str], picture: str | None) -> Cost:
    from lamppost.models.load import load_model  # noqa: PLC0415 - part of what is measured

    image = _picture(picture)
    start = time.perf_counter()
    chosen = "auto" if providers == ["auto"] else providers or None
    model = load_model(Path(manifest), threads=threads, providers=chosen)
    loaded = time.perf_counter()
    for _ in range(3):
        model(image)
    whole, alone = [], []
    tensor = model.prepare(image)
    for _ in range(frames):
        before = time.perf_counter()
        model(image)
        between = time.perf_counter()
        model.session.run(tensor)
        whole.append((between - before) * 1000)
        alone.append((time.perf_counter() - between) * 1000)
    return Cost(
        threads=threads,
        providers=list(model.session.providers),
        frames=frames,
        frame_ms=round(float(np.median(whole)), 2),
        frame_p95_ms=round(float(np.percentile(whole, 95)), 2),
        model_ms=round(float(np.median(alone)), 2),
        load_ms=round((loaded - start) * 1000, 1),
        rss_mb=round(_rss_mb(), 1),
    )


def _picture(path: str | None) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    import cv2  # noqa: PLC0415 - part of what is measured

    if path is None:
        # Smooth blocks of colour: noise would light up places that no street lights up.
        blocks = np.random.default_rng(1).integers(0, 256, (9, 16, 3), dtype=np.uint8)
        return np.asarray(cv2.resize(blocks, (_FRAME[1], _FRAME[0])), dtype=np.uint8)
    image = cv2.imread(path)
    if image is None:
        raise ModelError(f"{path}: not a picture that can be read")
    return np.asarray(image, dtype=np.uint8)


def _rss_mb() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    try:
        print(json.dumps(asdict(_run(**json.loads(sys.argv[1])))))  # noqa: T201 - to `measure`
    except ModelError as error:
        sys.exit(f"ModelError: {error}")
