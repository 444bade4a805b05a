"""ONNX Runtime as a session, set for a small box that has other things to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import onnxruntime as ort
from numpy.typing import NDArray

from lamppost.models.errors import ModelError
from lamppost.models.manifest import Manifest

_TYPES = {"float32": "tensor(float)", "float16": "tensor(float16)", "uint8": "tensor(uint8)"}
#: Best first.
_PROVIDERS = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
_QUIET = 3  # errors only; all of them reach us as exceptions too


class Onnx:
    """A model in ONNX Runtime; see `lamppost.models.session.Session`."""

    def __init__(
        self,
        content: bytes,
        manifest: Manifest,
        *,
        threads: int,
        providers: Sequence[str] | str | None,
        cache: Path | None,
    ) -> None:
        self._path = manifest.model_path
        wanted = choose(providers, ort.get_available_providers(), self._path)
        ort.set_default_logger_severity(4)
        try:
            self._session = ort.InferenceSession(
                content,
                sess_options=_options(threads),
                providers=[(name, _provider_options(name, cache)) for name in wanted],
            )
        except Exception as error:  # its errors have no common class but this
            raise ModelError(
                f"{self._path}: ONNX Runtime {ort.__version__} cannot load it: {_reason(error)}; "
                "export it for this version (docs/models.md), or copy it again"
            ) from error
        self.providers = tuple(self._session.get_providers())
        if self.providers[0] != wanted[0] and providers != "auto":
            raise ModelError(
                f"{self._path}: {wanted[0]} is installed but did not start (driver or library missing?); "
                'use "auto" to go on with the CPU then'
            )
        self._name, self.fixed_size = self._input(manifest)

    def _input(self, manifest: Manifest) -> tuple[str, tuple[int | None, int | None]]:
        inputs = self._session.get_inputs()
        spec = manifest.input
        where = f"{self._path}: does not fit {manifest.path.name}:"
        if len(inputs) != 1:
            raise ModelError(f"{where} it has {len(inputs)} inputs, expected 1")
        shape = [side if isinstance(side, int) else None for side in inputs[0].shape]
        if len(shape) != 4:
            raise ModelError(f"{where} its input has {len(shape)} axes, expected 4 ({spec.layout})")
        if inputs[0].type != _TYPES[spec.dtype]:
            raise ModelError(f"{where} its input is {inputs[0].type}, input.dtype says {spec.dtype}")
        channels, height, width = shape[1:] if spec.layout == "nchw" else (shape[3], shape[1], shape[2])
        if shape[0] not in {1, None} or channels not in {3, None}:
            raise ModelError(f"{where} its input is {inputs[0].shape}, expected one picture of 3 channels")
        return inputs[0].name, (height, width)

    def run(self, tensor: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the outputs in the order of the file."""
        try:
            return cast("list[NDArray[Any]]", self._session.run(None, {self._name: tensor}))
        except Exception as error:  # as above
            raise ModelError(f"{self._path}: running it failed: {_reason(error)}") from error


def choose(wanted: Sequence[str] | str | None, installed: Sequence[str], path: Path) -> list[str]:
    """Return ONNX Runtime's names of the providers to use, best first, the CPU always last."""
    if wanted is None:
        names = ["cpu"]
    elif wanted == "auto":
        names = [short for short, name in _PROVIDERS.items() if name in installed]
    else:
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        for short in names:
            if _PROVIDERS.get(short, short) not in installed:
                there = [s for s, name in _PROVIDERS.items() if name in installed]
                raise ModelError(
                    f"{path}: provider {short!r} is not installed here; there is {', '.join(there)}"
                )
    found = list(dict.fromkeys(_PROVIDERS.get(short, short) for short in names))
    return [*found, *([] if _PROVIDERS["cpu"] in found else [_PROVIDERS["cpu"]])]


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _QUIET
    # Waiting threads would burn the core that another process needs: twice the time on a loaded box.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def _provider_options(name: str, cache: Path | None) -> dict[str, str]:
    if name == _PROVIDERS["tensorrt"] and cache is not None:
        return {
            "trt_engine_cache_enable": "True",
            "trt_engine_cache_path": str(cache),
            "trt_fp16_enable": "True",
        }
    return {}


def _reason(error: Exception) -> str:
    """Return what ONNX Runtime said, without its error codes and the line of its own source."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", " ".join(str(error).split()))
    return re.sub(r"^/onnxruntime_src/\S+ .*?\) (?=ONNX|[A-Z][a-z])", "", text)[:400].rstrip(". ")
