"""From a picture to detections: letterbox, session, decoder, suppression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamppost.models.decode import Decoder, make_decoder
from lamppost.models.detections import Detections, Floats
from lamppost.models.errors import ModelError
from lamppost.models.letterbox import Letterbox, Letterboxes, Picture
from lamppost.models.manifest import SYSTEM, Manifest, find_manifest
from lamppost.models.session import Providers, Session, check_size, open_model
from lamppost.models.suppress import survivors


class Detector:
    """Finds objects in pictures of any size. Not for two threads at once: buffers are used again.

    Make it with `load_detector`; a detector that exists has run its model once and found it to fit.
    """

    def __init__(self, manifest: Manifest, session: Session) -> None:
        self.manifest = manifest
        self.session = session
        self._letterboxes = Letterboxes(manifest.input)
        self._decoders: dict[tuple[int, int], Decoder] = {}
        self._labels = np.array(manifest.labels, dtype=object)
        self._groups = _groups(manifest)
        self._try_out()

    def __call__(self, picture: Picture) -> Detections:
        """Return what is in ``picture`` (HxWx3, uint8, BGR). Raises `ModelError` when it cannot run."""
        letterbox = self._letterboxes.of(picture)
        outputs = self.session.run(letterbox(picture))
        return self._read(outputs, letterbox)

    def prepare(self, picture: Picture) -> NDArray[Any]:
        """Return the model's input for ``picture``; overwritten by the next picture of that size."""
        return self._letterboxes.of(picture)(picture)

    def _read(self, outputs: Sequence[Floats], letterbox: Letterbox) -> Detections:
        size = letterbox.height, letterbox.width
        decoder = self._decoders.get(size)
        if decoder is None:
            decoder = self._decoders[size] = self._decoder(size, outputs)
        found = decoder(outputs)
        keep = survivors(found.boxes, found.classes, self._groups, self.manifest.thresholds.nms_iou)
        boxes = letterbox.to_picture(found.boxes[keep])
        # A box that lies in the padding has no area in the picture.
        inside = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        keep = keep[inside]
        labels = tuple(self._labels[found.classes[keep]].tolist())
        return Detections(boxes[inside], found.scores[keep], labels)

    def _decoder(self, size: tuple[int, int], outputs: Sequence[Floats]) -> Decoder:
        manifest = self.manifest
        try:
            return make_decoder(
                manifest.decoder, size, len(manifest.labels), manifest.thresholds.score, outputs
            )
        except ModelError as error:
            raise ModelError(
                f"{manifest.model_path}: does not fit decoder {manifest.decoder!r} with "
                f"{len(manifest.labels)} labels at {size[1]}x{size[0]} in {manifest.path.name}: it {error}"
            ) from error

    def _try_out(self) -> None:
        """Run once on padding, so that a model that does not fit is refused here, not in the street."""
        spec = self.manifest.input
        check_size(self.manifest, self.session)
        letterbox = Letterbox(spec, spec.height, spec.width)
        outputs = self.session.run(letterbox.tensor)
        self._read(outputs, letterbox)
        if wrong := self._decoders[letterbox.height, letterbox.width].implausible(outputs):
            raise ModelError(
                f"{self.manifest.model_path}: does not fit decoder {self.manifest.decoder!r}: {wrong}"
            )


def _groups(manifest: Manifest) -> NDArray[np.intp] | None:
    """Return a number for each class, the same within a group; None when there are no groups."""
    if not manifest.thresholds.one_thing:
        return None
    numbers = np.arange(len(manifest.labels))
    for group in manifest.thresholds.one_thing:
        indices = [manifest.labels.index(label) for label in group]
        numbers[indices] = indices[:1]
    return numbers


def load_detector(
    name_or_path: str | Path = "nanodet-g",
    *,
    threads: int = 1,
    providers: Providers = None,
    folders: tuple[Path, ...] = (SYSTEM,),
    cache: Path | None = None,
) -> Detector:
    """Return a detector that has been tried out, by the name of a model or by its manifest's path.

    Names are looked up in ``folders``, then among the shipped ones. See `open_model` for the rest.
    Raises `ModelError`.
    """
    manifest = find_manifest(name_or_path, folders, "detect")
    return Detector(manifest, open_model(manifest, threads=threads, providers=providers, cache=cache))


def replace(
    current: Detector, name_or_path: str | Path, report: Callable[[ModelError], None], **how: Any
) -> Detector:
    """Return a detector of another model, or ``current`` when that is refused, after `report` of the reason.

    ``how`` is what `load_detector` takes.
    """
    try:
        return load_detector(name_or_path, **how)
    except ModelError as error:
        report(error)
        return current
