"""A `.tflite` model, written by hand, in real LiteRT; only where that optional runtime is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from modelling import outputs_of, places, put_model

from lamppost.models.detector import load_detector
from lamppost.models.errors import ModelError
from lamppost.models.manifest import read_manifest
from lamppost.models.session import open_model

schema = pytest.importorskip(
    "ai_edge_litert.schema_py_generated", reason="needs LiteRT: pip install ai-edge-litert"
)
flatbuffers = pytest.importorskip("flatbuffers")

SHAPE = (1, 64, 64, 3)
ADD, RESHAPE = 0, 22


def tensor(name: str, shape: tuple[int, ...], kind: str, buffer: int, scale: float = 0, zero: int = 0) -> Any:
    made = schema.TensorT()
    made.name, made.shape, made.buffer = name, list(shape), buffer
    made.type = getattr(schema.TensorType, kind)
    if scale:
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [scale], [zero]
    return made


def tflite(
    tensors: list[Any], contents: list[np.ndarray], code: int, options: str, inputs: list[int]
) -> bytes:
    """Return a model of one operation; tensor 0 is the model's input, tensor 1 its output."""
    graph, model, operation = schema.SubGraphT(), schema.ModelT(), schema.OperatorT()
    kind = schema.OperatorCodeT()
    kind.builtinCode = kind.deprecatedBuiltinCode = code
    operation.inputs, operation.outputs = inputs, [1]
    operation.builtinOptionsType = getattr(schema.BuiltinOptions, options)
    operation.builtinOptions = getattr(schema, f"{options}T")()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [operation], [0], [1]
    model.version, model.operatorCodes, model.subgraphs = 3, [kind], [graph]
    model.buffers = [schema.BufferT() for _ in range(len(contents) + 1)]
    for buffer, content in zip(model.buffers[1:], contents, strict=True):
        buffer.data = np.frombuffer(content.tobytes(), np.uint8)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def constant(output: np.ndarray, shape: tuple[int, ...] = SHAPE) -> bytes:
    """Return a model that gives ``output`` whatever it is shown."""
    tensors = [
        tensor("in", shape, "FLOAT32", 0),
        tensor("out", output.shape, "FLOAT32", 0),
        tensor("what", output.shape, "FLOAT32", 1),
        tensor("zero", (1,), "FLOAT32", 2),
    ]
    contents = [output.astype(np.float32), np.zeros(1, np.float32)]
    return tflite(tensors, contents, ADD, "AddOptions", [2, 3])


def test_a_tflite_detector_gives_exact_boxes(tmp_path):
    count = len(places("yolox", (64, 64)))
    scores, rest = np.zeros((count, 3), np.float32), np.zeros((count, 5), np.float32)
    scores[10, 2] = 0.9
    rest[10] = [0.5, 0.25, np.log(2), np.log(3), 0.8]
    (output,) = outputs_of("yolox", scores, rest, (64, 64))
    path = put_model(tmp_path, constant(output), decoder="yolox", file="toy.tflite", layout="nhwc")
    detector = load_detector(path)
    seen = detector(np.zeros((64, 64, 3), np.uint8))
    assert detector.session.providers == ("LiteRT",)
    # Place 10 is column 2, row 1: centre (20, 10), 16 x 24 pixels, cut at the top.
    np.testing.assert_allclose(seen.boxes, [[12 / 64, 0, 28 / 64, 22 / 64]], atol=1e-6)
    assert seen.labels == ("truck",)


def test_quantised_ends_look_like_floats(tmp_path):
    tensors = [
        tensor("in", SHAPE, "UINT8", 0, 0.5, 10),
        tensor("out", (1, 64 * 64 * 3), "UINT8", 0, 0.5, 10),
        tensor("shape", (2,), "INT32", 1),
    ]
    shape = np.array([1, 64 * 64 * 3], np.int32)
    content = tflite(tensors, [shape], RESHAPE, "ReshapeOptions", [0, 2])
    path = put_model(tmp_path, content, decoder="yolox", file="toy.tflite", layout="nhwc")
    given = np.random.default_rng(0).uniform(-4, 100, SHAPE).astype(np.float32)
    (found,) = open_model(read_manifest(path)).run(given)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.reshape(SHAPE), given, atol=0.2501)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"garbage" * 100, "LiteRT cannot load it"),
        (constant(np.zeros((1, 2, 3)), (1, 3, 64, 64)), "its input is fixed at 3 pixels"),
        (constant(np.zeros((1, 2, 3))), "gives 1x2x3; expected 1x84x8"),
    ],
)
def test_a_tflite_file_that_does_not_fit_is_refused(tmp_path, content, said):
    path = put_model(tmp_path, content, decoder="yolox", file="toy.tflite", layout="nhwc")
    with pytest.raises(ModelError, match=said):
        load_detector(path)
