"""How good a net is on pictures that it was never trained on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from material import Photo
from vary import SIZE

sys.path.append(str(Path(__file__).parents[2]))  # the measures are those of `lamppost model evaluate`

from evaluate import LOWER, roc_auc  # noqa: E402


def tensor(images: list[Any]) -> torch.Tensor:
    small = [cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA)[..., ::-1] for image in images]
    return torch.from_numpy(np.stack(small).copy()).permute(0, 3, 1, 2)


def probabilities(net: Any, images: list[Any], batch: int = 16) -> np.ndarray[Any, Any]:
    """Return (N, H, W) probabilities at the net's input size."""
    net.eval()
    found = []
    with torch.no_grad():
        for begin in range(0, len(images), batch):
            logits = net(tensor(images[begin : begin + batch]).float().contiguous(memory_format=torch.channels_last))
            shown = torch.nn.functional.interpolate(logits, scale_factor=2.0, mode="bilinear", align_corners=False)
            found.append(torch.sigmoid(shown)[:, 0].numpy())
    return np.concatenate(found)


def share(probability: np.ndarray[Any, Any], threshold: float) -> np.ndarray[Any, Any]:
    return (probability[:, round(probability.shape[1] * (1 - LOWER)) :] > threshold).mean((1, 2))


def measured(net: Any, photos: list[Photo], dry: list[Photo], threshold: float = 0.5) -> dict[str, float]:
    wet = probabilities(net, [p.image for p in photos])
    masks = np.stack([cv2.resize(p.mask, SIZE, interpolation=cv2.INTER_NEAREST) for p in photos])
    asked, water, said = masks != 128, masks == 255, wet > threshold
    both, either = (said & water & asked).sum(), ((said | water) & asked).sum()
    calm = probabilities(net, [p.image for p in dry])
    return {
        "iou": float(both / either),
        "precision": float(both / max(1, (said & asked).sum())),
        "recall": float(both / (water & asked).sum()),
        "auc": roc_auc(share(wet, threshold).tolist(), share(calm, threshold).tolist()),
        "dry_share": float(share(calm, threshold).mean()),
        "dry_over_5": float((share(calm, threshold) > 0.05).mean()),
    }
