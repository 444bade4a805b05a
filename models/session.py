"""A model file becomes something that runs: ONNX Runtime, or LiteRT for `.tflite`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from numpy.typing import NDArray

from lamppost.models.errors import ModelError
from lamppost.models.manifest import Manifest

#: "auto" takes the fastest that is installed; names are tried in their order and must be there.
Providers: TypeAlias = Sequence[str] | Literal["auto"] | None


class Session(Protocol):
    """A model in memory. One call at a time; ``providers`` says what it runs on."""

    providers: tuple[str, ...]
    #: Height and width that the file fixes, None where it takes any.
    fixed_size: tuple[int | None, int | None]

    def run(self, tensor: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the outputs for one input tensor. Raises `ModelError`."""


def open_model(
    manifest: Manifest, *, threads: int = 1, providers: Providers = None, cache: Path | None = None
) -> Session:
    """Load the model of a manifest, once its hash is right.

    ``providers`` None means the CPU; "auto" prefers TensorRT and CUDA where installed; a list names them
    ("tensorrt", "cuda", "cpu"), best first. TensorRT keeps what it builds, which takes minutes, in ``cache``.
    Raises `ModelError`: missing, damaged, not a model, not for this runtime, not as the manifest says.
    """
    content = _checked(manifest)
    if manifest.file.endswith(".tflite"):
        from lamppost.models.litert import LiteRt  # noqa: PLC0415 - optional

        return LiteRt(content, manifest, threads=threads)
    from lamppost.models.onnx import Onnx  # noqa: PLC0415 - 20 MB that a LiteRT box need not load

    return Onnx(content, manifest, threads=threads, providers=providers, cache=cache)


def check_size(manifest: Manifest, session: Session) -> None:
    """Raise `ModelError` if a session fixes another size of input than its manifest says."""
    spec = manifest.input
    for side, fixed in zip((spec.height, spec.width), session.fixed_size, strict=True):
        if fixed is not None and (fixed != side or spec.trim):
            said = "trim needs a model that takes any size" if fixed == side else f"the manifest says {side}"
            raise ModelError(
                f"{manifest.model_path}: does not fit {manifest.path.name}: "
                f"its input is fixed at {fixed} pixels, {said}"
            )


def _checked(manifest: Manifest) -> bytes:
    """Return the file's content: what was hashed is what runs, even when the file changes meanwhile."""
    path = manifest.model_path
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: cannot read the model: {error.strerror}; copy it beside {manifest.path.name}"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != manifest.sha256:
        raise ModelError(
            f"{path}: the model is not the one of its manifest: {len(content)} bytes with SHA-256 {found}, "
            f"{manifest.path.name} says {manifest.sha256}; it is damaged, cut short or another version: "
            "copy it again"
        )
    return content
