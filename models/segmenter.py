"""From a picture to a map of where something is: letterbox, session, probability of each pixel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.models.errors import ModelError
from lamppost.models.exposure import exposed
from lamppost.models.letterbox import Letterbox, Letterboxes, Picture
from lamppost.models.manifest import SYSTEM, Manifest, find_manifest
from lamppost.models.session import Providers, Session, check_size, open_model

#: What a sigmoid may leave 0..1 by, in half precision or quantised.
_SLACK = 0.01


class Segmenter:
    """Maps what it was trained for in pictures of any size. Not for two threads at once.

    Make it with `load_segmenter`; a segmenter that exists has run its model once and found it to fit.
    """

    def __init__(self, manifest: Manifest, session: Session) -> None:
        self.manifest = manifest
        self.session = session
        #: From this probability on a pixel counts.
        self.threshold = manifest.thresholds.score
        self._letterboxes = Letterboxes(manifest.input, smooth=True)
        self._try_out()

    def __call__(self, picture: Picture) -> NDArray[np.uint8]:
        """Return the map of ``picture`` (HxWx3, uint8, BGR): (h, w), probability * 255 of the whole picture.

        h and w are the model's own. A picture that is too dark or too pale is brightened first (see
        `exposed`). Raises `ModelError` when it cannot run.
        """
        return _bytes(self._map(self.session.run(self.prepare(picture))))

    def prepare(self, picture: Picture) -> NDArray[Any]:
        """Return the model's input for ``picture``; overwritten by the next picture of that size."""
        box = self._letterboxes.of(picture)
        shown = exposed(picture)
        return (box if shown is picture else self._letterboxes.of(shown))(shown)

    def _map(self, outputs: list[NDArray[Any]]) -> NDArray[np.float32]:
        spec = self.manifest.input
        shapes = ", ".join("x".join(map(str, output.shape)) for output in outputs)
        if len(outputs) != 1 or outputs[0].size == 0:
            raise self._misfit(f"it has outputs {shapes or 'none'}, expected one map")
        shape = outputs[0].shape
        found = outputs[0].reshape([side for side in shape if side != 1])
        if found.ndim != 2 or spec.height % found.shape[0] or spec.width % found.shape[1]:
            raise self._misfit(f"its output is {shapes}, expected 1x1x{spec.height}x{spec.width}")
        return found.astype(np.float32, copy=False)

    def _misfit(self, reason: str) -> ModelError:
        manifest = self.manifest
        return ModelError(
            f"{manifest.model_path}: does not fit decoder {manifest.decoder!r} "
            f"in {manifest.path.name}: {reason}"
        )

    def _try_out(self) -> None:
        """Run once on padding, so that a model that does not fit is refused here, not in the street."""
        check_size(self.manifest, self.session)
        spec = self.manifest.input
        found = self._map(self.session.run(Letterbox(spec, spec.height, spec.width).tensor))
        low, high = float(found.min()), float(found.max())
        if not (low >= -_SLACK and high <= 1 + _SLACK):  # nor where one is not a number
            raise self._misfit(f"it gives values of {low:.3g} to {high:.3g}, expected 0 to 1 (no sigmoid?)")


def _bytes(found: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return probabilities as whole numbers of 255, rounded."""
    return cv2.convertScaleAbs(found, alpha=255.0).astype(np.uint8, copy=False)


def load_segmenter(
    name_or_path: str | Path = "water",
    *,
    threads: int = 1,
    providers: Providers = None,
    folders: tuple[Path, ...] = (SYSTEM,),
    cache: Path | None = None,
) -> Segmenter:
    """Return a segmenter that has been tried out, by the name of a model or by its manifest's path.

    Names are looked up in ``folders``, then among the shipped ones. See `open_model` for the rest.
    Raises `ModelError`.
    """
    manifest = find_manifest(name_or_path, folders, "segment")
    return Segmenter(manifest, open_model(manifest, threads=threads, providers=providers, cache=cache))
