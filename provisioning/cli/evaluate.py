"""`lamppost model evaluate`: how good a segmenter is on a folder of pictures and masks."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lamppost.provisioning.cli.options import ConfigFile

if TYPE_CHECKING:
    from lamppost.models.evaluate import Result

_WORDS = {
    "iou": "pixel IoU, all pixels together",
    "mean_iou": "pixel IoU, mean of the pictures with water",
    "precision": "precision",
    "recall": "recall",
    "auc": "AUC of the wet share of the lower 65 %",
}


def evaluate(
    config: ConfigFile,
    name: Annotated[str, typer.Argument(metavar="MODEL", help="Name, or path of a manifest.")],
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", exists=True, file_okay=False, help="Pictures with masks.")
    ],
    dry: Annotated[
        list[Path] | None,
        typer.Option("--dry", exists=True, file_okay=False, help="Folder of dry pictures; again for more."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", min=0.01, max=0.99, help="Instead of the manifest's own."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Measure a segmenter on a folder of pictures X.jpg or X.png with masks X_mask.png, X_m.png or X.png.

    In a mask 255 is water, 0 is not, 128 does not count. IoU, precision and recall are those of all pixels of
    all masks together; the AUC says how well the wet share of the lower 65 % of a picture tells pictures with
    water from dry ones. Exit code 1 if pictures had to be left out, 2 if nothing could be measured.

    Example: `lamppost model evaluate pictures --json`.
    """
    from lamppost.models.evaluate import evaluate as run  # noqa: PLC0415 - heavy
    from lamppost.models.evaluate import pairs  # noqa: PLC0415
    from lamppost.models.manifest import model_folders  # noqa: PLC0415
    from lamppost.models.segmenter import load_segmenter  # noqa: PLC0415

    segment = load_segmenter(name, folders=model_folders(config))
    asked = segment.threshold if threshold is None else threshold
    dry_pictures = [pair.picture for one in dry or () for pair in pairs(one)]
    result = run(segment, max(1, round(asked * 255)), pairs(folder), dry_pictures)
    for problem in result.problems:
        print(f"lamppost: {problem}", file=sys.stderr)
    if not result.wet and not result.dry:
        print(f"lamppost: {folder}: no picture with a mask, nothing to measure", file=sys.stderr)
        return 2
    figures = _figures(name, result)
    if as_json:
        print(json.dumps(figures, indent=2))
    else:
        _show(figures, asked)
    return 1 if result.problems else 0


def _figures(name: str, result: Result) -> dict[str, Any]:
    counts = result.counts
    figures = {
        "iou": counts.iou,
        "mean_iou": result.mean_iou,
        "precision": counts.precision,
        "recall": counts.recall,
        "auc": result.auc,
    }
    return {
        "model": name,
        "threshold": round(result.threshold / 255, 4),
        "pictures_with_water": len(result.wet),
        "pictures_dry": len(result.dry),
        "left_out": result.problems,
        **{key: None if value is None else round(value, 4) for key, value in figures.items()},
    }


def _show(figures: dict[str, Any], threshold: float) -> None:
    said = {key: "-" if figures[key] is None else f"{figures[key]:.3f}" for key in _WORDS}
    print(
        f"{figures['model']}: {figures['pictures_with_water']} pictures with water, "
        f"{figures['pictures_dry']} dry, threshold {threshold:.2f}"
    )
    for key, words in _WORDS.items():
        print(f"{words:46} {said[key]}")
