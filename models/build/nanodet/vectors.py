"""Outputs of TensorFlow.js for one made-up picture, stored, and compared with the converted model.

    python vectors.py MODEL.json NODE_FOLDER      makes vectors.npz anew; NODE_FOLDER has @tensorflow/tfjs

Every 23rd place of each output is kept, which is plenty: an error in one layer reaches all of them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

HERE = Path(__file__).parent
STORED = HERE / "vectors.npz"
SIDE = 416
EACH = 23
#: The graph's outputs by their names in TensorFlow.js, and what we call them.
NAMES = {
    "Identity": "scores_8",
    "Identity_1": "scores_16",
    "Identity_2": "scores_32",
    "Identity_3": "boxes_8",
    "Identity_4": "boxes_16",
    "Identity_5": "boxes_32",
}


def made_up_input() -> NDArray[np.float32]:
    """Return a normalised input of coarse and fine blocks of random colour; always the same."""
    numbers = np.random.default_rng(20231123)
    blocks = [numbers.uniform(-2, 2, (3, SIDE // size, SIDE // size)) for size in (104, 32, 8)]
    sizes = (104, 32, 8)
    planes = [np.kron(b, np.ones((1, size, size))) for b, size in zip(blocks, sizes, strict=True)]
    return np.ascontiguousarray(np.mean(planes, axis=0)[None], dtype=np.float32)


def largest_difference(onnx_model: bytes) -> float:
    """Return the largest absolute difference of the model's outputs to the stored ones."""
    session = ort.InferenceSession(onnx_model, providers=["CPUExecutionProvider"])
    found = dict(zip(NAMES.values(), session.run(list(NAMES.values()), {"input": made_up_input()}), strict=True))
    with np.load(STORED) as stored:
        return max(float(np.abs(found[name][0, ::EACH] - stored[name]).max()) for name in NAMES.values())


def make(model: Path, node_folder: Path) -> None:
    """Run TensorFlow.js in Node and store its outputs."""
    with tempfile.TemporaryDirectory(dir=node_folder) as folder:
        script = shutil.copy(HERE / "vectors.mjs", folder)
        (Path(folder) / "input.f32").write_bytes(made_up_input().tobytes())
        subprocess.run(
            ["node", script, str(model.resolve()), f"{folder}/input.f32", str(SIDE), folder], check=True
        )
        outputs = {
            name: np.fromfile(Path(folder) / f"{tf_name}.f32", dtype=np.float32)
            .reshape(-1, 80 if name.startswith("scores") else 44)[::EACH]
            for tf_name, name in NAMES.items()
        }
    np.savez_compressed(STORED, **outputs)  # type: ignore[arg-type]  # the names are arrays, not its option


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
