"""LiteRT (formerly TensorFlow Lite) as a session, for `.tflite` files: `pip install ai-edge-litert`."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamppost.models.errors import ModelError
from lamppost.models.manifest import Manifest

#: The newer name first; some boards have a wheel of the older one only.
_MODULES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")


class LiteRt:
    """A model in LiteRT; see `lamppost.models.session.Session`. Quantised ends look like floats."""

    providers: tuple[str, ...] = ("LiteRT",)

    def __init__(self, content: bytes, manifest: Manifest, *, threads: int) -> None:
        self._path = manifest.model_path
        interpreter = _interpreter(str(self._path))
        where = f"{self._path}: does not fit {manifest.path.name}:"
        try:
            self._interpreter = interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"{self._path}: LiteRT cannot load it: {error}; copy or convert it again"
            ) from error
        inputs = self._interpreter.get_input_details()
        if len(inputs) != 1 or len(inputs[0]["shape"]) != 4:
            raise ModelError(f"{where} expected one input of 4 axes, it has {len(inputs)}")
        self._input = inputs[0]
        self._outputs = self._interpreter.get_output_details()
        shape = [int(side) for side in self._input["shape"]]
        spec = manifest.input
        # A quantised input is made from floats here, whatever the manifest says of mean and std.
        if self._input["quantization"][0] == 0 and np.dtype(spec.dtype) != self._input["dtype"]:
            kind = np.dtype(self._input["dtype"]).name
            raise ModelError(f"{where} its input is {kind}, input.dtype says {spec.dtype}")
        self.fixed_size: tuple[int | None, int | None] = (
            (shape[2], shape[3]) if spec.layout == "nchw" else (shape[1], shape[2])
        )

    def run(self, tensor: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the outputs in the order of the file, as float32."""
        try:
            self._interpreter.set_tensor(self._input["index"], _quantised(tensor, self._input))
            self._interpreter.invoke()
            return [_float(self._interpreter.get_tensor(o["index"]), o) for o in self._outputs]
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{self._path}: running it failed: {error}") from error


def _interpreter(path: str) -> Any:
    for module in _MODULES:
        try:
            return importlib.import_module(module).Interpreter
        except ModuleNotFoundError:
            continue
        except ImportError as error:
            raise ModelError(f"{path}: {module} is installed but does not load: {error}") from error
    raise ModelError(
        f"{path}: a .tflite model needs LiteRT, which is not installed: pip install ai-edge-litert "
        "(or tflite-runtime), or use an .onnx model"
    )


def _quantised(tensor: NDArray[Any], details: dict[str, Any]) -> NDArray[Any]:
    scale, zero = details["quantization"]
    if scale == 0 or tensor.dtype == details["dtype"]:
        return tensor
    limits = np.iinfo(details["dtype"])
    whole: NDArray[Any] = np.clip(np.round(tensor / scale) + zero, limits.min, limits.max)
    return whole.astype(details["dtype"])


def _float(tensor: NDArray[Any], details: dict[str, Any]) -> NDArray[Any]:
    scale, zero = details["quantization"]
    values = tensor.astype(np.float32, copy=False)
    return values if scale == 0 else (values - np.float32(zero)) * np.float32(scale)
