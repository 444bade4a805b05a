"""TensorFlow.js graph model to ONNX, for the operations that NanoDet uses, for any height and width.

TensorFlow computes on NHWC and this graph, itself made from an ONNX file, is full of transpositions back and
forth. They cost nothing here: a value is an ONNX tensor plus the place of each TensorFlow axis in it, and a
transposition only changes the latter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from lamppost.models.build.nanodet.graph import Graph, Node

OPSET = 13
#: NHWC seen in an NCHW tensor.
CHANNELS_LAST = (0, 2, 3, 1)
_MOST_NEGATIVE = -1e30


@dataclass(frozen=True)
class Value:
    """An ONNX tensor as TensorFlow sees it: TensorFlow's axis i is axis ``axes[i]`` of the tensor.

    ``pads`` is padding that TensorFlow has put around it as a node of its own, in order of the tensor's
    axes as (before, after); a convolution or pooling that follows takes it in. ``side`` is the height for the
    input that the graph was exported for.
    """

    name: str
    axes: tuple[int, ...]
    side: int
    pads: tuple[tuple[int, int], ...] = ()
    pad_value: float = 0.0


class Converter:
    """Builds one ONNX graph; see `convert`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._values: dict[str, Value] = {}
        self._constants = dict(graph.constants)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}

    def run(self) -> None:
        """Translate every node that does not fold into a constant."""
        for node in self._graph.nodes:
            if node.op == "Placeholder":
                side = int(node.attributes["shape"]["shape"]["dim"][2]["size"])
                self._values[node.name] = Value("input", (0, 1, 2, 3), side)
            elif all(self._is_constant(name) for name in node.inputs):
                self._constants[node.name] = _fold(node, [self._constant(name) for name in node.inputs])
            else:
                translate: Callable[[Node], None] | None = getattr(self, f"_on_{node.op.lower()}", None)
                if translate is None:
                    raise NotImplementedError(f"{node.op} ({node.name})")
                translate(node)

    def finish(self, name: str, renamed: str) -> None:
        """Make the output ``name`` of the graph an output of the ONNX graph, in TensorFlow's order of axes."""
        value = self._values[name]
        self._add("Transpose", [value.name], output=renamed, perm=list(value.axes))

    def _is_constant(self, name: str) -> bool:
        return name.split(":")[0] in self._constants

    def _constant(self, name: str) -> NDArray[Any]:
        found: NDArray[Any] = self._constants[name.split(":")[0]]
        return found

    def _value(self, name: str, axes: tuple[int, ...] | None = None) -> Value:
        """Return the value of a name, padded for real; with ``axes`` given, in that order of axes."""
        value = self._values[name.removesuffix(":0")]
        if value.pads:
            raise NotImplementedError(f"padding of {name} that nothing takes in")
        if axes is None or value.axes == axes:
            return value
        turn = [value.axes[axes.index(axis)] for axis in range(len(axes))]
        return Value(self._add("Transpose", [value.name], perm=turn), axes, value.side)

    def _weight(self, array: NDArray[Any]) -> str:
        name = f"w{len(self.weights)}"
        self.weights[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def _add(self, op: str, inputs: list[str], *, output: str = "", **attributes: Any) -> str:
        name = output or f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    # The operations of TensorFlow, by name.

    def _on_transpose(self, node: Node) -> None:
        value = self._values[node.inputs[0]]
        perm = self._constant(node.inputs[1]).tolist()
        self._values[node.name] = replace(value, axes=tuple(value.axes[axis] for axis in perm))

    def _on_identity(self, node: Node) -> None:
        self._values[node.name] = self._value(node.inputs[0])

    def _on_pad(self, node: Node, pad_value: float = 0.0) -> None:
        value = self._value(node.inputs[0])
        pads = [(0, 0)] * 4
        for axis, pair in zip(value.axes, self._constant(node.inputs[1]).tolist(), strict=True):
            pads[axis] = (pair[0], pair[1])
        padded = replace(value, pads=tuple(pads), pad_value=pad_value)
        self._values[node.name] = padded if any(map(any, pads)) else value

    def _on_padv2(self, node: Node) -> None:
        self._on_pad(node, float(self._constant(node.inputs[2])))

    def _window(self, node: Node) -> tuple[Value, dict[str, Any]]:
        """Return the input of a convolution or pooling in NCHW, and what ONNX says of its steps and edges."""
        value = self._values[node.inputs[0]]
        if value.axes != CHANNELS_LAST or node.text("padding") != "VALID":
            raise NotImplementedError(f"{node.op} {node.name}: axes {value.axes}, {node.text('padding')}")
        if value.pads and any(map(any, value.pads[:2])):
            raise NotImplementedError(f"{node.name}: padding of batch or channels")
        (top, bottom), (left, right) = value.pads[2:] or ((0, 0), (0, 0))
        return value, {"strides": node.ints("strides")[1:3], "pads": [top, left, bottom, right]}

    def _windowed(self, op: str, inputs: list[str], side: int, window: dict[str, Any]) -> Value:
        reach = (window["kernel_shape"][0] - 1) * window.get("dilations", [1])[0]
        side = (side + window["pads"][0] + window["pads"][2] - reach - 1) // window["strides"][0] + 1
        return Value(self._add(op, inputs, **window), CHANNELS_LAST, side)

    def _on_conv2d(self, node: Node) -> None:
        value, window = self._window(node)
        if value.pad_value != 0:
            raise NotImplementedError(f"{node.name}: a convolution pads with 0")
        kernel = self._constant(node.inputs[1]).transpose(3, 2, 0, 1)  # HWIO to OIHW
        window |= {"dilations": node.ints("dilations")[1:3], "kernel_shape": kernel.shape[2:]}
        inputs = [value.name, self._weight(kernel)]
        self._values[node.name] = self._windowed("Conv", inputs, value.side, window)

    def _on_maxpool(self, node: Node) -> None:
        value, window = self._window(node)
        if value.pads and value.pad_value > _MOST_NEGATIVE:
            raise NotImplementedError(f"{node.name}: pooling pads with the lowest number")
        window["kernel_shape"] = node.ints("ksize")[1:3]
        self._values[node.name] = self._windowed("MaxPool", [value.name], value.side, window)

    def _on_add(self, node: Node) -> None:
        left, right = node.inputs
        if not self._is_constant(right):
            first = self._value(left)
            second = self._value(right, first.axes)
            self._values[node.name] = replace(first, name=self._add("Add", [first.name, second.name]))
            return
        value, bias = self._value(left), self._constant(right)
        conv = next((n for n in self.nodes if n.output[0] == value.name), None)
        if conv is None or conv.op_type != "Conv" or len(conv.input) != 2 or bias.ndim != 1:
            raise NotImplementedError(f"{node.name}: a constant added to something other than a convolution")
        conv.input.append(self._weight(bias))
        self._values[node.name] = value

    def _on_leakyrelu(self, node: Node) -> None:
        value = self._value(node.inputs[0])
        name = self._add("LeakyRelu", [value.name], alpha=float(node.attributes["alpha"]["f"]))
        self._values[node.name] = replace(value, name=name)

    def _on_sigmoid(self, node: Node) -> None:
        value = self._value(node.inputs[0])
        self._values[node.name] = replace(value, name=self._add("Sigmoid", [value.name]))

    def _on_concatv2(self, node: Node) -> None:
        first = self._value(node.inputs[0])
        parts = [self._value(name, first.axes).name for name in node.inputs[:-1]]
        axis = first.axes[int(self._constant(node.inputs[-1]))]
        self._values[node.name] = replace(first, name=self._add("Concat", parts, axis=axis))

    def _on_splitv(self, node: Node) -> None:
        value = self._value(node.inputs[0])
        sizes = self._constant(node.inputs[1]).astype(np.int64)
        axis = value.axes[int(self._constant(node.inputs[2]))]
        names = [f"split{len(self.nodes)}_{i}" for i in range(len(sizes))]
        self.nodes.append(
            helper.make_node("Split", [value.name, self._weight(sizes)], names, name=names[0], axis=axis)
        )
        for i, name in enumerate(names):
            self._values[f"{node.name}:{i}" if i else node.name] = replace(value, name=name)

    def _on_resizebilinear(self, node: Node) -> None:
        value = self._value(node.inputs[0], CHANNELS_LAST)
        flags = {key: bool(node.attributes[key]["b"]) for key in ("align_corners", "half_pixel_centers")}
        if flags != {"align_corners": False, "half_pixel_centers": True}:
            raise NotImplementedError(f"{node.name}: {flags}")
        # The graph names sizes for one input; what it means, in a feature pyramid, is a factor of 2 or 1/2.
        side = int(self._constant(node.inputs[1])[0])
        factor = side / value.side
        scales = self._weight(np.array([1, 1, factor, factor], dtype=np.float32))
        name = self._add(
            "Resize", [value.name, "", scales], mode="linear", coordinate_transformation_mode="half_pixel"
        )
        self._values[node.name] = Value(name, CHANNELS_LAST, side)

    def _on_reshape(self, node: Node) -> None:
        value = self._value(node.inputs[0], (0, 1, 2, 3))
        batch, channels, _ = self._constant(node.inputs[1]).tolist()
        # Height and width become one axis, whatever they are.
        shape = self._weight(np.array([batch, channels, -1], dtype=np.int64))
        self._values[node.name] = Value(self._add("Reshape", [value.name, shape]), (0, 1, 2), value.side)


def convert(graph: Graph, names: dict[str, str], metadata: dict[str, str]) -> onnx.ModelProto:
    """Return the ONNX model of ``graph``; ``names`` gives the outputs to keep and their new names."""
    converter = Converter(graph)
    converter.run()
    for name, renamed in names.items():
        converter.finish(name, renamed)
    used = {name for node in converter.nodes for name in node.input}
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "height", "width"])]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, f"{name}_places", None])
        for name in names.values()
    ]
    weights = [weight for name, weight in converter.weights.items() if name in used]
    model = helper.make_model(
        helper.make_graph(converter.nodes, "nanodet", inputs, outputs, weights),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
        producer_name="lamppost models/build/nanodet",
    )
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    return onnx.shape_inference.infer_shapes(model, strict_mode=True)


def _fold(node: Node, inputs: list[NDArray[Any]]) -> NDArray[Any]:
    """Compute what depends on constants only: the shapes for Reshape."""
    if node.op in {"Add", "AddV2"}:
        return np.asarray(inputs[0] + inputs[1])
    if node.op == "SparseToDense" and inputs[0].size == 0:
        return np.full(inputs[1], inputs[3])
    raise NotImplementedError(f"{node.op} of constants ({node.name})")
