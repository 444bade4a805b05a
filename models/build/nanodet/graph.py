"""A TensorFlow.js graph model: nodes in JSON, weights in a binary beside it.

Format: https://github.com/tensorflow/tfjs, tfjs-converter/docs; the nodes are TensorFlow's NodeDef.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Node:
    """One operation; inputs are names of nodes, with ``:1`` for a second output."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: dict[str, Any]

    def ints(self, key: str) -> list[int]:
        """Return a list of integers, such as strides in NHWC."""
        return [int(value) for value in self.attributes[key]["list"]["i"]]

    def text(self, key: str) -> str:
        """Return a string, such as the padding mode."""
        return base64.b64decode(self.attributes[key]["s"]).decode()


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which each comes after its inputs, constants by name, and the output names."""

    nodes: list[Node]
    constants: dict[str, NDArray[Any]]
    outputs: list[str]


def read(path: Path) -> Graph:
    """Read ``NAME.json`` and the weights it names."""
    model = json.loads(path.read_text(encoding="utf-8"))
    constants: dict[str, NDArray[Any]] = {}
    for group in model["weightsManifest"]:
        content = b"".join((path.parent / name).read_bytes() for name in group["paths"])
        constants |= _weights(group["weights"], content)
    raw = [
        Node(n["name"], n["op"], tuple(n.get("input", ())), n.get("attr", {}))
        for n in model["modelTopology"]["node"]
    ]
    outputs = [name.removesuffix(":0") for name in model["signature"]["outputs"]]
    return Graph(_sorted([node for node in raw if node.op != "Const"], constants), constants, outputs)


def _weights(entries: list[dict[str, Any]], content: bytes) -> dict[str, NDArray[Any]]:
    found, at = {}, 0
    for entry in entries:
        # float16 is only how a weight is stored; everything is computed in float32.
        stored = np.dtype(entry.get("quantization", entry)["dtype"])
        count = int(np.prod(entry["shape"], dtype=np.int64))
        values = np.frombuffer(content, stored, count, at)
        found[entry["name"]] = values.astype(entry["dtype"]).reshape(entry["shape"])
        at += count * stored.itemsize
    if at != len(content):
        raise ValueError(f"the weights have {len(content)} bytes, the model names {at}")
    return found


def _sorted(nodes: list[Node], constants: dict[str, NDArray[Any]]) -> list[Node]:
    done, waiting, ordered = set(constants), nodes, list[Node]()
    while waiting:
        ready = [n for n in waiting if all(name.split(":")[0] in done for name in n.inputs)]
        if not ready:
            raise ValueError(f"these nodes wait for each other: {[n.name for n in waiting[:5]]}")
        ordered += ready
        done |= {n.name for n in ready}
        waiting = [n for n in waiting if n.name not in done]
    return ordered
