"""A model's manifest: all that is known of a model file, as TOML beside it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from lamppost.models.errors import ModelError

ZOO = Path(__file__).parent / "zoo"
#: Where a box keeps models of its own; the configuration's folder may add `models/` beside it.
SYSTEM = Path("/etc/lamppost/models")

Fraction: TypeAlias = Annotated[float, Field(gt=0, lt=1)]
Side: TypeAlias = Annotated[int, Field(ge=32, le=4096, multiple_of=32)]
Triple: TypeAlias = tuple[float, float, float]
Task: TypeAlias = Literal["detect", "segment"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Input(_Table):
    """How a picture becomes the input of the model."""

    width: Side = Field(description="Width of the input in pixels; a multiple of 32.")
    height: Side = Field(description="Height of the input in pixels; a multiple of 32.")
    colour: Literal["bgr", "rgb"] = Field("bgr", description="Order of the channels.")
    mean: Triple = Field((0.0, 0.0, 0.0), description="Taken from 0..255, in the order of the channels.")
    std: Triple = Field((1.0, 1.0, 1.0), description="What is left is divided by this.")
    pad: int = Field(0, ge=0, le=255, description="Grey value around the picture, before mean and std.")
    fit: Literal["centre", "top-left", "stretch"] = Field(
        "centre", description="Where the picture stands in the input, or that its shape is not kept."
    )
    trim: bool = Field(
        False,
        description="Leave out padding that a multiple of 32 does not need; the model takes any size.",
    )
    layout: Literal["nchw", "nhwc"] = Field("nchw", description="Order of the axes.")
    dtype: Literal["float32", "float16", "uint8"] = Field("float32", description="Type of the numbers.")

    @model_validator(mode="after")
    def _sound(self) -> Input:
        if min(self.std) <= 0:
            raise ValueError("std must be above 0")
        if self.dtype == "uint8" and (any(self.mean) or self.std != (1, 1, 1)):
            raise ValueError('dtype "uint8" takes the picture as it is: no mean, no std')
        return self


class Thresholds(_Table):
    """What counts as found."""

    score: Fraction = Field(0.35, description="Detections, or pixels, with a lower score do not count.")
    nms_iou: Fraction = Field(0.6, description="Of two boxes of one class that overlap more, the worse goes.")
    one_thing: tuple[tuple[str, ...], ...] = Field(
        (), description="Groups of labels; of two boxes of a group that overlap that much, the worse goes."
    )


class Manifest(_Table):
    """All that is known of a model file; read it with `read_manifest`."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", description="What the configuration calls it.")
    version: str = Field(min_length=1, description="Version of the model file.")
    file: str = Field(min_length=1, description="The model: .onnx, or .tflite; a path beside the manifest.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the model file, in hex.")
    licence: str = Field(
        min_length=1, description="Licence of the weights, and of every step up to this file."
    )
    origin: str = Field(min_length=1, description="Where it comes from and how it was made.")
    task: Task = Field("detect", description="What the model does.")
    decoder: Literal["nanodet", "nanodet-plus", "yolox", "probability"] = Field(
        description="What its outputs mean."
    )
    labels: tuple[str, ...] = Field(min_length=1, description="Names of the classes, in the model's order.")
    input: Input = Field(description="How a picture becomes the input.")
    thresholds: Thresholds = Field(default_factory=Thresholds, description="What counts as a detection.")

    _path: Path = PrivateAttr(default=Path())

    @property
    def path(self) -> Path:
        """The manifest's own file."""
        return self._path

    @property
    def model_path(self) -> Path:
        """The model's file."""
        return self._path.parent / self.file

    @model_validator(mode="after")
    def _sound(self) -> Manifest:
        if not self.file.endswith((".onnx", ".tflite")):
            raise ValueError("file must end in .onnx or .tflite")
        if double := {label for label in self.labels if self.labels.count(label) > 1}:
            raise ValueError(f"labels named twice: {', '.join(sorted(double))}")
        if unknown := {label for group in self.thresholds.one_thing for label in group} - set(self.labels):
            raise ValueError(f"one_thing names labels that the model has not: {', '.join(sorted(unknown))}")
        if (self.decoder == "probability") != (self.task == "segment"):
            raise ValueError(f'decoder "{self.decoder}" is not one of task "{self.task}"')
        if self.task == "segment":
            self._one_map()
        return self

    def _one_map(self) -> None:
        if len(self.labels) != 1:
            raise ValueError(f'a model of task "segment" has one label, not {len(self.labels)}')
        if self.input.fit != "stretch" or self.input.trim:
            raise ValueError('a model of task "segment" sees the whole picture: fit = "stretch", no trim')
        if self.thresholds.one_thing:
            raise ValueError('one_thing means nothing to a model of task "segment"')


def read_manifest(path: Path) -> Manifest:
    """Read a manifest file; the model itself is not touched. Raises `ModelError` with all that is wrong."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: cannot read the manifest: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{path}: the manifest is not TOML: {error}") from error
    try:
        manifest = Manifest.model_validate(table)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'manifest'}: {_plain(problem['msg'])}"
            for problem in error.errors()
        )
        raise ModelError(f"{path}: {wrong}; docs/models.md lists the keys of a manifest") from error
    manifest._path = path  # noqa: SLF001 - its own module
    return manifest


def _plain(message: str) -> str:
    return re.sub("^Value error, ", "", message)


def model_folders(config: Path) -> tuple[Path, ...]:
    """Return the folders of a box's own models: `models/` beside its configuration, then the system's."""
    return tuple(dict.fromkeys((config.absolute().parent / "models", SYSTEM)))


def find_manifests(folders: tuple[Path, ...] = (SYSTEM,)) -> dict[str, Path]:
    """Return manifests by name: of ``folders``, where the first one wins, then of the shipped zoo."""
    found: dict[str, Path] = {}
    for folder in (*folders, ZOO):
        if folder.is_dir():
            for path in sorted(folder.glob("*.toml")):
                found.setdefault(path.stem, path)
    return found


def find_manifest(
    name_or_path: str | Path, folders: tuple[Path, ...] = (SYSTEM,), task: Task | None = None
) -> Manifest:
    """Return the manifest of a model by its name or by its manifest's path. Raises `ModelError`.

    With a ``task`` a model that does something else is refused.
    """
    manifest = _found(name_or_path, folders)
    if task not in {None, manifest.task}:
        raise ModelError(
            f"{manifest.path}: model {manifest.name!r} has the task {manifest.task!r}, "
            f"and {task!r} is needed here; name a model of that task (`lamppost model list`)"
        )
    return manifest


def _found(name_or_path: str | Path, folders: tuple[Path, ...]) -> Manifest:
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(".toml") or "/" in text:
        return read_manifest(Path(name_or_path))
    known = find_manifests(folders)
    if text not in known:
        searched = ", ".join(map(str, folders)) or "no other folder"
        raise ModelError(
            f"model {text!r} is unknown: there are {', '.join(sorted(known)) or 'none'} "
            f"(shipped, and in {searched}); name one, or give the path of a manifest"
        )
    manifest = read_manifest(known[text])
    if manifest.name != text:
        raise ModelError(
            f"{manifest.path}: calls itself {manifest.name!r}; name the file {manifest.name}.toml"
        )
    return manifest
