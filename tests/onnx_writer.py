"""Writes ONNX files by hand, byte by byte: models that give the same outputs whatever they are shown.

ONNX is protobuf (onnx.proto3); only the fields that such a model needs are here.
"""

from __future__ import annotations

import numpy as np

ELEMENT = {"float32": 1, "uint8": 2, "float16": 10}


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def value_info(name: str, kind: str, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(field(1, field(1, side)) for side in shape)
    return field(1, name) + field(2, field(1, field(1, ELEMENT[kind]) + field(2, dims)))


def model(
    outputs: list[np.ndarray],
    *,
    size: tuple[int, int] = (64, 64),
    shape: tuple[int, ...] | None = None,
    kind: str = "float32",
    opset: int = 13,
    inputs: int = 1,
) -> bytes:
    """Return a model with an input 1x3xHxW that is not looked at, and constant float outputs."""
    graph = field(2, "constant")
    for i, array in enumerate(outputs):
        graph += field(1, field(1, f"w{i}") + field(2, f"out{i}") + field(4, "Identity"))
        dims = b"".join(field(1, side) for side in array.shape)
        raw = np.ascontiguousarray(array, dtype=np.float32).tobytes()
        graph += field(5, dims + field(2, 1) + field(8, f"w{i}") + field(9, raw))
        graph += field(12, value_info(f"out{i}", "float32", array.shape))
    for i in range(inputs):
        graph += field(11, value_info(f"in{i}", kind, shape or (1, 3, *size)))
    return field(1, 8) + field(8, field(1, "") + field(2, opset)) + field(7, graph)


def one_channel(channel: int, *, size: tuple[int, int] = (64, 64), scale: float = 1 / 255) -> bytes:
    """Return a model 1x3xHxW -> 1x1xHxW whose output is one channel of its input, times ``scale``."""
    weights = np.zeros((1, 3, 1, 1), np.float32)
    weights[0, channel] = scale
    dims = b"".join(field(1, side) for side in weights.shape)
    graph = field(2, "one-channel")
    graph += field(1, field(1, "in0") + field(1, "w") + field(2, "out0") + field(4, "Conv"))
    graph += field(5, dims + field(2, 1) + field(8, "w") + field(9, weights.tobytes()))
    graph += field(12, value_info("out0", "float32", (1, 1, *size)))
    graph += field(11, value_info("in0", "float32", (1, 3, *size)))
    return field(1, 8) + field(8, field(1, "") + field(2, 13)) + field(7, graph)
